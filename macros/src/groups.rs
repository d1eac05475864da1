//! The invisible groups of other macros, made visible.
//!
//! What a `macro_rules` macro inserts for `$value:expr` stands in a group without delimiters, which keeps `2 * $value` a product
//! whatever the value is. The compiler keeps to such groups, but not to those in the output of a procedural macro: there
//! `2 * $value` with the value `a + b` is `2 * a + b`. So the groups get parentheses where these make a difference.
//!
//! Patterns and types that come this way may look like expressions. Parentheses are allowed around these, too.

use std::iter;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::{Expr, ExprUnary, UnOp};

/// The tokens, with parentheses where an invisible group holds an expression that its surroundings could take apart.
pub(crate) fn visible(tokens: TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let next = || {
        let token = tokens.next()?;
        let dotted =
            matches!(tokens.peek(), Some(TokenTree::Punct(next)) if matches!(next.as_char(), '.' | '?'));
        Some(visible_token(token, dotted))
    };
    iter::from_fn(next).collect()
}

/// `dotted`: a method call, a field or `?` follows.
fn visible_token(token: TokenTree, dotted: bool) -> TokenTree {
    let TokenTree::Group(group) = token else { return token };
    let content = visible(group.stream());
    let (delimiter, span) = match group.delimiter() {
        // Nobody wrote these parentheses, and nobody shall be told that they are superfluous.
        Delimiter::None if comes_apart(&content, dotted) => {
            (Delimiter::Parenthesis, Span::mixed_site().located_at(group.span()))
        }
        delimiter => (delimiter, group.span()),
    };
    let mut visible = Group::new(delimiter, content);
    visible.set_span(span);
    visible.into()
}

/// True for an expression that an operator beside it may take apart, or what follows if that is `dotted`.
fn comes_apart(tokens: &TokenStream, dotted: bool) -> bool {
    if tokens.clone().into_iter().nth(1).is_none() {
        return false;
    }
    match syn::parse2(tokens.clone()) {
        Ok(
            Expr::Array(_)
            | Expr::Await(_)
            | Expr::Call(_)
            | Expr::Field(_)
            | Expr::Group(_)
            | Expr::Index(_)
            | Expr::Lit(_)
            | Expr::Macro(_)
            | Expr::MethodCall(_)
            | Expr::Paren(_)
            | Expr::Path(_)
            | Expr::Repeat(_)
            | Expr::Try(_)
            | Expr::Tuple(_)
            | Expr::Verbatim(_),
        ) => false,
        // As an argument of a type, `-1` may have no parentheses.
        Ok(Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. })) if matches!(*expr, Expr::Lit(_)) => dotted,
        // These may as well be a statement, and the value of an attribute.
        Ok(Expr::Let(_) | Expr::Assign(_)) => false,
        Ok(_) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(content: &str) -> Delimiter {
        delimiter_before(content, false)
    }

    fn delimiter_before(content: &str, dotted: bool) -> Delimiter {
        let group = Group::new(Delimiter::None, content.parse().expect("tokens"));
        match visible_token(group.into(), dotted) {
            TokenTree::Group(group) => group.delimiter(),
            other => panic!("{other} is no group"),
        }
    }

    #[test]
    fn expressions_that_come_apart_are_put_in_parentheses() {
        for content in [
            "a + b",
            "-a",
            "&a",
            "a as u8",
            "a..b",
            "|x| x + 1",
            "if a { b } else { c }",
            "P { x: 1 }",
            "return a",
        ] {
            assert_eq!(delimiter(content), Delimiter::Parenthesis, "{content}");
        }
    }

    #[test]
    fn others_stay_as_they_are() {
        for content in [
            "a",
            "1",
            "(a + b)",
            "a::<T>(b)",
            "a.b().c",
            "a[b]",
            "f!(x)",
            "a?",
            "let a = b",
            "a = b",
            "mut a",
            "dyn A + B",
            "-1",
        ] {
            assert_eq!(delimiter(content), Delimiter::None, "{content}");
        }
    }

    #[test]
    fn negative_numbers_come_apart_before_a_dot_only() {
        assert_eq!(delimiter_before("-1", true), Delimiter::Parenthesis);
        let one = || TokenTree::from(Group::new(Delimiter::None, "-1".parse().expect("tokens")));
        let call: TokenStream =
            [one()].into_iter().chain(".pow(2)".parse::<TokenStream>().expect("tokens")).collect();
        assert_eq!(visible(call).to_string(), "(- 1) . pow (2)");
        assert_eq!(visible(one().into()).to_string(), "- 1");
    }

    #[test]
    fn groups_in_groups() {
        let sum = TokenTree::from(Group::new(Delimiter::None, "a + b".parse().expect("tokens")));
        let block = TokenTree::from(Group::new(Delimiter::Brace, sum.into()));
        assert_eq!(visible(block.into()).to_string(), "{ (a + b) }");
    }
}
