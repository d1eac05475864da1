//! The call that a task becomes.
//!
//! `remote!(move |x| body)` with the captures `a` and `b` becomes, in short,
//!
//! ```text
//! {
//!     let captured = (a, b);
//!     $crate::__private::remote_fn(captured, |(mut a, mut b), x| body, |draft| draft.checked().finish())
//! }
//! ```
//!
//! The second argument is a closure that captures nothing, so it is a `fn`. It stands in the argument of a call, and
//! that call is the last expression, because only there the compiler knows the types of its parameters before it looks at
//! the body: those of the captures from the first argument, that of the open one from where the task is used.
//!
//! The third argument looks at each type once the body has settled it, and says what is wrong with it at the place of
//! the capture. How, is told in `wasm_mt::__private`. It shows the first fault of each type only, because a type that
//! failed its check silences everything that depends on it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprAsync, ExprClosure, Result, ReturnType, Token};

use crate::capture;
use crate::grammar::{Capture, Code, Invocation};

/// The most members of a tuple: what all the traits of the standard library are implemented for.
const TUPLE: usize = 12;

/// Writes the call.
///
/// # Errors
///
/// `self` in the task, and `move` missing where variables go along.
pub(crate) fn task(invocation: &Invocation) -> Result<TokenStream> {
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
    let door = Door::of(&task.code);
    let (values, patterns): (Vec<_>, Vec<_>) = captures.iter().map(value_and_pattern).unzip();
    let values = tuple(&values);
    let pattern = tuple(&patterns);
    let parameter = task.code.parameter().map(|parameter| quote!(, #parameter));
    let output = sync_output(&task.code);
    let body = body(root, &task.code);
    let (door, finish) = (door.function, door.finish);
    let checks = checks(root, captures, &task.code);
    // An error in the closure as a whole shows the closure that the user wrote.
    let bar = Token![|](here.located_at(task.code.start()));
    Ok(quote_spanned! {here=> {
        let captured = #values;
        #root::__private::#door(
            captured,
            #bar #[allow(unused_mut, reason = "only the body knows what it changes")] #pattern #parameter #bar #output #body,
            |draft| { #checks draft.#finish() },
        )
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
struct Door {
    function: Ident,
    finish: Ident,
}

impl Door {
    fn of(code: &Code) -> Self {
        let name = match (code.parameter(), code.is_async()) {
            (None, false) => "remote",
            (None, true) => "remote_async",
            (Some(_), false) => "remote_fn",
            (Some(_), true) => "remote_fn_async",
        };
        Self {
            function: Ident::new(name, Span::mixed_site()),
            finish: format_ident!("into_{name}", span = Span::mixed_site()),
        }
    }
}

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

/// `-> T` of a closure that is not async. That of an async one is the type of its future's result.
fn sync_output(code: &Code) -> Option<&ReturnType> {
    match code {
        Code::Closure(ExprClosure { asyncness: None, output, .. }) => Some(output),
        _ => None,
    }
}

/// The body of the closure that is to be a `fn`. An async closure is none, but a closure that returns a future is.
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

/// The statements that check the types of captures, open argument and result.
fn checks(root: &TokenTree, captures: &[Capture], code: &Code) -> TokenStream {
    let here = Span::mixed_site();
    let mut probes = Vec::new();
    for (at, capture) in captures.iter().enumerate() {
        let member = member(at, captures.len());
        probes.push((
            capture.name.span(),
            quote_spanned!(here=> #root::__private::Probe::of(&draft.captured #member)),
        ));
    }
    if let Some(parameter) = code.parameter() {
        probes.push((parameter.span(), quote_spanned!(here=> #root::__private::Draft::argument(&draft))));
    }
    probes.push((code.result_span(), quote_spanned!(here=> #root::__private::Draft::result(&draft))));

    let (make, check): (Vec<_>, Vec<_>) = probes
        .into_iter()
        .enumerate()
        .map(|(number, (place, probe))| {
            let name = format_ident!("probe{number}", span = here);
            let place = here.located_at(place);
            let check = quote_spanned!(place=> let draft = (&&&&#name).__wasm_mt_check(draft, 0););
            (quote_spanned!(here=> let #name = #probe;), check)
        })
        .unzip();
    quote_spanned! {here=>
        use #root::__private::checks::*;
        #(#make)*
        #(#check)*
    }
}
