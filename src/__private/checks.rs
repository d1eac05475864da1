//! The checks of the types that a task takes and gives.
//!
//! A task takes and gives owned serde values. The bounds of [`Remote::new`](crate::Remote::new) say so, in the words of serde
//! and at the macro; here each type is looked at by itself, at the place of the capture, and what is wrong with it is said with its
//! cure. It costs nothing at run time. Three tricks make it work on stable Rust:
//!
//! **Levels.** A method call tries receivers from `&&&&Probe<T>` down to `&Probe<T>` and takes the first that has the
//! method, `__wasm_mt_check`. Its traits are implemented one per level: [`AcceptOwned`] for serde values first, [`RefuseOther`]
//! for everything last. Each level but the first asks for a trait that nothing implements, so that its `on_unimplemented` text
//! is the error. The method is called on a draft, and gives it back. Its name is one that no trait in the scope of a user has:
//! two methods of one name on one level would be ambiguous.
//!
//! **Poison.** What such a level returns is an associated type of the missing trait. The compiler knows no such type
//! and says nothing more about what depends on it, so each fault is reported once.
//!
//! **Late choice.** A type may still be open when a check is looked at: that of a task that only panics, say. An open type
//! passes the first level. The first level cannot refuse `&str` either, which serde can decode into, for some lifetimes.
//! So this level also asks for `T: Ownership<M>` and `TaskBounds: TakesOwned<T, M>`, with `M` the type of an integer literal.
//! `Ownership<u8>` holds for all types, `Ownership<i32>` for references. For an owned type `M` can only be `u8`; for a reference
//! both fit, and at the very end, when all types are known, the literal falls back to `i32`, for which `TakesOwned` is missing.

use std::future::Future;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Stands for a type that is to be checked.
#[must_use]
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    pub fn of(_: &T) -> Self {
        Self::new()
    }
}

/// True with `u8` for every type, and also with `i32` for borrowed ones.
pub trait Ownership<M> {}
impl<T> Ownership<u8> for T {}
impl<T: ?Sized> Ownership<i32> for &T {}
impl<T: ?Sized> Ownership<i32> for &mut T {}
impl<T: ?Sized> Ownership<i32> for Option<&T> {}
impl<T: ?Sized> Ownership<i32> for Vec<&T> {}
impl<T: ?Sized, E> Ownership<i32> for Result<&T, E> {}

/// What the missing traits are missing for: for one of a type parameter the compiler would propose to add it as a bound.
pub struct TaskBounds;

#[diagnostic::on_unimplemented(
    message = "a task takes and gives owned values, and `{T}` is borrowed",
    label = "borrowed: an owned value is needed here",
    note = "a task runs in another memory, where the borrowed value does not exist",
    note = "capture an owned value, as in `remote!([name = name.to_owned()] move || ..)`; return one, as in \
            `name.to_owned()`"
)]
pub trait TakesOwned<T, M> {
    type Checked;
}

#[diagnostic::do_not_recommend]
impl<T> TakesOwned<T, u8> for TaskBounds {
    type Checked = ();
}

// With one implementation only, the compiler would choose it at once.
#[diagnostic::do_not_recommend]
impl<T> TakesOwned<T, u16> for TaskBounds {
    type Checked = ();
}

#[diagnostic::on_unimplemented(
    message = "a task cannot capture the function `{T}`",
    label = "taken for a variable that the task captures",
    note = "a bare name in lower case stands for a variable: write `|x| double(x)` or `self::double` instead of `double`"
)]
pub trait TakesFunction<T> {
    type Checked;
}

#[diagnostic::on_unimplemented(
    message = "a task cannot take or give the future `{T}`",
    label = "a future stays on its thread",
    note = "await it in the task: write `remote!(async move || ..)` or `remote!(async move {{ .. }})`"
)]
pub trait TakesFuture<T> {
    type Checked;
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
    type Checked;
}

// The levels.

pub trait AcceptOwned<T>: Sized {
    #[inline]
    fn __wasm_mt_check<D, M>(self, draft: D, _: M) -> D
    where
        T: Ownership<M>,
        TaskBounds: TakesOwned<T, M>,
    {
        draft
    }
}
impl<T: Serialize + DeserializeOwned> AcceptOwned<T> for &&&&Probe<T> {}

pub trait RefuseBorrowed<T>: Sized {
    fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <TaskBounds as TakesOwned<T, i32>>::Checked
    where
        TaskBounds: TakesOwned<T, i32>,
    {
        unreachable!("nothing implements `TakesOwned<T, i32>`")
    }
}
impl<'a, T: ?Sized> RefuseBorrowed<&'a T> for &&&Probe<&'a T> {}
impl<'a, T: ?Sized> RefuseBorrowed<&'a mut T> for &&&Probe<&'a mut T> {}

pub trait RefuseFunction<T, Signature>: Sized {
    fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <TaskBounds as TakesFunction<T>>::Checked
    where
        TaskBounds: TakesFunction<T>,
    {
        unreachable!("nothing implements `TakesFunction<T>`")
    }
}
macro_rules! function {
    ($($parameter:ident)*) => {
        impl<F: FnOnce($($parameter),*) -> R, R, $($parameter),*> RefuseFunction<F, fn($($parameter),*) -> R> for &&Probe<F> {}
    };
}
function!();
function!(A);
function!(A B);
function!(A B C);
function!(A B C D);
function!(A B C D E);

pub trait RefuseFuture<T>: Sized {
    fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <TaskBounds as TakesFuture<T>>::Checked
    where
        TaskBounds: TakesFuture<T>,
    {
        unreachable!("nothing implements `TakesFuture<T>`")
    }
}
impl<F: Future> RefuseFuture<F> for &&Probe<F> {}

pub trait RefuseOther<T>: Sized {
    fn __wasm_mt_check<D, M>(self, _: D, _: M) -> <TaskBounds as TakesOther<T>>::Checked
    where
        TaskBounds: TakesOther<T>,
    {
        unreachable!("nothing implements `TakesOther<T>`")
    }
}
impl<T> RefuseOther<T> for &Probe<T> {}
