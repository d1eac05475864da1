//! The macros `remote!` and `#[remote_trait]`: what users call, and its documentation.

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
/// The type of an open argument is known where the closure goes at once to what calls it, `pool.par_map(words, remote!(|word|
/// word.len()))`; state it where a `let` comes between.
///
/// In `move |x| { statements; async move { value } }` the statements end before the first await, as everywhere in Rust, and the
/// block owns what it uses: let a statement clone the captures that it needs.
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
/// - what the task changes, it changes in its own copy. A capture can be changed in the task without being `mut` outside;
/// - what is shared here is not shared with the task: an `Rc` or `Arc`, which serde's feature `rc` makes a serde value, arrives as
///   a copy. Where that could be seen, in an `Arc<Mutex<_>>` and its like, the capture does not compile. See
///   [below](#what-does-not-compile);
/// - a closure with an open argument is for many calls, as an [`Fn`]: it may read its captures, and neither change them nor
///   move out of them. That of an async one may be borrowed across an await. See [`RemoteFn`](crate::RemoteFn#calls).
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
/// Each of these is an error at the place of the fault, and the error names the cure.
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
/// State that would be shared: an `Rc`, an `Arc` or a `Weak` of a `Cell`, `RefCell`, `Mutex`, `RwLock` or an atomic, alone or in an
/// `Option`, a `Box`, a `Vec` or an array. Let the task give back what it has changed, or capture the value in it. This is a check of
/// captures only. It does not see what is inside of other types or is of other crates, nor open arguments, results, and
/// what [`Remote::new`](crate::Remote::new) takes: there the task has a copy, without an error.
///
/// ```compile_fail
/// # use std::sync::{Arc, Mutex};
/// # use wasm_mt::remote;
/// let count = Arc::new(Mutex::new(1));
/// let task = remote!(move || *count.lock().unwrap() += 1); // write `remote!([count = *count.lock().unwrap()] move || count + 1)`
/// ```
///
/// Arrays of more than 32 elements, which serde does not know. The crates `serde_big_array` and `serde_with` do; or send a `Vec`:
///
/// ```compile_fail
/// # use wasm_mt::remote;
/// let block = [0u8; 64];
/// let task = remote!(move || block[0]); // write `remote!([block = block.to_vec()] move || block[0])`
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
/// A capture that is moved or changed in a closure with an open argument, since the next call needs it too. Clone it in the
/// body, or capture a `Cell` or `RefCell`:
///
/// ```compile_fail,E0507
/// # use wasm_mt::{RemoteFn, remote};
/// let prefix = String::from("item ");
/// let name: RemoteFn<u32, String> = remote!(move |n| prefix + &n.to_string()); // write `prefix.clone() + ..`
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

/// Says how the object of an [`Actor`](crate::Actor) is made: by a closure or an async block that runs on its worker.
///
/// The result is an [`ActorInit<T>`](crate::ActorInit), to be given to [`Pool::spawn_actor`](crate::Pool::spawn_actor) or
/// [`Thread::spawn_actor`](crate::Thread::spawn_actor). Captures are those of [`remote!`](crate::remote); the code gives a
/// `Result<T, Error>`, and `T` need be neither serde nor `Send`.
///
/// ```
/// use wasm_mt::{Error, Thread, actor, call};
///
/// # wasm_mt::run(async {
/// let (thread, first) = (Thread::new(), 20);
/// let list = thread.spawn_actor(actor!(move || Ok(vec![first])));
/// let later = thread.spawn_actor(actor!(async move {
///     wasm_mt::yield_now().await;
///     Ok(vec![first + 2])
/// }));
/// let sum = list.call(call!(|list| list[0])).await? + later.call(call!(|list| list[0])).await?;
/// assert_eq!(sum, 42);
/// # Ok::<_, Error>(())
/// # });
/// ```
///
/// # What does not compile
///
/// A parameter, beside what `remote!` refuses too:
///
/// ```compile_fail
/// # use wasm_mt::{ActorInit, actor};
/// let list: ActorInit<Vec<u32>> = actor!(|n| Ok(vec![n])); // write `actor!(move || Ok(vec![n]))`
/// ```
#[macro_export]
macro_rules! actor {
    ($($init:tt)*) => {
        $crate::__private::actor!($crate, $($init)*)
    };
}

/// Says what to do with the object of an [`Actor`](crate::Actor): a closure that is given `&mut T` on the object's worker.
///
/// The result is an [`ActorCall<T, R>`](crate::ActorCall), to be given to [`Actor::call`](crate::Actor::call). Captures and the
/// result are those of [`remote!`](crate::remote). Where the call goes to an actor at once, the type of the object is known;
/// state it where a `let` comes between, `call!(|list: &mut Vec<u32>| list.len())`.
///
/// | written | runs |
/// | --- | --- |
/// | <code>call!(move \|object\| value)</code> | to its end |
/// | <code>call!(async move \|object\| value)</code>, <code>call!(move \|object\| async move { value })</code> | until it awaits; no other call has the object meanwhile |
/// | <code>call!([a, b = value] move \|object\| object.add(a, b))</code> | any of these, with its captures listed |
///
/// ```
/// use wasm_mt::{Error, Thread, actor, call};
///
/// # wasm_mt::run(async {
/// let list = Thread::new().spawn_actor(actor!(|| Ok(Vec::new())));
/// let word = "sea".to_owned();
/// list.call(call!(move |list| list.push(word))).await?;
/// let first = list.call(call!(async |list| {
///     wasm_mt::yield_now().await;
///     list[0].clone()
/// }));
/// assert_eq!(first.await?, "sea");
/// # Ok::<_, Error>(())
/// # });
/// ```
///
/// # What does not compile
///
/// What borrows the object cannot leave it. Give an owned value back:
///
/// ```compile_fail
/// # use wasm_mt::{ActorCall, call};
/// let first: ActorCall<Vec<String>, &str> = call!(|list| &list[0]); // write `list[0].clone()`
/// ```
#[macro_export]
macro_rules! call {
    ($($call:tt)*) => {
        $crate::__private::call!($crate, $($call)*)
    };
}

/// Makes the objects of a trait cross: `Box<dyn Trait>` in captures, arguments and results, also inside other values.
///
/// The value in the box is encoded as what it is, and beside the bytes travels the address of a function that decodes
/// this type and puts it into a box again. Nothing is registered. Programs that used the crate `serde_traitobject` for
/// their tasks have the same with it.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use wasm_mt::{Thread, remote, remote_trait};
///
/// #[remote_trait]
/// trait Shape {
///     fn area(&self) -> f64;
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Square(f64);
///
/// impl Shape for Square {
///     fn area(&self) -> f64 {
///         self.0 * self.0
///     }
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Group {
///     members: Vec<Box<dyn Shape>>,
/// }
///
/// impl Shape for Group {
///     fn area(&self) -> f64 {
///         self.members.iter().map(|member| member.area()).sum()
///     }
/// }
///
/// # wasm_mt::run(async {
/// let shape: Box<dyn Shape> = Box::new(Group { members: vec![Box::new(Square(1.0)), Box::new(Square(2.0))] });
/// let area = Thread::new().spawn_remote(remote!(move || shape.area())).await?;
/// assert_eq!(area, 5.0);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
///
/// The macro implements serde's `Serialize` for `dyn Trait` and `Deserialize` for `Box<dyn Trait>`, so that types which
/// contain such boxes can derive both. The trait may have type and constant parameters (types are then `'static`), bounds,
/// supertraits and any visibility, and its implementors may be generic.
///
/// # What does not compile
///
/// What implements the trait must be `Serialize + DeserializeOwned + 'static`, whether it is ever sent or not:
///
/// ```compile_fail
/// # use wasm_mt::remote_trait;
/// # #[remote_trait]
/// # trait Shape { fn area(&self) -> f64; }
/// struct Square(f64); // write `#[derive(Serialize, Deserialize)]`
///
/// impl Shape for Square {
///     fn area(&self) -> f64 { self.0 * self.0 }
/// }
/// ```
///
/// The trait must have objects: no lifetime parameters, no associated types (a parameter does instead), nothing that makes
/// it unfit for `dyn` in Rust.
///
/// Only `Box<dyn Trait>` is encodable, and `Box<dyn Trait + Send>` is not. Where the object must be `Send`, let the trait say
/// so, `trait Shape: Send`: then `Box<dyn Shape>` is `Send`.
///
/// ```compile_fail
/// # use wasm_mt::{remote, remote_trait};
/// # #[remote_trait]
/// # trait Shape { fn area(&self) -> f64; }
/// fn measure(shape: Box<dyn Shape + Send>) {
///     let task = remote!(move || shape.area()); // write `trait Shape: Send` and `Box<dyn Shape>`
/// }
/// ```
///
/// # Errors
///
/// The value in the box is held to the same rules as any other in a task; what breaks them
/// [`is_codec`](crate::Error::is_codec). So is an object that is read as one of another trait, by a `Deserialize` that does not
/// agree with its `Serialize`. An object counts as one level of nesting.
///
/// Objects are serializable only by this crate. Other serializers and deserializers, such as `serde_json`, get an error
/// with a text that says so; give them the concrete type.
///
/// # The path of the crate
///
/// The output names the crate `::wasm_mt`. Where it has another name, or is only there through another crate, give its path:
/// `#[remote_trait(crate = other::wasm_mt)]`.
pub use wasm_mt_macros::remote_trait;
