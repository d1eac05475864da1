// Records what the programs of a page print and how they end, in attributes of the document. It is a classic script at
// the top of the page, so that it is there before any program.
{
  const record = document.documentElement.dataset;
  const programs = Number(document.currentScript.dataset.programs);
  const output = [];
  const errors = [];
  let mains = 0;

  const write = (verdict) => {
    record.output = output.join('\n');
    record.errors = JSON.stringify(errors);
    record.mains = mains;
    if (record.verdict === 'running') record.verdict = verdict;
    // A frame without an origin is not seen from outside.
    if (parent !== self) parent.postMessage({ ...record }, '*');
  };
  record.verdict = 'running';
  record.types = 'trustedTypes' in self;
  addEventListener('message', ({ data }) => Object.assign(record, data));
  write('running');

  for (const level of ['log', 'warn', 'error']) {
    const original = console[level];
    console[level] = (...values) => {
      original.apply(console, values);
      output.push(values.map(String).join(' '));
      write('running');
    };
  }

  const broken = (reason) => {
    output.push(String(reason));
    write('broken');
  };
  addEventListener('error', (event) => broken(event.error ?? event.message));
  addEventListener('unhandledrejection', (event) => broken(event.reason));

  // A worker that runs `main` says so before its first result comes.
  new BroadcastChannel('main').onmessage = () => {
    mains += 1;
    write('running');
  };

  addEventListener('wasm-mt-exit', ({ detail }) => {
    errors.push(detail.error);
    // Messages that were sent before the end are on their way: let them arrive.
    if (errors.length === programs) setTimeout(() => write('ended'), 50);
  });
}
