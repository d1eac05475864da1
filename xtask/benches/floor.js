// What the browser itself takes, in plain JavaScript without any library: the floor under the figures of the Rust
// program on the same page. Every function gives the milliseconds that its work took.
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

  // Workers are started at once and given the compiled module; each makes an instance and says so.
  const poolStart = async (size, module) => {
    const start = performance.now();
    const workers = Array.from({ length: size }, () => new Worker(starting));
    const ready = workers.map(message);
    for (const worker of workers) worker.postMessage(module);
    await Promise.all(ready);
    const time = performance.now() - start;
    for (const worker of workers) worker.terminate();
    return time;
  };

  // One worker after the other is started likewise.
  const starts = async (count, module) => {
    const start = performance.now();
    for (let i = 0; i < count; i += 1) await poolStart(1, module);
    return performance.now() - start;
  };

  const adding = blob('onmessage = ({ data }) => postMessage(data + 1)');
  let adders;

  // Every task is a message with a number, given to two workers in turn. All are in flight at once, and each comes back as
  // a message with another number. Messages keep their order, so a number is all that a task and its result need.
  const tinyTasks = (count) => {
    adders ??= [new Worker(adding), new Worker(adding)];
    return new Promise((resolve, reject) => {
      const start = performance.now();
      let [left, sum] = [count, 0];
      for (const worker of adders) {
        worker.onerror = reject;
        worker.onmessage = ({ data }) => {
          sum += data;
          left -= 1;
          if (left > 0) return;
          const time = performance.now() - start;
          if (sum === (count * (count + 1)) / 2) resolve(time);
          else reject(new Error(`${count} tasks give ${sum}`));
        };
      }
      for (let i = 0; i < count; i += 1) adders[i % 2].postMessage(i);
    });
  };

  // The size of a chunk of numbers.
  const CHUNK = 4096;
  const squaring = blob(`onmessage = ({ data }) => {
    const squares = data.map((n) => n * n);
    postMessage(squares, [squares.buffer]);
  }`);
  let squarers;

  // Numbers are given in chunks to two workers in turn, and their squares come back in order. They are added here, one by one.
  const squares = (count) => {
    squarers ??= [new Worker(squaring), new Worker(squaring)];
    return new Promise((resolve, reject) => {
      const start = performance.now();
      let [left, sum] = [count, 0];
      for (const worker of squarers) {
        worker.onerror = reject;
        worker.onmessage = ({ data }) => {
          for (const square of data) sum += square;
          left -= data.length;
          if (left > 0) return;
          const time = performance.now() - start;
          const expected = ((count - 1) * count * (2 * count - 1)) / 6;
          if (Math.abs(sum / expected - 1) < 1e-9) resolve(time);
          else reject(new Error(`${count} squares add up to ${sum}`));
        };
      }
      for (let first = 0; first < count; first += CHUNK) {
        const chunk = new Float64Array(Math.min(CHUNK, count - first));
        for (let i = 0; i < chunk.length; i += 1) chunk[i] = first + i;
        squarers[(first / CHUNK) % 2].postMessage(chunk, [chunk.buffer]);
      }
    });
  };

  // Arrays stand for the memories of both sides: a block is copied out of one, transferred, and copied into the other.
  const storing = blob(`let memory;
  onmessage = ({ data }) => {
    memory ??= new Uint8Array(data.length);
    memory.set(data);
    const copy = new Uint8Array(memory);
    postMessage(copy, [copy.buffer]);
  }`);
  let store;

  // A block of `size` bytes goes to a worker's memory and comes back.
  const bulk = async (count, size) => {
    store ??= { worker: new Worker(storing), memory: new Uint8Array(size).fill(1) };
    const { worker, memory } = store;
    const start = performance.now();
    for (let i = 0; i < count; i += 1) {
      const copy = new Uint8Array(memory);
      const answer = message(worker);
      worker.postMessage(copy, [copy.buffer]);
      memory.set((await answer).data);
    }
    return performance.now() - start;
  };

  const endOfBulk = () => {
    store.worker.terminate();
    store = undefined;
  };

  const counting = blob(`onmessage = ({ data: count }) => {
    for (let first = 0; first < count; first += 64) {
      postMessage(Float64Array.from({ length: Math.min(64, count - first) }, (_, nth) => first + nth));
    }
  }`);
  let counter;

  // A worker sends numbers, 64 in a message.
  const numbers = (count) => {
    counter ??= new Worker(counting);
    return new Promise((resolve, reject) => {
      const start = performance.now();
      let [left, sum] = [count, 0];
      counter.onerror = reject;
      counter.onmessage = ({ data }) => {
        for (const n of data) sum += n;
        left -= data.length;
        if (left > 0) return;
        const time = performance.now() - start;
        if (sum === (count * (count - 1)) / 2) resolve(time);
        else reject(new Error(`${count} numbers add up to ${sum}`));
      };
      counter.postMessage(count);
    });
  };

  const filling = blob(`let memory;
  onmessage = ({ data: { count, size } }) => {
    memory ??= new Uint8Array(size);
    for (let nth = 0; nth < count; nth += 1) {
      const block = new Uint8Array(memory.fill(nth));
      postMessage(block, [block.buffer]);
    }
  }`);
  let filler;

  // A worker fills blocks of `size` bytes in its memory, and they come into the page's.
  const blocks = (count, size) => {
    filler ??= { worker: new Worker(filling), memory: new Uint8Array(size) };
    const { worker, memory } = filler;
    return new Promise((resolve, reject) => {
      const start = performance.now();
      let left = count;
      worker.onerror = reject;
      worker.onmessage = ({ data }) => {
        memory.set(data);
        left -= 1;
        if (left === 0) resolve(performance.now() - start);
      };
      worker.postMessage({ count, size });
    });
  };

  globalThis.floor = { roundTrips, starts, poolStart, tinyTasks, squares, bulk, endOfBulk, numbers, blocks };
}
