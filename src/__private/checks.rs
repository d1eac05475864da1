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
//! A capture that would share state with others, `Arc<Mutex<_>>`, is found in the same way, by a second literal and [`Sharing`]:
//! serde's feature `rc` makes a serde value of it, which would cross as a copy.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::marker::PhantomData;
use std::rc::{self, Rc};
use std::sync::{self, Arc, Mutex, RwLock, atomic};

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

/// What can be changed through a shared reference.
pub trait Changeable {}
/// What changes in one place and is seen in others.
pub trait SharesState {}
/// True with `u8` for every type, and also with `i32` for one that shares state.
pub trait Sharing<S> {}
impl<T> Sharing<u8> for T {}
impl<T: SharesState> Sharing<i32> for T {}

macro_rules! hold_for {
    ($mark:ident: $([$($parameters:tt)*] $type:ty,)*) => {
        $(impl<$($parameters)*> $mark for $type {})*
    };
}
hold_for! {
    Changeable:
    [T: ?Sized] Cell<T>,
    [T: ?Sized] RefCell<T>,
    [T: ?Sized] Mutex<T>,
    [T: ?Sized] RwLock<T>,
    [] atomic::AtomicBool,
    [] atomic::AtomicI8,
    [] atomic::AtomicI16,
    [] atomic::AtomicI32,
    [] atomic::AtomicI64,
    [] atomic::AtomicIsize,
    [] atomic::AtomicU8,
    [] atomic::AtomicU16,
    [] atomic::AtomicU32,
    [] atomic::AtomicU64,
    [] atomic::AtomicUsize,
    [T: Changeable + ?Sized] Box<T>,
    [T: Changeable] Option<T>,
    [T: Changeable] Vec<T>,
    [T: Changeable] [T],
    [T: Changeable, const N: usize] [T; N],
}
hold_for! {
    SharesState:
    [T: Changeable + ?Sized] Rc<T>,
    [T: Changeable + ?Sized] Arc<T>,
    [T: Changeable + ?Sized] rc::Weak<T>,
    [T: Changeable + ?Sized] sync::Weak<T>,
    [T: SharesState] Box<T>,
    [T: SharesState] Option<T>,
    [T: SharesState] Vec<T>,
    [T: SharesState, const N: usize] [T; N],
}

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
    message = "a task cannot share the state in `{T}`",
    label = "the task would have a copy of its own",
    note = "a task runs in another memory: what it changes there is not seen here, nor the other way round",
    note = "let the task give back what it has changed; or capture the value itself, as in `remote!([value = \
            value.lock().unwrap().clone()] move || ..)`"
)]
pub trait TakesShared<T, S> {
    type Checked;
}

#[diagnostic::do_not_recommend]
impl<T> TakesShared<T, u8> for TaskBounds {
    type Checked = ();
}

// As above.
#[diagnostic::do_not_recommend]
impl<T> TakesShared<T, u16> for TaskBounds {
    type Checked = ();
}

#[diagnostic::on_unimplemented(
    message = "serde knows arrays of up to 32 elements, and `{T}` has more",
    label = "cannot be encoded",
    note = "use `serde_big_array::Array`; or in a struct `#[serde(with = \"serde_big_array::BigArray\")]`, or `serde_as` of \
            `serde_with`",
    note = "or send a `Vec` or a `Box` of a slice; of many numbers a `wasm_mt::Transfer` of one"
)]
pub trait TakesArray<T> {
    type Checked;
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
            feature `serde`, and serde itself the feature `rc` for `Rc` and `Arc`; a type parameter needs `T: Serialize + \
            DeserializeOwned + 'static`; an array of more than 32 elements needs `serde_big_array` or `serde_with`",
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
    fn __wasm_mt_check<D, M, S>(self, draft: D, _: M, _: S) -> D
    where
        T: Ownership<M>,
        TaskBounds: TakesOwned<T, M>,
        T: Sharing<S>,
        TaskBounds: TakesShared<T, S>,
    {
        draft
    }
}
impl<T: Serialize + DeserializeOwned> AcceptOwned<T> for &&&&Probe<T> {}

pub trait RefuseBorrowed<T>: Sized {
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesOwned<T, i32>>::Checked
    where
        TaskBounds: TakesOwned<T, i32>,
    {
        unreachable!("nothing implements `TakesOwned<T, i32>`")
    }
}
impl<'a, T: ?Sized> RefuseBorrowed<&'a T> for &&&Probe<&'a T> {}
impl<'a, T: ?Sized> RefuseBorrowed<&'a mut T> for &&&Probe<&'a mut T> {}

pub trait RefuseShared<T>: Sized {
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesShared<T, i32>>::Checked
    where
        TaskBounds: TakesShared<T, i32>,
    {
        unreachable!("nothing implements `TakesShared<T, i32>`")
    }
}
impl<T: SharesState> RefuseShared<T> for &&&Probe<T> {}

pub trait RefuseArray<T>: Sized {
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesArray<T>>::Checked
    where
        TaskBounds: TakesArray<T>,
    {
        unreachable!("nothing implements `TakesArray<T>`")
    }
}
impl<T: Serialize + DeserializeOwned, const N: usize> RefuseArray<[T; N]> for &&Probe<[T; N]> {}

pub trait RefuseFunction<T, Signature>: Sized {
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesFunction<T>>::Checked
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
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesFuture<T>>::Checked
    where
        TaskBounds: TakesFuture<T>,
    {
        unreachable!("nothing implements `TakesFuture<T>`")
    }
}
impl<F: Future> RefuseFuture<F> for &&Probe<F> {}

pub trait RefuseOther<T>: Sized {
    fn __wasm_mt_check<D, M, S>(self, _: D, _: M, _: S) -> <TaskBounds as TakesOther<T>>::Checked
    where
        TaskBounds: TakesOther<T>,
    {
        unreachable!("nothing implements `TakesOther<T>`")
    }
}
impl<T> RefuseOther<T> for &Probe<T> {}
