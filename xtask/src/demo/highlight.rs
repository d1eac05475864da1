//! Which parts of an example's source are keywords, types, strings and the like, told by its words alone.

use ra_ap_rustc_lexer::TokenKind::{
    Bang, BlockComment, CloseBracket, Eq, Ident, Lifetime, LineComment, Literal, OpenBracket, Pound,
};
use ra_ap_rustc_lexer::{LiteralKind, TokenKind};

use crate::source::pieces;

/// A part of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The class that gives it its colour, in `style.css`.
    pub(super) class: Option<&'static str>,
    pub(super) text: &'a str,
}

/// The parts of a source, which make up all of it. Neighbours have different classes.
pub(super) fn parts(source: &str) -> Vec<Part<'_>> {
    let pieces: Vec<_> = pieces(source).collect();
    let mut parts: Vec<Part<'_>> = Vec::new();
    let (mut end, mut attribute_end) = (0, 0);
    for (place, (_, text)) in pieces.iter().enumerate() {
        attribute_end = attribute_end.max(place + attribute_length(&pieces[place..]));
        let class = if place < attribute_end { Some("attribute") } else { class(&pieces[place..]) };
        let start = parts.pop_if(|last| last.class == class).map_or(end, |last| end - last.text.len());
        end += text.len();
        parts.push(Part { class, text: &source[start..end] });
    }
    parts
}

/// The class of the piece at the start.
fn class(pieces: &[(TokenKind, &str)]) -> Option<&'static str> {
    let ((kind, text), after) = pieces.split_first()?;
    Some(match kind {
        LineComment { .. } | BlockComment { .. } => "comment",
        Lifetime { .. } => "char",
        Literal { kind: LiteralKind::Char { .. } | LiteralKind::Byte { .. }, .. } => "char",
        Literal { kind: LiteralKind::Int { .. } | LiteralKind::Float { .. }, .. } => "number",
        Literal { .. } => "string",
        Ident if is_macro_call(after) => "macro",
        Ident if is_keyword(text) => "keyword",
        Ident if is_type(text) => "type",
        _ => return None,
    })
}

/// True if what stands before makes a macro's name of it: `name!`, but not `name!=`.
fn is_macro_call(after: &[(TokenKind, &str)]) -> bool {
    matches!(after, [(Bang, _), (next, _), ..] if *next != Eq)
}

/// `syn` takes for a name only what is no keyword.
fn is_keyword(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_err()
}

/// True for `Type` and `T`, but not for `CONSTANT`.
fn is_type(word: &str) -> bool {
    word.starts_with(char::is_uppercase) && (word.len() == 1 || word.contains(char::is_lowercase))
}

/// How many pieces the attribute at the start has; none if no attribute is there.
fn attribute_length(pieces: &[(TokenKind, &str)]) -> usize {
    if !matches!(pieces, [(Pound, _), (OpenBracket, _), ..] | [(Pound, _), (Bang, _), (OpenBracket, _), ..]) {
        return 0;
    }
    let mut depth = 0;
    for (place, (kind, _)) in pieces.iter().enumerate() {
        match kind {
            OpenBracket => depth += 1,
            CloseBracket if depth == 1 => return place + 1,
            CloseBracket => depth -= 1,
            _ => {}
        }
    }
    pieces.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of one class.
    fn texts<'a>(source: &'a str, class: &str) -> Vec<&'a str> {
        let parts = parts(source);
        let all: String = parts.iter().map(|part| part.text).collect();
        assert_eq!(all, source);
        parts.iter().filter(|part| part.class == Some(class)).map(|part| part.text).collect()
    }

    #[test]
    fn words_are_told_apart() {
        let source =
            "pub async fn sum<T>(r#in: &Vec<T>) -> u8 { println!(LIMIT); Self::of(r#in.await != _a!=b) }";
        assert_eq!(texts(source, "keyword"), ["pub", "async", "fn", "Self", "await"]);
        assert_eq!(texts(source, "type"), ["T", "Vec", "T"]);
        assert_eq!(texts(source, "macro"), ["println"]);
    }

    #[test]
    fn literals_and_lifetimes_are_told_apart() {
        let source = "(\"a // b\", r#\"c \" d\"#, b\"e\", 'f', b'\\'', &'g h, 0xff_u8, 1.5e3)";
        assert_eq!(texts(source, "string"), ["\"a // b\"", "r#\"c \" d\"#", "b\"e\""]);
        assert_eq!(texts(source, "char"), ["'f'", "b'\\''", "'g"]);
        assert_eq!(texts(source, "number"), ["0xff_u8", "1.5e3"]);
    }

    #[test]
    fn comments_hold_no_other_part() {
        let source = "//! fn \"a\"\nlet /* /* 1 */ b */ c; // d";
        assert_eq!(texts(source, "comment"), ["//! fn \"a\"", "/* /* 1 */ b */", "// d"]);
    }

    #[test]
    fn an_attribute_is_one_part_to_its_own_bracket() {
        let source = "#![a]\n#[b(c = [\"]\", d[0]])] let e = [f]; quote!(#g)";
        assert_eq!(texts(source, "attribute"), ["#![a]", "#[b(c = [\"]\", d[0]])]"]);
        assert_eq!(texts("#[a(", "attribute"), ["#[a("]);
    }
}
