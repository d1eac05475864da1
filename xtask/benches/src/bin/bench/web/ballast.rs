//! Makes the program as heavy as a real one, about 1 MiB: a thousand functions, no two alike, that nobody calls.
//!
//! They are code, and all of them are in the function table, so a browser compiles and links them like any other; data would
//! only be copied. Both sides of every comparison start the same module.

use std::hint::black_box;

macro_rules! rows {
    ($($row:literal)*) => { [$(row!($row)),*] };
}

macro_rules! row {
    ($row:literal) => {
        [
            function::<{ $row * 16 + 0 }>,
            function::<{ $row * 16 + 1 }>,
            function::<{ $row * 16 + 2 }>,
            function::<{ $row * 16 + 3 }>,
            function::<{ $row * 16 + 4 }>,
            function::<{ $row * 16 + 5 }>,
            function::<{ $row * 16 + 6 }>,
            function::<{ $row * 16 + 7 }>,
            function::<{ $row * 16 + 8 }>,
            function::<{ $row * 16 + 9 }>,
            function::<{ $row * 16 + 10 }>,
            function::<{ $row * 16 + 11 }>,
            function::<{ $row * 16 + 12 }>,
            function::<{ $row * 16 + 13 }>,
            function::<{ $row * 16 + 14 }>,
            function::<{ $row * 16 + 15 }>,
        ]
    };
}

/// Keeps all functions in the module.
pub(super) fn load() {
    black_box(&FUNCTIONS);
}

type Function = fn(u32) -> u32;

static FUNCTIONS: [[Function; 16]; 64] = rows! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
    35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
};

/// About a thousand bytes of code.
fn function<const N: u32>(mut x: u32) -> u32 {
    macro_rules! steps {
        ($($step:literal)*) => {$(
            x = (x ^ (N << 16 | $step)).wrapping_mul(0x9e37_79b9).rotate_left(N % 31 + 1);
        )*};
    }
    steps! {
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
        34 35 36 37 38 39 40 41 42 43 44 45 46 47
    }
    x
}
