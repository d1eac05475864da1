// What the browser itself takes, in plain JavaScript without any library: the floor under the figures of the Rust
// program on the same page. Every function does its work `count` times and gives the milliseconds that took.
{
  const blob = (script) => URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const message = (worker) =>
    new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = reject;
    });

  const echo = new Worker(blob('onmessage = ({ data }) => postMessage(data)'));
  const payload = new Uint8Array(64);

  // One message at a time goes to a worker and comes back.
  const roundTrips = (count) =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      let left = count;
      echo.onerror = reject;
      echo.onmessage = () => {
        left -= 1;
        if (left > 0) echo.postMessage(payload);
        else resolve(performance.now() - start);
      };
      echo.postMessage(payload);
    });

  // The module's imports are glue that this worker does not have; nothing calls them.
  const starting = blob(`onmessage = ({ data: module }) => {
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => {};
    self.instance = new WebAssembly.Instance(module, imports);
    postMessage('ready');
  }`);

  // One worker after the other is started and given the compiled module; it makes an instance and says so.
  const starts = async (count, module) => {
    const start = performance.now();
    for (let i = 0; i < count; i += 1) {
      const worker = new Worker(starting);
      worker.postMessage(module);
      await message(worker);
      worker.terminate();
    }
    return performance.now() - start;
  };

  globalThis.floor = { roundTrips, starts };
}
