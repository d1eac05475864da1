// The script of a wasm-mt worker: a script in a blob, behind the text of the page's own glue; or a classic script, from a
// blob or, under a strict content security policy, from a URL of the host's own, that imports the glue. It runs the page's
// own compiled module behind that glue.
//
// Boot message:  { version, glue, bundle, module, main, table, first }
// To the page:   Uint8Array or [Uint8Array, ..attachments]   packets
//                { wasmMt: version, up | refused | print | died | closing | unread | sent | .. }   everything else
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
    queue(() => (task() === 0 ? console.error(error) : die(error)));
  });
  self.addEventListener("unhandledrejection", (event) => {
    if (!(event.reason instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    die(event.reason);
  });

  // Futures run in microtasks. What goes wrong there is caught here: Firefox tells of no exhausted stack by an event.
  const queue = self.queueMicrotask.bind(self);
  self.queueMicrotask = (callback) =>
    queue(() => {
      if (dead) return;
      try {
        callback();
      } catch (error) {
        if (task() === 0 && !(error instanceof WebAssembly.RuntimeError)) throw error;
        die(error);
      }
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

  // The glue is a module (`--target web`), or a classic script that defines a global (`--target no-modules`), whose
  // name is `wasm_bindgen` unless the application chose another. It may stand in front of this script already. A classic
  // script is harmless as a module: it exports nothing.
  const present = () => {
    if (typeof initSync === "undefined") return typeof wasm_bindgen === "undefined" ? null : wasm_bindgen;
    // Glue of another program has only the first.
    return typeof __wasm_mt_start === "undefined" ? { initSync } : { initSync, __wasm_mt_start, __wasm_mt_receive };
  };
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
      if (present()) return present();
    } catch (error) {
      problem ??= error;
    }
    throw problem ?? new Error("it is not the JavaScript that wasm-bindgen generated");
  };

  // Held for the worker's life: the page asks for the same lock, and gets it when this worker is gone, however it went.
  // Asked for at once, so that it is there when everything else is.
  const lock = `wasm-mt ${Math.random()} ${performance.timeOrigin + performance.now()}`;
  const held = new Promise((held) => {
    if (!self.navigator.locks) return held();
    const forever = () => {
      held(lock);
      return new Promise(() => {});
    };
    self.navigator.locks.request(lock, forever).catch(() => held());
  });

  const refuse = (stage, error, url) => tell({ refused: stage, text: String(error?.message ?? error), url });

  const start = async ({ data: boot }) => {
    if (boot.version !== VERSION) {
      return refuse("version", `the script has version ${VERSION}, the page wants ${boot.version}`);
    }
    withoutMain(boot.module);
    const url = boot.glue;
    let glue;
    try {
      glue = present() ?? (await load(url));
    } catch (error) {
      const status = await fetch(url).then((response) => response.status, () => 0);
      return refuse(status && status !== 200 ? `status ${status}` : "glue", error, url);
    }
    try {
      glue.initSync({ module: boot.module });
      if (!glue.__wasm_mt_start) throw new Error("it belongs to another program");
    } catch (error) {
      return refuse("instance", error, url);
    }
    tell({ up: true, lock: await held });
    self.addEventListener("message", ({ data }) => {
      if (dead) return;
      if (data === null) return unread();
      try {
        glue.__wasm_mt_receive(data);
      } catch (error) {
        die(error);
      }
    });
    try {
      block = glue.__wasm_mt_start(boot.main, boot.table, url, boot.bundle, boot.first);
      if (!block) refuse("instance", new Error("it belongs to another build"), url);
    } catch (error) {
      die(error);
    }
  };

  // A message could be written and not read: whoever awaits what was in it must hear of that. Some engines give null.
  const unread = () => tell({ unread: true });
  self.addEventListener("messageerror", unread);

  // Not by `onmessage`: a task may set that for messages of its own.
  self.addEventListener("message", start, { once: true });
})();
