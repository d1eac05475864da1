// The page's half of a soak: keeps what the program reports until somebody has looked at it. A classic script at the top of
// the page, so that it is there before the program.
{
  const begun = [];
  new BroadcastChannel('begun').onmessage = ({ data }) => begun.push(data);

  globalThis.soak = {
    rounds: [],
    // The program's end: null while it runs, then a text, which is empty if all went well.
    end: null,
    // The last errors that came here. Those of workers do, if nobody takes them.
    errors: [],

    begun: () => begun.splice(0),
    // A worker of ours holds a lock as long as it lives.
    workers: async () => (await navigator.locks.query()).held.length,
    report: (line) =>
      new Promise((resolve) => {
        soak.rounds.push(line);
        soak.resume = resolve;
      }),
    resume: null,
  };

  const note = (error) => {
    soak.errors.push(String(error));
    soak.errors.splice(0, soak.errors.length - 5);
  };
  addEventListener('error', (event) => note(event.error ?? event.message));
  addEventListener('unhandledrejection', (event) => note(event.reason));
  // Panics of the page itself are written to its console, and nothing goes on after one.
  const { error } = console;
  console.error = (...values) => {
    error.apply(console, values);
    note(values.join(' '));
    if (/panicked at/.test(values.join(' '))) soak.end = values.join(' ');
  };
  addEventListener('wasm-mt-exit', ({ detail }) => (soak.end = detail.error ?? ''));
}
