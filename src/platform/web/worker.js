// The script of a wasm-mt worker: a classic one, started from a blob or, under a strict content security policy, from
// a URL of the host's own. It runs the page's own compiled module behind the page's own glue.
//
// Boot message:  { version, glue or trace, module, main, table, name, lock, first }
// To the page:   Uint8Array or [Uint8Array, ..attachments]   packets
//                { wasmMt: version, up | refused | print | died | closing | .. }   everything else
(() => {
  "use strict";
  const VERSION = 1;
  const tell = (what) => self.postMessage({ wasmMt: VERSION, ...what });

  // Address of a block in the instance's memory: which task's code runs, and where the names of those lie that have begun
  // and may not have been answered. Read after a trap, without entering the instance.
  let block = 0;
  let memory = null;
  let dead = false;
  const numbers = (address, count) => Array.from(new BigUint64Array(memory.buffer, address, count), Number);
  const task = () => (memory && block ? numbers(block, 1)[0] : 0);
  const begun = () => (memory && block ? numbers(...new Uint32Array(memory.buffer, block + 8, 2)) : []);

  // A trap leaves the instance in the middle of something: it is never entered again.
  const die = (error) => {
    if (dead) return;
    dead = true;
    tell({ died: String(error?.message ?? error), task: task(), begun: begun() });
  };

  // An uncaught exception is a death if it went through the instance: a trap, or anything, an exhausted stack say, that
  // left a task's code without its end. The exception of an unrelated timer is not, nor one that a task merely
  // reports: its code goes on after this event, and has ended when the microtask looks.
  self.addEventListener("error", (event) => {
    const error = event.error ?? event.message;
    const trapped = error instanceof WebAssembly.RuntimeError;
    if (!trapped && task() === 0) return;
    event.preventDefault();
    if (trapped) return die(error);
    queueMicrotask(() => (task() === 0 ? console.error(error) : die(error)));
  });
  self.addEventListener("unhandledrejection", (event) => {
    if (!(event.reason instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    die(event.reason);
  });

  // The page hears nothing of a worker that closes itself, so it says so before.
  const close = self.close.bind(self);
  self.close = () => {
    tell({ closing: true, task: task(), begun: begun() });
    close();
  };

  // The glue's start function runs the application's `main`. A worker must not: only the start function's other job,
  // the table of JavaScript references, is done. It stays so for the worker's life, because the glue may instantiate
  // the module again.
  const withoutMain = (module) => {
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(target, args, newTarget) {
        const instance = Reflect.construct(target, args, newTarget);
        if (args[0] !== module) return instance;
        memory = instance.exports.memory;
        const __wbindgen_start = () => {
          for (const imports of Object.values(args[1])) imports.__wbindgen_init_externref_table?.();
        };
        return { exports: { ...instance.exports, __wbindgen_start } };
      },
    });
  };

  // Where the page does not know the glue's URL, it sends a stack trace, of which it is the first script. Frames are
  // `at name (URL:line:column)` or `name@URL:line:column`; those of the instance itself are passed over.
  const find = (trace) => {
    for (const line of trace.split("\n")) {
      const url = /[^ (@]+:\/\/.*?(?=(:\d+){0,2}\)*\s*$)/.exec(line)?.[0];
      if (url && !/\.wasm$|:wasm-function\[/.test(url)) return url;
    }
    throw new Error("its URL is in no stack trace");
  };

  // The glue is a module (`--target web`), or a classic script that defines a global (`--target no-modules`), whose
  // name is `wasm_bindgen` unless the application chose another. A classic script is harmless as a module: it exports
  // nothing.
  const load = async (url) => {
    let problem;
    try {
      const glue = await import(url);
      if (glue.initSync) return glue;
    } catch (error) {
      problem = error;
    }
    try {
      self.importScripts(url);
      if (typeof wasm_bindgen !== "undefined") return wasm_bindgen;
    } catch (error) {
      problem ??= error;
    }
    throw problem ?? new Error("it is not the JavaScript that wasm-bindgen generated");
  };

  // Held for the worker's life: the page asks for the same lock, and gets it when this worker is gone, however it went.
  const hold = (name) =>
    new Promise((held) => {
      if (!self.navigator.locks) return held(false);
      const forever = () => {
        held(true);
        return new Promise(() => {});
      };
      self.navigator.locks.request(name, forever).catch(() => held(false));
    });

  const refuse = (stage, error, url) => tell({ refused: stage, text: String(error?.message ?? error), url });

  const start = async ({ data: boot }) => {
    if (boot.version !== VERSION) {
      return refuse("version", `the script has version ${VERSION}, the page wants ${boot.version}`);
    }
    withoutMain(boot.module);
    const held = hold(boot.lock);
    let url = "";
    let glue;
    try {
      url = boot.glue ?? find(boot.trace);
      glue = await load(url);
    } catch (error) {
      const status = url && (await fetch(url).then((response) => response.status, () => 0));
      return refuse(status && status !== 200 ? `status ${status}` : "glue", error, url);
    }
    try {
      glue.initSync({ module: boot.module });
      if (!glue.__wasm_mt_start) throw new Error("it belongs to another program");
    } catch (error) {
      return refuse("instance", error, url);
    }
    tell({ up: true, locked: await held });
    self.addEventListener("message", ({ data }) => {
      if (dead) return;
      try {
        glue.__wasm_mt_receive(data);
      } catch (error) {
        die(error);
      }
    });
    try {
      block = glue.__wasm_mt_start(boot.main, boot.table, url, boot.first);
      if (!block) refuse("instance", new Error("it belongs to another build"), url);
    } catch (error) {
      die(error);
    }
  };

  // Not by `onmessage`: a task may set that for messages of its own.
  self.addEventListener("message", start, { once: true });
})();
