//! Procedural macros of the crate `wasm-mt`; use them through it.
//!
//! Each door here is called by a `macro_rules` macro of that crate, which passes its `$crate` as the first token. So the
//! output names the crate whatever it is called where it is used, and names nothing of it but `$crate::__private`.
//!
//! The way of the tokens: `grammar` says what was written, `capture` finds the variables that the task takes with it,
//! `expand` writes the call.

mod capture;
mod expand;
mod grammar;

use proc_macro::TokenStream;

/// The macro behind `wasm_mt::remote!`, which has the documentation.
#[proc_macro]
pub fn remote(input: TokenStream) -> TokenStream {
    let task = syn::parse_macro_input!(input as grammar::Invocation);
    expand::task(&task).unwrap_or_else(in_a_block).into()
}

/// The errors as one expression.
fn in_a_block(errors: syn::Error) -> proc_macro2::TokenStream {
    let errors = errors.into_compile_error();
    quote::quote!({ #errors })
}
