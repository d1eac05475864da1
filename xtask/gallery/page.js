// Runs one example in its page and tells how it went.
//
// The library announces the end of a program with the event `wasm-mt-exit`; `detail.error` is null or a text. A fault
// outside the program's control (a trap, a file that is not there) shows as an error of the window. Both become the
// verdict: `running`, then `passed` or `failed`, in `data-verdict`. There is no deadline here: whoever waits for the
// verdict knows how long to wait.

// More lines than anybody reads would only make the page slow.
const MOST_LINES = 5000;

const started = performance.now();
const verdict = document.getElementById('verdict');
const elapsed = document.getElementById('elapsed');
const output = document.getElementById('output');

const seconds = () => `${((performance.now() - started) / 1000).toFixed(2)} s`;
const clock = setInterval(() => { elapsed.textContent = seconds(); }, 100);

// An error after the end is a fault too, so `failed` may follow `passed`, but nothing follows `failed`.
function end(word) {
  if (verdict.dataset.verdict === 'running') {
    clearInterval(clock);
    elapsed.textContent = seconds();
  } else if (verdict.dataset.verdict === 'failed') {
    return;
  }
  verdict.dataset.verdict = word;
  verdict.textContent = word;
}

function fail(text) {
  print('error', text);
  end('failed');
}

function print(level, text) {
  if (output.childElementCount > MOST_LINES) return;
  const full = output.childElementCount === MOST_LINES;
  const line = document.createElement('p');
  line.className = full ? 'warn' : level;
  line.dataset.at = seconds();
  line.textContent = full ? 'more was printed; the console of the browser has it' : text;
  // Follow the output, unless somebody has scrolled back to read.
  const follows = output.scrollHeight - output.scrollTop - output.clientHeight < 8;
  output.append(line);
  if (follows) output.scrollTop = output.scrollHeight;
}

function text(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

for (const level of ['debug', 'info', 'log', 'warn', 'error']) {
  const original = console[level];
  console[level] = (...values) => {
    original.apply(console, values);
    if (level !== 'debug') print(level, values.map(text).join(' '));
  };
}

// The section of pictures shows once there are some. (`:has(:empty)` in the style sheet would not do: WebKit does not
// look again when something is appended.)
const stage = document.getElementById('stage');
new MutationObserver(() => { stage.parentElement.hidden = !stage.hasChildNodes(); }).observe(stage, { childList: true });

addEventListener('error', (event) => fail(event.error ? text(event.error) : event.message));
addEventListener('unhandledrejection', (event) => fail(text(event.reason)));
addEventListener('wasm-mt-exit', ({ detail }) => {
  if (detail.error === null) end('passed');
  // The library has shown the error on the console, which is the last line then.
  else if (output.lastElementChild?.textContent === detail.error) end('failed');
  else fail(detail.error);
});

// A reload starts with a new instance of the program; its bindings could not start it a second time.
document.getElementById('again').addEventListener('click', () => location.reload());

const { app } = document.querySelector('script[data-app]').dataset;
import(new URL(app, document.baseURI)).then((bindings) => bindings.default()).catch((error) => fail(text(error)));
