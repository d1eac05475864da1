// The script of a wasm-mt worker: a script in a blob, behind the text of the page's own glue; or a classic script, from a
// blob or, under a strict content security policy, from a URL of the host's own, that imports the glue. It runs the page's
// own compiled module behind that glue.
//
// Boot message:  { version, key, glue, bundle, base, script, factory, module, main, table, first }
// To the page:   Uint8Array or [Uint8Array, ..attachments]   packets
//                { wasmMt: key, up | refused | print | died | closing | unread | sent | .. }   everything else
//
// The key is known to the page and to this script alone: a task may post whatever it likes.
(() => {
  "use strict";
  // In a bundle this is a module of the page too, and of its workers that are none of ours; and in one of ours it may be
  // evaluated again under another URL, when the program is loaded.
  if (typeof __wasm_mt_create_worker === "function" && (self.name !== "wasm-mt" || self.wasmMt)) return;
  const VERSION = 6;
  const MAGIC = 0x746d7770;

  // A thread of Node.js has no scope like that of a worker, and ends by what is uncaught. Its page hears of its end without a
  // lock.
  const isThread = typeof self === "undefined" || !self.close;
  if (isThread) {
    const { parentPort: port } = process.getBuiltinModule("node:worker_threads");
    globalThis.self = globalThis;
    self.postMessage = port.postMessage.bind(port);
    self.close = () => process.exit();
    process.on("unhandledRejection", (reason) => console.error(reason));
    if (self.dispatchEvent) {
      // In Deno the scope is that of a worker already, but an error that nobody prevents ends the thread. Added behind the
      // listener of this script, which prevents those that it handles.
      Promise.resolve().then(() => {
        self.addEventListener("error", (event) => {
          if (!event.defaultPrevented) console.error(event.error);
          event.preventDefault();
        });
      });
    } else {
      const target = new EventTarget();
      const emit = (type, properties) => {
        const event = Object.assign(new Event(type, { cancelable: true }), properties);
        self[`on${type}`]?.(event);
        return target.dispatchEvent(event);
      };
      for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"]) {
        self[name] = target[name].bind(target);
      }
      for (const type of ["message", "messageerror"]) port.on(type, (data) => emit(type, { data }));
      process.on("uncaughtException", (error) => emit("error", { error }) && console.error(error));
    }
  }

  // Taken once: a task may put something else in their places.
  const post = self.postMessage.bind(self);
  const queue = self.queueMicrotask.bind(self);
  // Deno puts it in place when it is first called.
  queue(() => {});
  const close = self.close.bind(self);
  const { RuntimeError } = WebAssembly;

  let key = 0;
  const tell = (what) => post({ wasmMt: key, ...what });

  // Address of a block in the instance's memory (`status.rs`). Read without entering the instance.
  let block = 0;
  let memory = null;
  const word = (nth) => new Uint32Array(memory.buffer, block + 8, 8)[nth];
  const bytes = (address, length) => new Uint8Array(memory.buffer, address, length);
  // Whose code runs, and which tasks have begun and may not have been answered.
  const task = () => (block ? Number(new BigUint64Array(memory.buffer, block, 1)[0]) : 0);
  const begun = () => (block ? bytes(word(0), 8 * word(1)).slice() : new Uint8Array());

  // Posts what the instance has gathered for its page and not posted yet.
  const flush = () => {
    if (!block || !word(2)) return;
    const [heads, values, addresses] = [2, 4, 6].map((nth) => bytes(word(nth + 1), word(nth)));
    const end = values.length + heads.length + addresses.length;
    const body = new Uint8Array(end + 12);
    body.set(values);
    body.set(heads, values.length);
    body.set(addresses, values.length + heads.length);
    const trailer = new DataView(body.buffer, end);
    [heads.length, addresses.length / 4, MAGIC].forEach((word, nth) => trailer.setUint32(4 * nth, word, true));
    post(body);
    // Once: the death may have to be told again.
    new Uint32Array(memory.buffer, block + 16, 1)[0] = 0;
  };

  // An exhausted stack, in the words of each engine.
  const isExhausted = (error) =>
    error?.name === "InternalError" || (error instanceof RangeError && String(error.message).includes("call stack"));

  // What the end of a stack is in an engine's words: of its own stack, or of the one that the linker has put below all else in
  // linear memory.
  const nameStack = (error) => {
    if (isExhausted(error)) return "its stack is exhausted, recurse less deeply: ";
    return error instanceof RuntimeError && /memory access|^index out of bounds/i.test(error.message)
      ? "its stack is exhausted, unless unsafe code is wrong; keep large values in a Vec, or link with a larger stack (-zstack-size): "
      : "";
  };

  // The page hears of a worker's end after what that has gathered. Where the stack is exhausted there may be no room for
  // this: then it fails, and is tried again further up. Where only memory is short, the end is told alone.
  const end = (what) => {
    try {
      flush();
    } catch (error) {
      if (isExhausted(error)) throw error;
    }
    tell({ ...what, task: task(), begun: begun() });
  };

  // A task may throw anything.
  const textOf = (error) => {
    try {
      const { message, stack } = error ?? {};
      if (typeof stack !== "string") return String(message ?? error);
      return stack.includes(message) ? stack : `${error}\n${stack}`;
    } catch (problem) {
      if (isExhausted(problem)) throw problem;
      return "a value that has no text was thrown";
    }
  };

  // A trap leaves the instance in the middle of something: it is never entered again.
  let dead = false;
  const die = (error) => {
    if (dead) return;
    end({ died: nameStack(error) + textOf(error) });
    dead = true;
  };

  // Every way into the instance. What leaves it as an exception has cut off the code below: the traps among them, and an
  // exhausted stack, end this worker, even if they are caught later.
  let escaped;
  const guarded = (enter) =>
    (...args) => {
      if (dead) throw new Error("this worker has ended");
      try {
        return enter(...args);
      } catch (error) {
        escaped = error;
        if (error instanceof RuntimeError || isExhausted(error)) die(error);
        throw error;
      }
    };
  // What the module does not have is wanted by the glue of another build. Before any task has begun it is a failed start.
  let misfit;
  const missing = new Proxy({}, {
    get: (_, name) => {
      // An engine asks for `then`, for example; the generator's names have underscores.
      if (typeof name === "symbol" || !name.includes("_")) return undefined;
      return () => {
        const text = `it calls ${name}, which is of another build`;
        const error = new Error(`${text}; reload the page`);
        if (task() || begun().length) die(error);
        else misfit(new Error(text));
        throw error;
      };
    },
  });
  const guardAll = (exports) => {
    const guards = Object.create(missing);
    for (const [name, value] of Object.entries(exports)) {
      guards[name] = typeof value === "function" ? guarded(value) : value;
    }
    return guards;
  };

  // An uncaught exception while a task's code runs has left it without its end, unless the task merely reports it: then its
  // code goes on after this event, and has ended when the microtask looks.
  self.addEventListener("error", (event) => {
    const error = event.error ?? event.message;
    if (dead) return event.preventDefault();
    if (task() === 0) return;
    event.preventDefault();
    queue(() => (task() === 0 ? console.error(error) : die(error)));
  });

  // Futures run in microtasks, all that are ready in one: an exception that leaves it takes the others with it.
  const queueMicrotask = (callback) =>
    queue(() => {
      if (dead) return;
      try {
        callback();
      } catch (error) {
        if (error !== escaped && task() === 0) throw error;
        die(error);
      }
    });
  // The glue asks for these by their names whenever it needs them.
  for (const [name, value] of Object.entries({ queueMicrotask, Uint8Array })) {
    Object.defineProperty(self, name, { value, writable: false, configurable: false });
  }

  // The page hears nothing of a worker that closes itself, so it says so before.
  self.close = () => {
    end({ closing: true });
    close();
  };

  // The glue's start function runs the application's `main`. A worker must not: only the start function's other job,
  // the table of JavaScript references, is done. It stays so for the worker's life, because the glue may instantiate
  // the module again. Where the page has no module to give, a bundler's code makes one.
  const adopt = (instance, imports) => {
    memory = instance.exports.memory;
    const exports = guardAll(instance.exports);
    exports.__wbindgen_start = () => {
      for (const some of Object.values(imports)) some.__wbindgen_init_externref_table?.();
    };
    return { exports };
  };
  const withoutMain = (module) => {
    const isOurs = (instance, from) => {
      if (!memory && instance.exports.__wasm_mt_start) module = from;
      return from === module;
    };
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(target, args, newTarget) {
        const instance = Reflect.construct(target, args, newTarget);
        return isOurs(instance, args[0]) ? adopt(instance, args[1]) : instance;
      },
    });
    for (const name of ["instantiate", "instantiateStreaming"]) {
      const make = WebAssembly[name];
      WebAssembly[name] = async (source, imports) => {
        const made = await make(source, imports);
        const { instance = made, module = source } = made;
        if (!isOurs(instance, module)) return made;
        const adopted = adopt(instance, imports);
        return made.instance ? { module, instance: adopted } : adopted;
      };
    }
    // The glue of `--target nodejs` would compile it again.
    const { Module } = WebAssembly;
    if (module) WebAssembly.Module = new Proxy(Module, { construct: () => module });
    return () => (WebAssembly.Module = Module);
  };

  // A blob has no folder: what is relative in it is relative to the page. What is no URL, or trusted, stays as it is.
  const rebase = (base) => {
    const full = (url) => {
      try {
        return typeof url === "string" ? new URL(url, base).href : url;
      } catch {
        return url;
      }
    };
    const wrap = (owner, name, isUrl) => {
      if (!owner?.[name]) return;
      const changed = (args) => args.map((arg, nth) => (isUrl(nth) ? full(arg) : arg));
      owner[name] = new Proxy(owner[name], {
        apply: (target, self, args) => Reflect.apply(target, self, changed(args)),
        construct: (target, args, newTarget) => Reflect.construct(target, changed(args), newTarget),
      });
    };
    for (const name of ["fetch", "Request", "WebSocket", "EventSource", "Worker"]) wrap(self, name, (nth) => nth === 0);
    wrap(self, "importScripts", () => true);
    wrap(self.XMLHttpRequest?.prototype, "open", (nth) => nth === 1);
  };

  // Where Trusted Types are wanted, `importScripts` takes no text. A policy's name can be taken once: `source.rs` uses this one
  // too. Where there is none, text may do.
  const trusted = (url) => {
    try {
      const createScriptURL = (it) => (it === url || /^(blob:|\/(?![/\\]))/.test(it) ? it : null);
      self.wasmMtPolicy ??= self.trustedTypes.createPolicy("wasm-mt", { createScriptURL });
      return self.wasmMtPolicy.createScriptURL(url);
    } catch {
      return url;
    }
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
      const glue = await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
      if (glue.initSync || glue.__wasm_mt_start) return glue;
      if (glue.default?.__wasm_mt_start) return glue.default;
    } catch (error) {
      problem = error;
    }
    try {
      self.importScripts(trusted(url));
      if (present()) return present();
    } catch (error) {
      problem ??= error;
    }
    throw problem ?? new Error("it is not the JavaScript that wasm-bindgen generated");
  };

  // The page asks for the same lock, and gets it when this worker is gone, however it went. Asked for at once, so that it is
  // there when everything else is.
  let letGo = () => {};
  const hold = () =>
    new Promise((held) => {
      if (isThread || !self.navigator.locks) return held();
      const lock = `wasm-mt ${Math.random()} ${performance.timeOrigin + performance.now()}`;
      const untilLetGo = () => {
        held(lock);
        return new Promise((resolve) => (letGo = resolve));
      };
      self.navigator.locks.request(lock, untilLetGo).catch(() => held());
    });
  let held = hold();
  // The page leaves, or it is back and wants to know of this worker's end again (`locks.rs`). One after the other: a lock can
  // be let go of when it is there.
  const follow = ({ hold: isBack, departure }) => {
    held = held.then(async () => {
      letGo();
      if (isBack) tell({ lock: await hold(), departure });
    });
  };

  // In the words of each engine.
  const isShortOfMemory = (error) => error instanceof RangeError || /out of memory|allocat/i.test(error?.message);

  const refuse = (stage, error, url) => tell({ refused: stage, text: String(error?.message ?? error), url });

  const start = async ({ data: boot }) => {
    key = boot.key;
    if (boot.version !== VERSION) {
      return refuse("version", `the script has version ${VERSION}, the page wants ${boot.version}`);
    }
    if (/^(blob|data):/.test(self.location)) rebase(boot.base);
    const mayCompile = withoutMain(boot.module);
    const url = boot.glue;
    // What the page said of its program holds for the workers of this one too, unless its own script says otherwise.
    self.wasmMt ??= { glueUrl: url, scriptUrl: boot.script };
    misfit = (error) => {
      if (!dead) refuse("instance", error, url);
      dead = true;
    };
    let glue;
    try {
      const isBundled = typeof __wasm_mt_load === "function";
      glue = isBundled ? await __wasm_mt_load() : (present() ?? (url && (await load(url))));
    } catch (error) {
      const status = url && (await fetch(url).then((response) => response.status, () => 0));
      return refuse(status && status !== 200 ? `status ${status}` : "glue", error, url);
    }
    if (!glue) return refuse("missing", new Error("`self.wasm_bindgen` is not set"));
    try {
      // A bundler's code has made the instance.
      if (boot.module) glue.initSync?.({ module: boot.module });
      mayCompile();
      if (!memory) return refuse("module");
      if (!glue.__wasm_mt_start) throw new Error("it belongs to another program");
    } catch (error) {
      return refuse(isShortOfMemory(error) ? "memory" : "instance", error, url);
    }
    tell({ up: true, lock: await held });
    self.addEventListener("message", ({ data }) => {
      if (dead) return;
      if (data === null) return unread();
      if (typeof data?.hold === "boolean") follow(data);
      try {
        glue.__wasm_mt_receive(data);
      } catch (error) {
        die(error);
      }
    });
    try {
      const send = (what, rest) => (typeof rest === "string" ? tell({ [rest]: what }) : post(what, rest));
      block = glue.__wasm_mt_start(boot, send);
      if (!block) refuse("instance", new Error("it belongs to another build"), url);
    } catch (error) {
      die(error);
    }
  };

  // A message could be written and not read: what was in it may be awaited, so the page is told. Some engines give null.
  const unread = () => tell({ unread: true });
  self.addEventListener("messageerror", unread);

  // Not by `onmessage`: a task may set that for messages of its own.
  self.addEventListener("message", start, { once: true });
})();

// What follows is for bundlers, which find the worker and the program by it. It is left out where no bundler is. A name that
// webpack sees would be that of the file, which nested workers look for under another.
export function __wasm_mt_create_worker() {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", ["name"]: "wasm-mt" });
}
// The package that wasm-bindgen made, in whose folder `snippets` this file is. Only by a pattern does webpack find a file in it
// whose name is not known; `_bg.js` is a part of the other.
function __wasm_mt_load() {
  const first = (files) => files(files.keys()[0]);
  return import.meta.webpack
    ? first(import.meta.webpackContext("../../../../../", { recursive: false, regExp: /(?<!_bg)\.js$/, mode: "lazy" }))
    : import("../../../../../");
}
