//! What the output of [`remote!`](crate::remote) and the other macros names. No part of the public interface.
//!
//! A task takes and gives owned serde values. The bounds of [`Remote::new`] say so, in the words of serde and at the
//! macro; here each type is looked at by itself, at the place of the capture, and what is wrong with it is said with its
//! cure. It costs nothing at run time. Three tricks make it work on stable Rust:
//!
//! **Levels.** A method call tries receivers from `&&&&Probe<T>` down to `&Probe<T>` and takes the first that has the
//! method. The traits in [`checks`] are implemented one per level: serde values first, everything else last. Each level
//! but the first asks for a trait that nothing implements, so that its `on_unimplemented` text is the error.
//!
//! **Poison.** What such a level returns is an associated type of the missing trait. The compiler knows no such type
//! and says nothing more about what depends on it, so each fault is told once.
//!
//! **Late choice.** A type may still be open when a check is looked at: that of a task that only panics, say. An open type
//! passes the first level. The first level cannot refuse `&str` either, which serde can decode into, for some lifetimes.
//! So this level also asks for `T: Kind<M>` and `Task: TakesOwned<T, M>` with `M` the type of an integer literal. `Kind<u8>` holds for
//! all types, `Kind<i32>` for references. For an owned type `M` can only be `u8`; for a reference both fit, and at the very
//! end, when all types are known, the literal falls back to `i32`, for which `TakesOwned` is missing.

use std::future::Future;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Remote, RemoteFn};

pub use crate::run::print;
pub use std::{cfg, format_args};
pub use wasm_mt_macros::remote;

/// A task before its types were checked.
pub struct Draft<A, F, X, R> {
    pub captured: A,
    call: F,
    signature: PhantomData<fn(X) -> R>,
}

impl<A, F, X, R> Draft<A, F, X, R> {
    fn new(captured: A, call: F) -> Self {
        Self { captured, call, signature: PhantomData }
    }

    pub fn argument(&self) -> Probe<X> {
        Probe(PhantomData)
    }

    pub fn result(&self) -> Probe<R> {
        Probe(PhantomData)
    }
}

/// The draft of a [`Remote`]; `F` is what the function returns, the result `R` or a future of it.
type RemoteDraft<A, F, R> = Draft<A, fn(A) -> F, (), R>;
/// The draft of a [`RemoteFn`].
type RemoteFnDraft<A, X, F, R> = Draft<A, fn(A, X) -> F, X, R>;

#[inline]
pub fn remote<A, R>(
    captured: A,
    call: fn(A) -> R,
    finish: impl FnOnce(RemoteDraft<A, R, R>) -> Remote<R>,
) -> Remote<R> {
    finish(Draft::new(captured, call))
}

#[inline]
pub fn remote_async<A, F, R>(
    captured: A,
    call: fn(A) -> F,
    finish: impl FnOnce(RemoteDraft<A, F, R>) -> Remote<R>,
) -> Remote<R>
where
    F: Future<Output = R>,
{
    finish(Draft::new(captured, call))
}

#[inline]
pub fn remote_fn<A, X, R>(
    captured: A,
    call: fn(A, X) -> R,
    finish: impl FnOnce(RemoteFnDraft<A, X, R, R>) -> RemoteFn<X, R>,
) -> RemoteFn<X, R> {
    finish(Draft::new(captured, call))
}

#[inline]
pub fn remote_fn_async<A, X, F, R>(
    captured: A,
    call: fn(A, X) -> F,
    finish: impl FnOnce(RemoteFnDraft<A, X, F, R>) -> RemoteFn<X, R>,
) -> RemoteFn<X, R>
where
    F: Future<Output = R>,
{
    finish(Draft::new(captured, call))
}

impl<A, R> RemoteDraft<A, R, R>
where
    A: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote(self) -> Remote<R> {
        Remote::new(self.captured, self.call)
    }
}

impl<A, F, R> RemoteDraft<A, F, R>
where
    A: Serialize + DeserializeOwned + 'static,
    F: Future<Output = R> + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote_async(self) -> Remote<R> {
        Remote::new_async(self.captured, self.call)
    }
}

impl<A, X, R> RemoteFnDraft<A, X, R, R>
where
    A: Serialize + DeserializeOwned + 'static,
    X: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote_fn(self) -> RemoteFn<X, R> {
        RemoteFn::new(self.captured, self.call)
    }
}

impl<A, X, F, R> RemoteFnDraft<A, X, F, R>
where
    A: Serialize + DeserializeOwned + 'static,
    X: Serialize + DeserializeOwned + 'static,
    F: Future<Output = R> + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    #[inline]
    #[track_caller]
    pub fn into_remote_fn_async(self) -> RemoteFn<X, R> {
        RemoteFn::new_async(self.captured, self.call)
    }
}

/// Calls an async closure: the one way to state the type of a future's result that `?` and `return` in it obey.
#[inline]
pub fn call_async<R>(closure: impl AsyncFnOnce() -> R) -> impl Future<Output = R> {
    closure()
}

/// Stands for a type that is to be checked.
#[must_use]
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// True with `u8` for every type, and also with `i32` for borrowed ones.
pub trait Kind<M> {}
impl<T> Kind<u8> for T {}
impl<T: ?Sized> Kind<i32> for &T {}
impl<T: ?Sized> Kind<i32> for &mut T {}
impl<T: ?Sized> Kind<i32> for Option<&T> {}
impl<T: ?Sized> Kind<i32> for Vec<&T> {}
impl<T: ?Sized, E> Kind<i32> for Result<&T, E> {}

/// Who takes the values. The missing traits are its own, because for a missing trait of a type parameter the compiler
/// would propose to add it as a bound.
pub struct Task;

#[diagnostic::on_unimplemented(
    message = "a task takes and gives owned values, and `{T}` is borrowed",
    label = "borrowed: an owned value is needed here",
    note = "a task runs in another memory, where the borrowed value does not exist",
    note = "capture an owned value, as in `remote!([name = name.to_owned()] move || ..)`; return one, as in \
            `name.to_owned()`"
)]
pub trait TakesOwned<T, M> {
    type Draft;
}

#[diagnostic::do_not_recommend]
impl<T> TakesOwned<T, u8> for Task {
    type Draft = ();
}

// With one implementation only, the compiler would choose it at once.
#[diagnostic::do_not_recommend]
impl<T> TakesOwned<T, u16> for Task {
    type Draft = ();
}

#[diagnostic::on_unimplemented(
    message = "a task cannot capture the function `{T}`",
    label = "taken for a variable that the task captures",
    note = "a bare name in lower case stands for a variable: write `|x| double(x)` or `self::double` instead of `double`"
)]
pub trait TakesFunction<T> {
    type Draft;
}

#[diagnostic::on_unimplemented(
    message = "a task cannot take or give the future `{T}`",
    label = "a future stays on its thread",
    note = "await it in the task: write `remote!(async move || ..)` or `remote!(async move {{ .. }})`"
)]
pub trait TakesFuture<T> {
    type Draft;
}

#[diagnostic::on_unimplemented(
    message = "a task takes and gives serde values, and `{T}` is none",
    label = "cannot be encoded",
    note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`; a type of another crate may have a \
            feature `serde`; a type parameter needs `T: Serialize + DeserializeOwned + 'static`",
    note = "a `Box<dyn Trait>` needs `#[remote_trait]` on the trait, and a `Box<dyn Trait + Send>` also `trait Trait: Send` \
            instead of its `+ Send`",
    note = "or capture only the values that the task needs of it"
)]
pub trait TakesOther<T> {
    type Draft;
}

/// The levels. Each is called on a draft, and gives it back or is a compile error. Its
/// name is one that no trait in the scope of a user has: two methods of one name on one level would be ambiguous.
pub mod checks {
    use super::*;

    pub trait Fine<T>: Sized {
        #[inline]
        fn __wasm_mt_check<D, M>(self, draft: D, _: M) -> D
        where
            T: Kind<M>,
            Task: TakesOwned<T, M>,
        {
            draft
        }
    }
    impl<T: Serialize + DeserializeOwned> Fine<T> for &&&&Probe<T> {}

    pub trait Borrowed<T>: Sized {
        fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <Task as TakesOwned<T, i32>>::Draft
        where
            Task: TakesOwned<T, i32>,
        {
            unreachable!("nothing implements `TakesOwned<T, i32>`")
        }
    }
    impl<'a, T: ?Sized> Borrowed<&'a T> for &&&Probe<&'a T> {}
    impl<'a, T: ?Sized> Borrowed<&'a mut T> for &&&Probe<&'a mut T> {}

    pub trait Function<T, Signature>: Sized {
        fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <Task as TakesFunction<T>>::Draft
        where
            Task: TakesFunction<T>,
        {
            unreachable!("nothing implements `TakesFunction<T>`")
        }
    }
    macro_rules! function {
        ($($parameter:ident)*) => {
            impl<F: FnOnce($($parameter),*) -> R, R, $($parameter),*> Function<F, fn($($parameter),*) -> R> for &&Probe<F> {}
        };
    }
    function!();
    function!(A);
    function!(A B);
    function!(A B C);
    function!(A B C D);
    function!(A B C D E);

    pub trait Unawaited<T>: Sized {
        fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <Task as TakesFuture<T>>::Draft
        where
            Task: TakesFuture<T>,
        {
            unreachable!("nothing implements `TakesFuture<T>`")
        }
    }
    impl<F: Future> Unawaited<F> for &&Probe<F> {}

    pub trait Unencodable<T>: Sized {
        fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <Task as TakesOther<T>>::Draft
        where
            Task: TakesOther<T>,
        {
            unreachable!("nothing implements `TakesOther<T>`")
        }
    }
    impl<T> Unencodable<T> for &Probe<T> {}
}

/// What the output of [`remote_trait`](crate::remote_trait) names.
///
/// Whoever serializes a `dyn Shape` does not know the type in it, so the trait has a supertrait whose method does.
/// `#[remote_trait] trait Shape { .. }` becomes, in short,
///
/// ```text
/// trait Shape: Object<__ShapeObject> { .. }
/// struct __ShapeObject;
/// impl Marker for __ShapeObject { type Object = dyn Shape; }
/// impl<C: Shape> Holds<C> for __ShapeObject { fn hold(value: Box<C>) -> Box<dyn Shape> { value } }
/// impl Serialize for dyn Shape { .. object::serialize::<__ShapeObject, _, _>(self, serializer) .. }
/// impl<'de> Deserialize<'de> for Box<dyn Shape> { .. object::deserialize::<__ShapeObject, _>(deserializer) .. }
/// ```
///
/// `Object` is there for every serde value and for nothing else, so only a serde value can be a `Shape`. It would be
/// `Object<dyn Shape>`, but a trait whose supertrait names the trait's own object is a cycle to the compiler: hence the marker.
pub mod object {
    use super::*;

    pub use std::boxed::Box;
    pub use std::marker::PhantomData;
    pub use std::result::Result;

    pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::task::object::{self, ObjectWriter};
    pub use crate::task::object::{Holds, Marker, deserialize};

    #[diagnostic::on_unimplemented(
        message = "what implements a `#[remote_trait]` crosses as a serde value, and `{Self}` is none",
        label = "cannot be encoded",
        note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`; a type of another crate may have a \
                feature `serde`; a type parameter needs `T: Serialize + DeserializeOwned + 'static`"
    )]
    pub trait Object<M>: 'static {
        /// Nobody else can name the writer, so nobody else can implement this.
        #[doc(hidden)]
        fn __wasm_mt_write(&self, writer: ObjectWriter<'_>);
    }

    #[diagnostic::do_not_recommend]
    impl<C, M> Object<M> for C
    where
        C: Serialize + DeserializeOwned + 'static,
        M: Holds<C>,
    {
        fn __wasm_mt_write(&self, writer: ObjectWriter<'_>) {
            writer.write::<C, M>(self);
        }
    }

    pub fn serialize<M, O, S>(value: &O, serializer: S) -> Result<S::Ok, S::Error>
    where
        M: Marker,
        O: Object<M> + ?Sized,
        S: Serializer,
    {
        object::serialize::<M, S>(serializer, |writer| value.__wasm_mt_write(writer))
    }
}
