// What other libraries do with two workers each, and what plain JavaScript does. Whatever has workers in turn asks them in
// turn; what has a pool leaves that to it. Tasks of a library in JavaScript are in JavaScript.
{
  const url = (name) => new URL(name, document.baseURI).href;

  // Workers belong to the library whose turn it is, so that one that hangs can be ended.
  const workers = {};
  let turn;
  globalThis.Worker = class extends Worker {
    constructor(...values) {
      super(...values);
      (workers[turn] ??= []).push(this);
    }
  };

  // A worker's script: tasks by their names, and how a library offers them. Bytes are kept on both sides, as programs do
  // that have memories of their own. `compute` is that of work.rs.
  const script = (library, offer) => {
    const text = `${library && `importScripts('${url(library)}');`}
      let memory;
      const tasks = {
        add: (x) => x + 1,
        store: (data) => {
          memory ??= new Uint8Array(data.length);
          memory.set(data);
          return new Uint8Array(memory);
        },
        compute: (steps) => {
          let x = steps | 1;
          for (let i = 0; i < steps; i += 1) {
            x ^= x << 13;
            x ^= x >>> 17;
            x ^= x << 5;
          }
          return x >>> 0;
        },
      };
      ${offer}`;
    return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  };

  const expect = (found, wanted) => {
    if (found !== wanted) throw new Error(`${found} instead of ${wanted}`);
  };

  // `ask` has a worker do a task, and promises what that gives. The worker is the one of this number, unless there is a pool.
  const workloads = (ask) => {
    let memory;
    return {
      async round_trip(count) {
        let x = 0;
        for (let i = 0; i < count; i += 1) x = await ask(0, 'add', x);
        expect(x, count);
      },
      async tiny_tasks(count) {
        const sums = await Promise.all(Array.from({ length: count }, (_, i) => ask(i % 2, 'add', i)));
        expect(sums.reduce((all, sum) => all + sum), (count * (count + 1)) / 2);
      },
      async transfer(count, size) {
        memory ??= new Uint8Array(size).fill(1);
        for (let i = 0; i < count; i += 1) memory.set(await ask(0, 'store', new Uint8Array(memory)));
      },
      async cpu_tasks(steps) {
        await Promise.all(Array.from(steps, (each, i) => ask(i % 2, 'compute', each)));
      },
    };
  };

  // Two workers that answer in the order of what they are asked.
  const javascript = () => {
    const file = script('', `onmessage = ({ data: [name, value] }) => {
      const answer = tasks[name](value);
      postMessage(answer, answer.buffer ? [answer.buffer] : []);
    }`);
    const pair = [0, 1].map(() => {
      const worker = new Worker(file);
      const waiting = [];
      let first = 0;
      worker.onmessage = ({ data }) => {
        waiting[first](data);
        first += 1;
        if (first === waiting.length) first = waiting.length = 0;
      };
      return { worker, waiting };
    });
    return workloads((nth, name, value) =>
      new Promise((resolve) => {
        const { worker, waiting } = pair[nth];
        waiting.push(resolve);
        worker.postMessage([name, value], value.buffer ? [value.buffer] : []);
      }));
  };

  const comlink = () => {
    const file = script('comlink.js', `const { store } = tasks;
      tasks.store = (data) => {
        const copy = store(data);
        return Comlink.transfer(copy, [copy.buffer]);
      };
      Comlink.expose(tasks);`);
    const pair = [0, 1].map(() => Comlink.wrap(new Worker(file)));
    return workloads((nth, name, value) =>
      pair[nth][name](value.buffer ? Comlink.transfer(value, [value.buffer]) : value));
  };

  const ofWorkerpool = () => {
    const file = script('workerpool.js', `const { store } = tasks;
      tasks.store = (data) => {
        const copy = store(data);
        return new workerpool.Transfer(copy, [copy.buffer]);
      };
      workerpool.worker(tasks);`);
    const pool = workerpool.pool(file, { minWorkers: 2, maxWorkers: 2, workerType: 'web' });
    return workloads((_, name, value) =>
      pool.exec(name, [value], value.buffer ? { transfer: [value.buffer] } : undefined));
  };

  // A program in Rust has functions with the names of the workloads.
  const program = (name) => async () => {
    const exports = await import(url(`${name}.js`));
    await exports.default();
    await exports.start?.();
    return exports;
  };

  const start = {
    JavaScript: javascript,
    comlink,
    workerpool: ofWorkerpool,
    'gloo-worker': program('gloo-worker-bench'),
    wasmworker: program('wasmworker-bench'),
  };
  const started = {};

  globalThis.libraries = {
    async work(library, workload, ...values) {
      turn = library;
      started[library] ??= await start[library]();
      await started[library][workload](...values);
    },
    end: (library) => workers[library]?.forEach((worker) => worker.terminate()),
  };
}
