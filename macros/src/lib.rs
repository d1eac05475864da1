//! Procedural macros of the crate `wasm-mt`; use them through it.
//!
//! The entry points `remote`, `actor` and `call` are called by a `macro_rules` macro of that crate, which passes its `$crate` as the first token. So the
//! output names the crate whatever it is called where it is used, and names nothing of it but `$crate::__private`. An
//! attribute has no such macro before it: `remote_trait` goes by the name `::wasm_mt`, or the path it is given.
//!
//! The path of the tokens: `groups` makes invisible groups visible, `grammar` says what was written, `capture` finds the variables that the task takes with it,
//! `expand` writes the call. `objects` is what an attributed trait takes.

mod capture;
mod expand;
mod grammar;
mod groups;
mod objects;

use proc_macro::TokenStream;

use syn::parse::{ParseStream, Parser as _};

use crate::grammar::{Invocation, MacroName};

/// The macro behind `wasm_mt::remote!`, which has the documentation.
#[proc_macro]
pub fn remote(input: TokenStream) -> TokenStream {
    task(MacroName::Remote, input)
}

/// The macro behind `wasm_mt::actor!`, which has the documentation.
#[proc_macro]
pub fn actor(input: TokenStream) -> TokenStream {
    task(MacroName::Actor, input)
}

/// The macro behind `wasm_mt::call!`, which has the documentation.
#[proc_macro]
pub fn call(input: TokenStream) -> TokenStream {
    task(MacroName::Call, input)
}

fn task(called: MacroName, input: TokenStream) -> TokenStream {
    let parser = |input: ParseStream<'_>| Invocation::parse(called, input);
    let invocation = parser.parse2(groups::visible(input.into()));
    let task = invocation.and_then(|invocation| expand::task(called, &invocation));
    task.unwrap_or_else(in_a_block).into()
}

/// The errors as one expression.
fn in_a_block(errors: syn::Error) -> proc_macro2::TokenStream {
    let errors = errors.into_compile_error();
    quote::quote!({ #errors })
}

#[expect(
    missing_docs,
    reason = "rustdoc would append them to those of `wasm_mt::remote_trait`, which is this"
)]
#[proc_macro_attribute]
pub fn remote_trait(options: TokenStream, item: TokenStream) -> TokenStream {
    let written = groups::visible(item.into());
    let objects = syn::parse(options)
        .and_then(|options| objects::remote_trait(&options, syn::parse2(written.clone())?));
    objects.unwrap_or_else(|error| before(&written, &error)).into()
}

/// The errors, and what was written: it may be used elsewhere, which is no further error.
fn before(written: &proc_macro2::TokenStream, errors: &syn::Error) -> proc_macro2::TokenStream {
    let errors = errors.to_compile_error();
    quote::quote!(#errors #written)
}
