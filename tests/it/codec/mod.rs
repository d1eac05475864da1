//! What crosses as an argument and as a result, and what is refused with a cure.

mod attributes;
mod bulk;
mod described;
mod ends;
mod faults;
mod property;
mod refusals;
mod shapes;
mod worker;

use worker::{Worker, assert_refused};
