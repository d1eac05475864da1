//! Tokens of unknown grammar: which identifiers may be variables?
//!
//! The last resort, for macros whose arguments are neither expressions nor statements. An identifier counts as a use
//! unless what stands beside it says otherwise, and names that `let`, `for`, a closure's parameters or a match arm
//! introduce are bound in the whole group around them.

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

use super::{Analysis, is_constant};

/// Reports the uses of variables in `tokens`.
pub(super) fn search(analysis: &mut Analysis, tokens: TokenStream) {
    let tokens = visible(tokens);
    analysis.scope(|analysis| {
        bind_introduced(analysis, &tokens);
        let mut at = 0;
        while at < tokens.len() {
            at += step(analysis, &tokens, at);
        }
    });
}

/// Binds every identifier of `tokens` that may be the name of a variable, in the present scope.
pub(super) fn bind_all(analysis: &mut Analysis, tokens: TokenStream) {
    bind_each(analysis, &visible(tokens));
}

/// The tokens without the invisible parentheses that a `macro_rules` macro puts around its arguments.
fn visible(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flat.extend(visible(group.stream()));
            }
            token => flat.push(token),
        }
    }
    flat
}

/// True for `u8`, `str` and the like, and for the `null` of JSON, which look like variables.
pub(super) fn is_word(ident: &Ident) -> bool {
    const WORDS: &[&str] = &[
        "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "null", "str", "u128",
        "u16", "u32", "u64", "u8", "usize",
    ];
    WORDS.iter().any(|word| ident == word)
}

/// Looks at the token at `at`; gives how many were dealt with.
fn step(analysis: &mut Analysis, tokens: &[TokenTree], at: usize) -> usize {
    match &tokens[at] {
        TokenTree::Group(group) => {
            match macro_name(tokens, at) {
                Some(name) => analysis.visit_macro_arguments(&name, group.stream()),
                None => search(analysis, group.stream()),
            }
            1
        }
        // An attribute.
        TokenTree::Punct(punct)
            if punct.as_char() == '#' && is_group(tokens.get(at + 1), Delimiter::Bracket) =>
        {
            2
        }
        // A label or lifetime.
        TokenTree::Punct(punct) if punct.as_char() == '\'' => 2,
        TokenTree::Ident(ident) if starts_item(ident) => length_of_item(&tokens[at..]),
        TokenTree::Ident(ident) => {
            if may_be_variable(tokens, at, ident) {
                analysis.used(ident);
            }
            1
        }
        _ => 1,
    }
}

fn may_be_variable(tokens: &[TokenTree], at: usize, ident: &Ident) -> bool {
    if ident == "self" {
        return !is_punct(tokens, at + 1, ':');
    }
    if is_keyword(ident) || is_constant(ident) || is_word(ident) {
        return false;
    }
    if is_punct(tokens, at.wrapping_sub(1), '.') && !is_joint(tokens, at.wrapping_sub(2), '.') {
        return false; // a field or method; behind two dots it is the end of a range
    }
    if is_punct(tokens, at.wrapping_sub(1), ':') && is_joint(tokens, at.wrapping_sub(2), ':') {
        return false; // the end of a path
    }
    if is_group(tokens.get(at + 1), Delimiter::Parenthesis) {
        return false; // a callee
    }
    if is_punct(tokens, at + 1, ':') {
        return false; // the start of a path, or the name of a field
    }
    if is_punct(tokens, at + 1, '!') && matches!(tokens.get(at + 2), Some(TokenTree::Group(_))) {
        return false; // a macro
    }
    // A named argument; but not `==`, nor `=>`.
    !is_punct(tokens, at + 1, '=') || is_joint(tokens, at + 1, '=')
}

/// The macro's name, if the group at `at` has its arguments.
fn macro_name(tokens: &[TokenTree], at: usize) -> Option<String> {
    if !is_punct(tokens, at.wrapping_sub(1), '!') {
        return None;
    }
    match tokens.get(at.wrapping_sub(2)) {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

/// Binds the names that the tokens of this level introduce.
fn bind_introduced(analysis: &mut Analysis, tokens: &[TokenTree]) {
    for at in 0..tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(ident) if ident == "let" => {
                let end =
                    (at..tokens.len()).find(|&end| is_punct(tokens, end, '=') || is_punct(tokens, end, ';'));
                bind_each(analysis, &tokens[at + 1..end.unwrap_or(tokens.len())]);
            }
            TokenTree::Ident(ident) if ident == "for" => {
                let is_in = |end: &usize| matches!(&tokens[*end], TokenTree::Ident(ident) if ident == "in");
                if let Some(end) = (at..tokens.len()).find(is_in) {
                    bind_each(analysis, &tokens[at + 1..end]);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '|' && opens_closure(tokens, at) => {
                if let Some(end) = (at + 1..tokens.len()).find(|&end| is_punct(tokens, end, '|')) {
                    bind_each(analysis, &tokens[at + 1..end]);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '=' && is_arrow(tokens, at) => {
                bind_arm(analysis, &tokens[start_of_arm(tokens, at)..at]);
            }
            _ => {}
        }
    }
}

/// True for the first bar of a closure: bars between values are an operator.
fn opens_closure(tokens: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).map(|before| &tokens[before]) {
        None => true,
        Some(TokenTree::Ident(ident)) => ident == "move" || ident == "async" || ident == "return",
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ',' | '=' | ';' | '(' | '>' | ':'),
        // Behind a block.
        Some(before) => is_group(Some(before), Delimiter::Brace),
    }
}

fn start_of_arm(tokens: &[TokenTree], arrow: usize) -> usize {
    let ends = |at: &usize| is_punct(tokens, *at, ',') || is_punct(tokens, *at, ';');
    (0..arrow).rev().find(ends).map_or(0, |end| end + 1)
}

/// Binds the names of a pattern, up to its guard. A name alone may as well be the key of a map: it stays a use.
fn bind_arm(analysis: &mut Analysis, tokens: &[TokenTree]) {
    let is_guard = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "if");
    let pattern = &tokens[..tokens.iter().position(is_guard).unwrap_or(tokens.len())];
    let takes_apart = pattern.iter().any(|token| matches!(token, TokenTree::Group(_)));
    if takes_apart || pattern.len() < tokens.len() {
        bind_each(analysis, pattern);
    }
}

fn bind_each(analysis: &mut Analysis, tokens: &[TokenTree]) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => bind_all(analysis, group.stream()),
            // `field: pattern` binds the names of the pattern.
            TokenTree::Ident(ident)
                if !is_keyword(ident) && !is_constant(ident) && !is_punct(tokens, at + 1, ':') =>
            {
                analysis.bind(ident);
            }
            _ => {}
        }
    }
}

fn starts_item(ident: &Ident) -> bool {
    ["enum", "fn", "impl", "macro_rules", "mod", "struct", "trait"].iter().any(|keyword| ident == keyword)
}

/// An item ends with its first block or semicolon.
fn length_of_item(tokens: &[TokenTree]) -> usize {
    let ends = |at: &usize| is_punct(tokens, *at, ';') || is_group(tokens.get(*at), Delimiter::Brace);
    (0..tokens.len()).find(ends).map_or(tokens.len(), |end| end + 1)
}

fn is_punct(tokens: &[TokenTree], at: usize, character: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// True for a `character` that is one operator with what follows.
fn is_joint(tokens: &[TokenTree], at: usize, character: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct))
        if punct.as_char() == character && punct.spacing() == Spacing::Joint)
}

fn is_arrow(tokens: &[TokenTree], at: usize) -> bool {
    is_joint(tokens, at, '=') && is_punct(tokens, at + 1, '>')
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

fn is_keyword(ident: &Ident) -> bool {
    // `parse_str` of `syn` refuses exactly the keywords.
    syn::parse_str::<Ident>(&ident.to_string()).is_err()
}
