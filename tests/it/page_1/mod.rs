//! Tests on a page of their own: what they do to it concerns every worker there.

mod departure;
