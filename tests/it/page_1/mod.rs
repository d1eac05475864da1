//! Tests on a page of their own: what they do to it concerns every worker there, or takes all of its memory.

mod departure;
mod room;
