//! The door of the macro `remote!`.

/// Makes a task of a closure or an async block: the code, and the values of the variables that it uses.
///
/// The result is a [`Remote<R>`](crate::Remote), or with an open argument a [`RemoteFn<X, R>`](crate::RemoteFn), to be
/// given to an executor such as a [`Thread`](crate::Thread).
///
/// ```
/// use wasm_mt::{Error, RemoteFn, Thread, remote};
///
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let (count, word) = (2, String::from("ab"));
///
/// let closure = remote!(move || word.repeat(count));
/// let block = remote!(async move {
///     wasm_mt::yield_now().await;
///     count + 1
/// });
/// let open: RemoteFn<u32, u32> = remote!(move |x| x + count as u32);
///
/// assert_eq!(thread.spawn_remote(closure).await?, "abab");
/// assert_eq!(thread.spawn_remote(block).await?, 3);
/// assert_eq!(thread.spawn_remote(open.call(5)).await?, 7);
/// # Ok::<_, Error>(())
/// # });
/// ```
///
/// # Forms
///
/// | written | makes a |
/// | --- | --- |
/// | <code>remote!(move \|\| value)</code> | `Remote<R>` |
/// | <code>remote!(async move { value })</code>, <code>remote!(async move \|\| value)</code>, <code>remote!(async move \|\| -> R { value })</code>, <code>remote!(move \|\| async move { value })</code> | `Remote<R>`, awaited on the worker |
/// | <code>remote!(move \|x\| value)</code>, <code>remote!(move \|x: X\| -> R { value })</code> | `RemoteFn<X, R>` |
/// | <code>remote!(async move \|x\| value)</code>, <code>remote!(move \|x\| async move { value })</code> | `RemoteFn<X, R>`, awaited on the worker |
/// | <code>remote!([a, b = value] move \|\| a + b)</code> | any of these, with its captures listed |
///
/// `?` and `return` leave the task, as they leave a closure. State the type of the result, with `->` or at its end,
/// `Ok::<_, Error>(value)`, where the compiler cannot know it. Several open arguments are a tuple: `|(x, y)|`.
///
/// # Captures
///
/// A task runs in another memory, so it takes the *values* of its variables with it. They are moved, encoded with
/// [serde](https://serde.rs) at once, and decoded where the task runs: hence the `move`, which only a task without
/// captures can do without. So
///
/// - the types of captures, of the open argument and of the result are `Serialize + DeserializeOwned + 'static`;
/// - a capture is the whole variable, also where the closure uses one field of it. Bind the field before,
///   `let height = scene.height;`, to take only that;
/// - what the task changes, it changes in its own copy. A capture can be changed in the task without being `mut` outside.
///
/// The macro sees the names, but not what they stand for, and goes by Rust's naming rules:
///
/// | in the body | is |
/// | --- | --- |
/// | `name`, `name.field`, `name.method()`, `"{name}"` | a capture, unless the body binds it itself |
/// | `name(..)` | a function |
/// | `NAME`, `Name` | a constant, static, unit struct or variant |
/// | `self::name`, `module::name`, `name::<T>` | a path to something, never a variable |
///
/// What the body binds by `let`, patterns, parameters and items of its own is no capture, nor is what a task inside the
/// task captures from it.
///
/// Macros in the body are not expanded yet. The macro knows those of the standard library and reads the arguments of
/// others as expressions or statements. If one has a language of its own in which names are no variables, list the captures.
///
/// # Explicit captures
///
/// With a list, exactly its names are captured. They may be given values, which are evaluated here, not in the task:
///
/// ```
/// # use wasm_mt::{Error, Remote, Thread, remote};
/// struct Scene {
///     width: u32,
///     name: String,
/// }
///
/// impl Scene {
///     fn title(&self) -> Remote<String> {
///         remote!([width = self.width, name = self.name.clone()] move || format!("{name}, {width} wide"))
///     }
/// }
/// # wasm_mt::run(async {
/// let scene = Scene { width: 80, name: String::from("sea") };
/// assert_eq!(Thread::new().spawn_remote(scene.title()).await?, "sea, 80 wide");
/// # Ok::<_, Error>(())
/// # });
/// ```
///
/// # What does not compile
///
/// Each of these is an error at the place of the fault, and the error tells the cure.
///
/// Captures without `move`, in closures and async blocks:
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// let n = 1;
/// let task = remote!(|| n + 1); // write `move || n + 1`
/// ```
///
/// `self`, which has no value of its own in the task. Bind or list what is used of it:
///
/// ```compile_fail
/// # use wasm_mt::{Remote, remote};
/// # struct Scene { width: u32 }
/// impl Scene {
///     fn area(&self) -> Remote<u32> {
///         remote!(move || self.width * self.width) // write `remote!([width = self.width] move || width * width)`
///     }
/// }
/// ```
///
/// References, as captures and as results. Give the task an owned value:
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// let name = "Ferris";
/// let task = remote!(move || name.len()); // write `remote!([name = name.to_owned()] move || name.len())`
/// ```
///
/// Types without serde. Derive `Serialize` and `Deserialize`, or capture what the task needs of the value:
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// struct Point { x: u32 }
/// let point = Point { x: 1 };
/// let task = remote!(move || point.x + 1); // write `remote!([x = point.x] move || x + 1)`
/// ```
///
/// A function as an argument by its bare name, which looks like a variable:
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// fn double(x: u32) -> u32 { x * 2 }
/// let list = vec![1, 2];
/// let task = remote!(move || list.into_iter().map(double).sum::<u32>()); // write `self::double` or `|x| double(x)`
/// ```
///
/// A closure that is called in the task, but made outside. A closure is no value that could be encoded: make it inside, or
/// write a function.
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// let offset = 1;
/// let add = |x: u32| x + offset;
/// let task = remote!(move || add(2)); // write `remote!(move || { let add = |x: u32| x + offset; add(2) })`
/// ```
///
/// # Names
///
/// A task is named after the line of its `remote!`, in errors and wherever tasks are listed.
#[macro_export]
macro_rules! remote {
    ($($task:tt)*) => {
        $crate::__private::remote!($crate, $($task)*)
    };
}
