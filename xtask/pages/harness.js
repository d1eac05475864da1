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
  record.leaving = 'no';
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
  let channel;
  const listen = () => {
    channel = new BroadcastChannel('main');
    channel.onmessage = () => {
      mains += 1;
      write('running');
    };
  };
  listen();

  // Resolves when the test has gone to another page and back: true if this page was kept meanwhile. If it was not, it is
  // loaded anew, and its program comes here again.
  self.leave = () =>
    new Promise((resolve) => {
      if (sessionStorage.hasLeft) return resolve(false);
      sessionStorage.hasLeft = true;
      // Keeps a page from being kept.
      channel.close();
      addEventListener('pageshow', (event) => {
        listen();
        resolve(event.persisted);
      });
      record.leaving = 'yes';
    });

  addEventListener('wasm-mt-exit', ({ detail }) => {
    errors.push(detail.error);
    // Messages that were sent before the end are on their way: let them arrive.
    if (errors.length === programs) setTimeout(() => write('ended'), 50);
  });
}
