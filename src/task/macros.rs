//! The door of the macro `remote!`.

/// Makes a task, a [`Remote`](crate::Remote) or [`RemoteFn`](crate::RemoteFn), of a closure or async block and the variables it uses.
#[macro_export]
macro_rules! remote {
    ($($task:tt)*) => {
        $crate::__private::remote!($crate, $($task)*)
    };
}
