//! What may be written in `remote!( .. )`, `actor!( .. )` and `call!( .. )`.
//!
//! ```text
//! task      = [ captures ] closure | [ captures ] async-block
//! captures  = "[" { name [ "=" expression ] "," } "]"
//! closure   = [ "async" ] [ "move" ] "|" [ parameter ] "|" [ "->" type ] expression
//! ```
//!
//! An `actor!` has no parameter, and a `call!` has one. A closure may come in parentheses, or in the invisible ones that another macro's `$task:expr` has.

use proc_macro2::{Span, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Block, Error, Expr, ExprAsync, ExprClosure, Ident, Pat, Result, ReturnType, Stmt, Token, bracketed, token,
};

/// `$crate, task`, as the outer macro passes it on.
pub(crate) struct Invocation {
    /// The `$crate` of the outer macro: one token.
    pub(crate) root: TokenTree,
    pub(crate) task: Task,
}

/// Which macro was called.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum MacroName {
    Remote,
    /// The initialiser of an actor.
    Actor,
    /// A call of one, whose parameter is the object.
    Call,
}

/// What a user writes.
pub(crate) struct Task {
    /// The explicit list; without one, the analysis finds the captures.
    pub(crate) captures: Option<Vec<Capture>>,
    pub(crate) code: Code,
}

/// A variable that goes along, and the value it has at the start of the task.
pub(crate) struct Capture {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

/// The two forms of a task.
pub(crate) enum Code {
    Closure(ExprClosure),
    Block(ExprAsync),
}

impl Invocation {
    pub(crate) fn parse(called: MacroName, input: ParseStream<'_>) -> Result<Self> {
        let root = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { root, task: Task::of(called, input)? })
    }
}

impl Parse for Task {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Self::of(MacroName::Remote, input)
    }
}

impl Task {
    fn of(called: MacroName, input: ParseStream<'_>) -> Result<Self> {
        let captures = if input.peek(token::Bracket) { Some(explicit_captures(input)?) } else { None };
        if input.is_empty() {
            return Err(Error::new(input.span(), called.forms()));
        }
        let code = code(called, input.parse()?)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("one task is one closure or async block: remove what follows it"));
        }
        Ok(Self { captures, code })
    }
}

impl MacroName {
    fn forms(self) -> &'static str {
        match self {
            Self::Remote => {
                "a task is a closure or an async block: write `remote!(move || ..)`, `remote!(async move { .. })` or \
                 `remote!(async move || ..)`"
            }
            Self::Actor => {
                "an object is made by a closure or an async block: write `actor!(move || Ok(..))` or \
                 `actor!(async move { Ok(..) })`"
            }
            Self::Call => {
                "a call is a closure that takes the object: write `call!(move |object| ..)` or \
                 `call!(async move |object| ..)`"
            }
        }
    }
}

fn explicit_captures(input: ParseStream<'_>) -> Result<Vec<Capture>> {
    let list;
    bracketed!(list in input);
    let mut captures: Vec<Capture> = Vec::new();
    while !list.is_empty() {
        if list.peek(Token![self]) {
            return Err(
                list.error("`self` needs a name of its own in the task: write `[this = self.clone()]`")
            );
        }
        if list.peek(Token![mut]) {
            return Err(list.error("captures are listed by their names alone: remove `mut`"));
        }
        let name: Ident = list.parse()?;
        let value = if list.parse::<Option<Token![=]>>()?.is_some() { Some(list.parse()?) } else { None };
        if captures.iter().any(|capture| capture.name == name) {
            return Err(Error::new(name.span(), format!("`{name}` is in the list twice")));
        }
        captures.push(Capture { name, value });
        if !list.is_empty() {
            list.parse::<Token![,]>()?;
        }
    }
    Ok(captures)
}

fn code(called: MacroName, expression: Expr) -> Result<Code> {
    let forms = called.forms();
    let code = match peel(expression) {
        Expr::Closure(closure) => Code::Closure(closure),
        Expr::Async(block) => Code::Block(block),
        Expr::Path(path) if called == MacroName::Remote => {
            let message =
                format!("{forms}; for a function write `remote!(|| name())` or `Remote::new((), name)`");
            return Err(Error::new_spanned(path, message));
        }
        other => return Err(Error::new_spanned(other, forms)),
    };
    code.check(called)?;
    Ok(code)
}

fn peel(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => peel(*group.expr),
        Expr::Paren(paren) => peel(*paren.expr),
        other => other,
    }
}

impl Code {
    fn check(&self, called: MacroName) -> Result<()> {
        let attributes = match self {
            Code::Closure(closure) => &closure.attrs,
            Code::Block(block) => &block.attrs,
        };
        if let Some(attribute) = attributes.first() {
            return Err(Error::new_spanned(attribute, "attributes belong outside of the macro"));
        }
        match (called, self.parameter()) {
            (MacroName::Actor, Some(parameter)) => {
                let message = "an object is made of captures alone: remove the parameter";
                return Err(Error::new_spanned(parameter, message));
            }
            (MacroName::Call, None) => return Err(Error::new(self.start(), called.forms())),
            _ => {}
        }
        let Code::Closure(closure) = self else { return Ok(()) };
        if let Some(lifetimes) = &closure.lifetimes {
            return Err(Error::new_spanned(lifetimes, "a task takes owned values: remove the lifetimes"));
        }
        if let Some(constness) = &closure.constness {
            return Err(Error::new_spanned(constness, "a task is no `const` closure: remove `const`"));
        }
        if let Some(second) = closure.inputs.iter().nth(1) {
            let message = match called {
                MacroName::Call => "a call takes the object alone: capture what else it needs",
                _ => "a task leaves at most one argument open: take several as a tuple, `|(a, b)| ..`",
            };
            return Err(Error::new_spanned(second, message));
        }
        Ok(())
    }

    /// The open argument.
    pub(crate) fn parameter(&self) -> Option<&Pat> {
        match self {
            Code::Closure(closure) => closure.inputs.first(),
            Code::Block(_) => None,
        }
    }

    pub(crate) fn is_move(&self) -> bool {
        match self {
            Code::Closure(closure) => closure.capture.is_some(),
            Code::Block(block) => block.capture.is_some(),
        }
    }

    /// Where the task begins, behind its keywords.
    pub(crate) fn start(&self) -> Span {
        match self {
            Code::Closure(closure) => closure.inputs_begin.span,
            Code::Block(block) => block.async_token.span,
        }
    }

    /// True if the result is a future of a task that is to be awaited.
    ///
    /// A closure that ends in an async block is one; a future that is made otherwise cannot be told from its tokens.
    pub(crate) fn is_async(&self) -> bool {
        match self {
            Code::Closure(closure) => closure.asyncness.is_some() || self.returned_block().is_some(),
            Code::Block(_) => true,
        }
    }

    /// The async block that a closure ends in. One that states the type of its result ends in none.
    pub(crate) fn returned_block(&self) -> Option<&ExprAsync> {
        match self {
            Code::Closure(ExprClosure { asyncness: None, output: ReturnType::Default, body, .. }) => {
                match last_expression(body) {
                    Expr::Async(block) => Some(block),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The place to show for an error in the result: its type, else the last expression.
    pub(crate) fn result_span(&self) -> Span {
        match self {
            Code::Closure(ExprClosure { output: ReturnType::Type(_, output), .. }) => output.span(),
            Code::Closure(closure) => tail_of(&closure.body).span(),
            Code::Block(block) => {
                tail(&block.block).map_or_else(|| block.span(), |tail| tail_of(tail).span())
            }
        }
    }
}

fn tail(block: &Block) -> Option<&Expr> {
    match block.stmts.last() {
        Some(Stmt::Expr(last, None)) => Some(last),
        _ => None,
    }
}

fn last_expression(expression: &Expr) -> &Expr {
    let inner = match expression {
        Expr::Group(group) => Some(&*group.expr),
        Expr::Paren(paren) => Some(&*paren.expr),
        Expr::Block(block) => tail(&block.block),
        _ => None,
    };
    inner.map_or(expression, last_expression)
}

fn tail_of(expression: &Expr) -> &Expr {
    let last = last_expression(expression);
    match last {
        Expr::Async(block) => tail(&block.block).map_or(last, tail_of),
        _ => last,
    }
}
