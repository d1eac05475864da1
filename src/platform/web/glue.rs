//! Finds the JavaScript that wasm-bindgen generated for this program: a worker loads the same.

use std::cell::RefCell;

use super::message;
use crate::error::Error;

thread_local! {
    static URL: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// In a worker: the page knows it already.
pub(super) fn set_url(url: String) {
    URL.set(Some(url));
}

/// The glue's URL: the place where an error is made, since only the glue can make one for us.
pub(super) fn url() -> Result<String, Error> {
    if let Some(url) = URL.with_borrow(Clone::clone) {
        return Ok(url);
    }
    let stack = message::get(&js_sys::Error::new(""), "stack").as_string().unwrap_or_default();
    let url = first_url(&stack).ok_or_else(|| {
        Error::startup(
            "the program's JavaScript could not be found from a stack trace; \
             give its URL to the builder with `glue_url`",
        )
    })?;
    URL.set(Some(url.to_owned()));
    Ok(url.to_owned())
}

/// The first script of a stack trace. Frames are `at name (URL:line:column)` or `name@URL:line:column`; those of the
/// module itself name a `.wasm` file.
fn first_url(stack: &str) -> Option<&str> {
    stack.lines().find_map(|line| {
        let scheme_end = line.find("://")?;
        let start = line[..scheme_end].rfind([' ', '(', '@']).map_or(0, |at| at + 1);
        let url = line[start..].trim_end().trim_end_matches(')');
        if url.contains(":wasm-function[") {
            return None;
        }
        let url = strip_number(strip_number(url));
        (!url.ends_with(".wasm")).then_some(url)
    })
}

/// Cuts `:123` off the end.
fn strip_number(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((front, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => front,
        _ => text,
    }
}
