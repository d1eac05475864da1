//! The call that a task becomes.
//!
//! `remote!(move || body)` with the captures `a` and `b` becomes, in short,
//!
//! ```text
//! {
//!     let captured = (a, b);
//!     $crate::__private::remote(captured, |(mut a, mut b)| body, |draft| { /* checks */ draft.into_remote() })
//! }
//! ```
//!
//! and `remote!(move |x| body)`
//!
//! ```text
//! {
//!     let captured = (a, b);
//!     $crate::__private::remote_fn(
//!         captured,
//!         |(mut a, mut b), hint| hint.closure(move |x| body),
//!         |draft| { /* checks */ draft.into_remote_fn() },
//!     )
//! }
//! ```
//!
//! `actor!` becomes what `remote!` becomes, with other names, and `call!(move |object| body)` too, with `|(mut a, mut b), object|
//! body` in the middle. An asynchronous one ends in a boxed future, which may borrow the object.
//!
//! The second argument is a closure that captures nothing, so it is a `fn`. It stands in the argument of a call, and
//! that call is the last expression, because only there the compiler knows the types of its parameters before it looks at
//! the body: those of the captures from the first argument, that of the hint from where the task is used, and by the hint
//! that of the open argument.
//!
//! The third argument looks at each type once the body has settled it, and says what is wrong with it at the place of
//! the capture. How, is told in `wasm_mt::__private::checks`. It shows the first fault of each type only, because a type that
//! failed its check silences everything that depends on it.

use std::mem;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprAsync, ExprBlock, ExprClosure, Result, ReturnType, Stmt, Token};

use crate::capture;
use crate::grammar::{Capture, Code, Invocation, MacroName};

/// The most members of a tuple: what all the traits of the standard library are implemented for.
const TUPLE: usize = 12;

/// Writes the call.
///
/// # Errors
///
/// `self` in the task, and `move` missing where variables go along.
pub(crate) fn task(called: MacroName, invocation: &Invocation) -> Result<TokenStream> {
    let Invocation { root, task } = invocation;
    let found = capture::find(&task.code)?;
    let captures = match &task.captures {
        Some(captures) => captures,
        None => &found.into_iter().map(|name| Capture { name, value: None }).collect(),
    };
    if let (Some(first), false) = (captures.first(), task.code.is_move()) {
        return Err(without_move(&task.code, first));
    }
    let borrows = !captures.is_empty() || task.code.parameter().is_some();
    if let (Some(ExprAsync { capture: None, async_token, .. }), true) = (task.code.returned_block(), borrows)
    {
        return Err(Error::new(
            async_token.span,
            "this async block outlives the closure around it: write `async move`",
        ));
    }

    let here = Span::mixed_site();
    let (values, patterns): (Vec<_>, Vec<_>) = captures.iter().map(value_and_pattern).unzip();
    let values = tuple(&values);
    let pattern = tuple(&patterns);
    let function = function(called, root, &task.code, &pattern);
    let EntryPoint { make, finish } = EntryPoint::of(called, &task.code);
    let checks = checks(called, root, captures, &task.code);
    Ok(quote_spanned! {here=> {
        let captured = #values;
        #root::__private::#make(captured, #function, |draft| { #checks draft.#finish() })
    }})
}

fn without_move(code: &Code, first: &Capture) -> Error {
    let kind = match code {
        Code::Closure(_) => "closure",
        Code::Block(_) => "async block",
    };
    let message =
        format!("this {kind} captures `{}`, which goes to another thread: write `move`", first.name);
    Error::new(code.start(), message)
}

/// Which function of `__private` makes the task, and which method of its draft ends it.
struct EntryPoint {
    make: Ident,
    finish: Ident,
}

impl EntryPoint {
    fn of(called: MacroName, code: &Code) -> Self {
        let name = match (called, code.parameter(), code.is_async()) {
            (MacroName::Remote, None, false) => "remote",
            (MacroName::Remote, None, true) => "remote_async",
            (MacroName::Remote, Some(_), false) => "remote_fn",
            (MacroName::Remote, Some(_), true) => "remote_fn_async",
            (MacroName::Actor, _, false) => "actor_init",
            (MacroName::Actor, _, true) => "actor_init_async",
            (MacroName::Call, _, false) => "actor_call",
            (MacroName::Call, _, true) => "actor_call_async",
        };
        Self {
            make: Ident::new(name, Span::mixed_site()),
            finish: format_ident!("into_{name}", span = Span::mixed_site()),
        }
    }
}

/// A capture is bound `mut`: a task may change its own. The function of an open argument may not, and there the compiler
/// names the reason, an `Fn` closure, instead of proposing to write `mut` where the variable is used.
fn value_and_pattern(Capture { name, value }: &Capture) -> (TokenStream, TokenStream) {
    let value = value.as_ref().map_or_else(|| quote!(#name), |value: &Expr| quote!(#value));
    (value, quote!(mut #name))
}

/// A tuple of `members`; of tuples, if they are too many.
fn tuple(members: &[TokenStream]) -> TokenStream {
    if members.len() <= TUPLE {
        return quote!((#(#members,)*));
    }
    let groups: Vec<_> = members.chunks(chunk(members.len())).map(tuple).collect();
    tuple(&groups)
}

/// How many members of `count` go into each member of the outermost tuple.
fn chunk(count: usize) -> usize {
    let mut chunk = 1;
    while count.div_ceil(chunk) > TUPLE {
        chunk *= TUPLE;
    }
    chunk
}

/// The fields that lead to member `at` of a tuple of `count` members: `.2.7`.
fn member(at: usize, count: usize) -> TokenStream {
    let chunk = chunk(count);
    let outer = syn::Index::from(at / chunk);
    if count <= TUPLE {
        return quote!(.#outer);
    }
    let start = at / chunk * chunk;
    let inner = member(at - start, chunk.min(count - start));
    quote!(.#outer #inner)
}

/// The closure that is to be a `fn`: it takes the captures, and is the task, or makes the function that is to be called.
fn function(called: MacroName, root: &TokenTree, code: &Code, pattern: &TokenStream) -> TokenStream {
    let here = Span::mixed_site();
    // An error in the closure as a whole shows the closure that the user wrote.
    let bar = Token![|](here.located_at(code.start()));
    let pattern = quote_spanned! {here=>
        #[allow(unused_mut, reason = "only the body knows what it changes")] #pattern
    };
    match code {
        _ if called == MacroName::Call => {
            let (object, output, body) = (code.parameter(), sync_output(code), body(root, code));
            if code.is_async() {
                quote_spanned!(here=> #bar #pattern, #object #bar #root::__private::Box::pin(#body))
            } else {
                quote_spanned!(here=> #bar #pattern, #object #bar #output #body)
            }
        }
        Code::Closure(closure) if code.parameter().is_some() => {
            let hinted = hinted(root, code, closure);
            // Not at the end: there, the compiler would take an error in the closure for one of the user's function around it.
            let statements = quote_spanned!(here=> let function = #hinted; function);
            let end = closure.to_token_stream().into_iter().last().map_or(here, |token| token.span());
            let block = quote_spanned!(here.located_at(end)=> { #statements });
            quote_spanned!(here=> #bar #pattern, hint #bar #block)
        }
        _ => {
            let (output, body) = (sync_output(code), body(root, code));
            quote_spanned!(here=> #bar #pattern #bar #output #body)
        }
    }
}

/// The call that tells the closure its types.
///
/// `move |x| async move { b }` becomes `async move |x| { b }`, since its future could borrow nothing from the closure. With
/// statements before the async block it stays as it is: what they bind and the block does not use is dropped at once.
fn hinted(root: &TokenTree, code: &Code, closure: &ExprClosure) -> TokenStream {
    let here = Span::mixed_site();
    if !code.is_async() {
        return quote_spanned!(here=> hint.closure(#closure));
    }
    let mut closure = closure.clone();
    if closure.asyncness.is_none() {
        closure.asyncness = make_plain_block(&mut closure.body);
    }
    match closure.asyncness {
        Some(_) => quote_spanned!(here=> hint.async_closure(#closure)),
        None => quote_spanned!(here=> #root::__private::future_closure(hint, #closure)),
    }
}

/// Makes a plain block of an expression that is an async block, and gives its keyword.
fn make_plain_block(expression: &mut Expr) -> Option<Token![async]> {
    match expression {
        Expr::Group(group) => make_plain_block(&mut group.expr),
        Expr::Paren(paren) => make_plain_block(&mut paren.expr),
        Expr::Block(block) => match &mut block.block.stmts[..] {
            [Stmt::Expr(only, None)] => make_plain_block(only),
            _ => None,
        },
        Expr::Async(ExprAsync { attrs, async_token, block, .. }) => {
            let (attrs, async_token, block) = (mem::take(attrs), *async_token, block.clone());
            *expression = Expr::Block(ExprBlock { attrs, label: None, block });
            Some(async_token)
        }
        _ => None,
    }
}

/// `-> T` of a closure that is not async. That of an async one is the type of its future's result.
fn sync_output(code: &Code) -> Option<&ReturnType> {
    match code {
        Code::Closure(ExprClosure { asyncness: None, output, .. }) => Some(output),
        _ => None,
    }
}

/// The body of the closure that is the task. An async closure is no `fn`, but a closure that returns a future is.
fn body(root: &TokenTree, code: &Code) -> TokenStream {
    match code {
        Code::Block(block) => {
            let (async_token, block) = (&block.async_token, &block.block);
            quote!(#async_token move #block)
        }
        Code::Closure(closure) => {
            let body = &closure.body;
            match (&closure.asyncness, &closure.output) {
                (None, _) => quote!(#body),
                (Some(async_token), ReturnType::Default) => match &**body {
                    Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
                        quote!(#async_token move #block)
                    }
                    body => quote!(#async_token move { #body }),
                },
                // Only an async closure can be told the type of its result in a way that `?` and `return` obey.
                (Some(async_token), output) => {
                    quote!(#root::__private::call_async(#async_token move || #output #body))
                }
            }
        }
    }
}

/// The statements that check the types of captures, open argument and result. An object does not cross.
fn checks(called: MacroName, root: &TokenTree, captures: &[Capture], code: &Code) -> TokenStream {
    let here = Span::mixed_site();
    let mut probes = Vec::new();
    for (at, capture) in captures.iter().enumerate() {
        let member = member(at, captures.len());
        let place = capture.name.span();
        let probe = quote_spanned!(here=> #root::__private::Probe::of(&draft.captured #member));
        // Left open, it finds out whether what is captured is shared.
        probes.push((place, probe, quote_spanned!(here.located_at(place)=> 0)));
    }
    if let (MacroName::Remote, Some(parameter)) = (called, code.parameter()) {
        let probe = quote_spanned!(here=> #root::__private::Draft::argument(&draft));
        probes.push((parameter.span(), probe, quote!(0u8)));
    }
    if called != MacroName::Actor {
        let probe = quote_spanned!(here=> #root::__private::Draft::result(&draft));
        probes.push((code.result_span(), probe, quote!(0u8)));
    }

    let (make, check): (Vec<_>, Vec<_>) = probes
        .into_iter()
        .enumerate()
        .map(|(number, (place, probe, sharing))| {
            let name = format_ident!("probe{number}", span = here);
            let place = here.located_at(place);
            let check = quote_spanned!(place=> let draft = (&&&&#name).__wasm_mt_check(draft, 0, #sharing););
            (quote_spanned!(here=> let #name = #probe;), check)
        })
        .unzip();
    quote_spanned! {here=>
        use #root::__private::checks::*;
        #(#make)*
        #(#check)*
    }
}
