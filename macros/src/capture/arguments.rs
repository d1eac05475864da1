//! The arguments of macros that are not expanded yet.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::visit::Visit;
use syn::{Block, Error, Expr, Lit, LitStr, Macro, Pat, Result, Token};

use super::{Analysis, Name, format, scan};
use crate::grammar::Task;

/// One of the comma separated arguments that nearly all macros take.
struct Argument {
    /// In `name = value` or `name: value`.
    name: Option<Ident>,
    value: Expr,
    end: End,
}

/// What stands behind an argument.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Comma,
    /// As in `vec![value; length]`, or behind a statement.
    Semicolon,
    /// As in `map! { key => value }`.
    Arrow,
    Nothing,
}

impl Analysis {
    pub(super) fn visit_call_of_macro(&mut self, call: &Macro) {
        let Some(last) = call.path.segments.last() else { return };
        self.visit_macro_arguments(&last.ident.unraw().to_string(), call.tokens.clone());
    }

    /// Walks what a macro called `name` is given.
    pub(super) fn visit_macro_arguments(&mut self, name: &str, tokens: TokenStream) {
        let parsed = match name {
            // They look at tokens, at names of fields, or define items.
            "cfg" | "column" | "compile_error" | "concat" | "env" | "file" | "include" | "include_bytes"
            | "include_str" | "line" | "module_path" | "offset_of" | "option_env" | "stringify"
            | "thread_local" => return,
            "remote" => syn::parse2::<Task>(tokens.clone()).map(|task| self.visit_task(&task)),
            // Or another macro of that name.
            "actor" | "call" => {
                syn::parse2::<Task>(tokens.clone()).map(|task| self.visit_task(&task)).or_else(|_| {
                    arguments.parse2(tokens.clone()).map(|arguments| self.visit_arguments(name, &arguments))
                })
            }
            "assert_matches" | "debug_assert_matches" | "matches" => {
                (|input: ParseStream<'_>| self.visit_matches(input)).parse2(tokens.clone())
            }
            "select" | "select_biased" => {
                select_arms.parse2(tokens.clone()).map(|arms| self.visit_arms(&arms))
            }
            _ => arguments.parse2(tokens.clone()).map(|arguments| self.visit_arguments(name, &arguments)),
        };
        let parsed = parsed.or_else(|_| {
            let statements = Block::parse_within.parse2(tokens.clone())?;
            self.scope(|this| this.visit_statements(&statements));
            Ok::<_, Error>(())
        });
        if parsed.is_err() {
            self.scope(|this| scan::search(this, tokens));
        }
    }

    /// `matches!(value, pattern if guard)`, and a message behind it in `assert_matches!`.
    fn visit_matches(&mut self, input: ParseStream<'_>) -> Result<()> {
        let value: Expr = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let guard =
            if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse::<Expr>()?) } else { None };
        let message =
            if input.parse::<Option<Token![,]>>()?.is_some() { arguments(input)? } else { Vec::new() };
        self.visit_expr(&value);
        self.scope(|this| {
            this.bind_pattern(&pattern);
            if let Some(guard) = &guard {
                this.visit_expr(guard);
            }
        });
        self.visit_arguments("format", &message);
        Ok(())
    }

    fn visit_arms(&mut self, arms: &[SelectArm]) {
        for arm in arms {
            if let Some((pattern, future)) = &arm.input {
                self.visit_expr(future);
                self.scope(|this| {
                    this.bind_pattern(pattern);
                    arm.condition
                        .iter()
                        .chain([&arm.body])
                        .for_each(|expression| this.visit_expr(expression));
                });
            } else {
                self.visit_expr(&arm.body);
            }
        }
    }

    fn visit_arguments(&mut self, name: &str, arguments: &[Argument]) {
        self.scope(|this| {
            let mut arguments_left = arguments;
            while let [argument, rest @ ..] = arguments_left {
                arguments_left = rest;
                if let (Some(target), End::Semicolon) = (&argument.name, argument.end) {
                    this.used(target); // `target = value;`
                }
                match (argument.end, constructor_pattern(&argument.value), rest) {
                    // `Some(x) => value`: more likely an arm of a match than an entry of a map.
                    (End::Arrow, Some(pattern), [value, behind @ ..]) => {
                        this.scope(|this| {
                            this.bind_pattern(&pattern);
                            this.visit_expr(&value.value);
                        });
                        arguments_left = behind;
                    }
                    _ if !STANDARD.contains(&name) && is_word_path(&argument.value) => {}
                    _ => this.visit_expr(&argument.value),
                }
            }
        });
        if let Some(text) = format_string(name, arguments) {
            self.visit_format_string(&text, arguments);
        }
    }

    /// The names in a format string that no argument defines.
    fn visit_format_string(&mut self, text: &LitStr, arguments: &[Argument]) {
        let defined: Vec<Name> =
            arguments.iter().filter_map(|argument| argument.name.as_ref().map(Name::from)).collect();
        for name in format::names(&text.value()) {
            if !defined.iter().any(|defined| defined.text == name) {
                ident(&name, text.span()).iter().for_each(|name| self.used(name));
            }
        }
    }
}

/// The macros of expressions of the standard library and of `wasm_mt`: a lower-case name in them is a variable, also if it is
/// called `str`.
const STANDARD: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "console_ln",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "debug_ln",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// The format string among the arguments of a macro called `name`.
///
/// Of a macro that is not known, it is the first argument that is a string, as in every logger.
fn format_string(name: &str, arguments: &[Argument]) -> Option<LitStr> {
    let from = match name {
        "dbg" | "json" | "vec" => return None,
        // The braces are those of JavaScript.
        "exec_js" | "exec_js_async" | "pool_exec_js" | "pool_exec_js_async" => return None,
        "assert" | "debug_assert" | "write" | "writeln" => 1,
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => 2,
        _ => 0,
    };
    let mut texts = arguments.iter().skip(from).filter(|argument| argument.name.is_none());
    texts.find_map(|argument| string(&argument.value))
}

fn string(expression: &Expr) -> Option<LitStr> {
    match expression {
        Expr::Group(group) => string(&group.expr),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The identifier that a name in a format string stands for: it has the place and the hygiene of the string.
fn ident(name: &str, span: Span) -> Option<Ident> {
    let any = Ident::parse_any.parse_str(name).ok()?;
    let mut ident = match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) if any == "self" => any,
        Err(_) if any == "Self" || any == "crate" || any == "super" => return None,
        // `{type}` is the variable `r#type`.
        Err(_) => Ident::new_raw(name, span),
    };
    ident.set_span(span);
    Some(ident)
}

fn arguments(input: ParseStream<'_>) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    while !input.is_empty() {
        let name = argument_name(input)?;
        // `?value` and `%value` of the tracing macros.
        if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
        } else if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
        }
        let value = input.parse()?;
        let end = if input.is_empty() {
            End::Nothing
        } else if input.parse::<Option<Token![;]>>()?.is_some() {
            End::Semicolon
        } else if input.parse::<Option<Token![=>]>>()?.is_some() {
            End::Arrow
        } else {
            input.parse::<Token![,]>()?;
            End::Comma
        };
        arguments.push(Argument { name, value, end });
    }
    Ok(arguments)
}

fn argument_name(input: ParseStream<'_>) -> Result<Option<Ident>> {
    if !input.peek(Ident::peek_any) {
        return Ok(None);
    }
    let assigns = input.peek2(Token![=]) && !input.peek2(Token![==]) && !input.peek2(Token![=>]);
    let labels = input.peek2(Token![:]) && !input.peek2(Token![::]);
    if !assigns && !labels {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?;
    if assigns {
        input.parse::<Token![=]>()?;
    } else {
        input.parse::<Token![:]>()?;
    }
    Ok(Some(name))
}

/// An arm of `futures::select!`, or of a macro made after it.
struct SelectArm {
    /// None for `complete`, `default` and `else`.
    input: Option<(Pat, Expr)>,
    condition: Option<Expr>,
    body: Expr,
}

fn select_arms(input: ParseStream<'_>) -> Result<Vec<SelectArm>> {
    let mut arms = Vec::new();
    if input.peek(Ident::peek_any) && input.peek2(Token![;]) {
        input.call(Ident::parse_any)?; // `biased;`
        input.parse::<Token![;]>()?;
    }
    while !input.is_empty() {
        let mut condition = None;
        let arm_input = if input.peek(Ident::peek_any) && input.peek2(Token![=>]) {
            input.call(Ident::parse_any)?;
            None
        } else {
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            input.parse::<Token![=]>()?;
            let future = input.parse()?;
            if input.peek(Token![,]) && input.peek2(Token![if]) {
                input.parse::<Token![,]>()?;
                input.parse::<Token![if]>()?;
                condition = Some(input.parse()?);
            }
            Some((pattern, future))
        };
        input.parse::<Token![=>]>()?;
        let body = Expr::parse_with_earlier_boundary_rule(input)?;
        input.parse::<Option<Token![,]>>()?;
        arms.push(SelectArm { input: arm_input, condition, body });
    }
    Ok(arms)
}

/// `expression` as a pattern, if it has the form of one that takes a value apart: `Some(x)`, `Point { x, y }`.
fn constructor_pattern(expression: &Expr) -> Option<Pat> {
    let path = match expression {
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => &function.path,
            _ => return None,
        },
        Expr::Struct(structure) => &structure.path,
        _ => return None,
    };
    if !super::is_constant(&path.segments.last()?.ident) {
        return None;
    }
    Pat::parse_multi_with_leading_vert.parse2(quote::ToTokens::to_token_stream(expression)).ok()
}

fn is_word_path(expression: &Expr) -> bool {
    matches!(expression, Expr::Path(path) if path.path.get_ident().is_some_and(scan::is_word))
}
