// What other libraries do with two workers each, and plain JavaScript, most of which is in floor.js. A library that has a pool
// leaves it to that who does what; of another, both workers are asked in turn. A library in JavaScript computes in JavaScript.
{
  const url = (name) => new URL(name, document.baseURI).href;

  // Workers, and errors that nobody catches, belong to the library whose turn it is. So one that hangs can be ended, and one
  // that fails does not end the page.
  const workers = {};
  let turn;
  let fail;
  for (const kind of ['error', 'unhandledrejection']) {
    addEventListener(kind, (event) => {
      if (turn === undefined) return;
      event.stopImmediatePropagation();
      fail(event.reason ?? event.message);
    });
  }
  globalThis.Worker = class extends Worker {
    constructor(...values) {
      super(...values);
      (workers[turn] ??= []).push(this);
    }
  };

  // A worker's script: tasks by their names, how the library sends a copy without copying it again, and how it offers the
  // tasks. Bytes are kept on both sides, as by programs that have memories of their own. `compute` is that of work.rs.
  const script = (library, send, offer) => {
    const text = `${library && `importScripts('${url(library)}');`}
      let memory;
      const tasks = {
        add: (x) => x + 1,
        store: (data) => {
          memory ??= new Uint8Array(data.length);
          memory.set(data);
          const copy = new Uint8Array(memory);
          return ${send};
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

  const plain = () => {
    const file = script('', 'copy', 'onmessage = ({ data }) => postMessage(tasks.compute(data));');
    const pair = [0, 1].map(() => new Worker(file));
    const cpuTasks = (steps) =>
      new Promise((resolve) => {
        let left = steps.length;
        for (const worker of pair) {
          worker.onmessage = () => {
            left -= 1;
            if (left === 0) resolve();
          };
        }
        steps.forEach((each, i) => pair[i % 2].postMessage(each));
      });
    const { roundTrips, tinyTasks, bulk } = floor;
    return { round_trip: roundTrips, tiny_tasks: tinyTasks, transfer: bulk, cpu_tasks: cpuTasks };
  };

  const wrapped = () => {
    const file = script('comlink.js', 'Comlink.transfer(copy, [copy.buffer])', 'Comlink.expose(tasks)');
    const pair = [0, 1].map(() => Comlink.wrap(new Worker(file)));
    return workloads((nth, name, value) =>
      pair[nth][name](value.buffer ? Comlink.transfer(value, [value.buffer]) : value));
  };

  const pooled = () => {
    const file = script('workerpool.js', 'new workerpool.Transfer(copy, [copy.buffer])', 'workerpool.worker(tasks)');
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
    JavaScript: plain,
    comlink: wrapped,
    workerpool: pooled,
    'gloo-worker': program('gloo-worker-bench'),
    wasmworker: program('wasmworker-bench'),
    'wasm-bindgen-rayon': program('wasm-bindgen-rayon-bench'),
  };
  const started = {};

  globalThis.libraries = {
    // Not every compiler can build the program of each.
    async has(library) {
      if (library !== 'wasm-bindgen-rayon') return true;
      return (await fetch(url(`${library}-bench.js`), { method: 'HEAD' })).ok;
    },
    async work(library, workload, ...values) {
      turn = library;
      const failed = new Promise((_, reject) => {
        fail = reject;
      });
      const work = async () => {
        started[library] ??= await start[library]();
        await started[library][workload](...values);
      };
      try {
        await Promise.race([work(), failed]);
      } catch (error) {
        throw String(error);
      } finally {
        // One that was ended may come here in the turn of another.
        if (turn === library) turn = undefined;
      }
    },
    end(library) {
      turn = undefined;
      workers[library]?.forEach((worker) => worker.terminate());
    },
  };
}
