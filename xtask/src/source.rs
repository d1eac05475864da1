//! Reads Rust source as far as rules about words need it: comments and literals are blanked, words have lines.

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// The pieces that the compiler's own lexer finds in a source, with their kinds. They make up all of it.
pub(crate) fn pieces(source: &str) -> impl Iterator<Item = (TokenKind, &str)> {
    let mut rest = source;
    tokenize(source, FrontmatterAllowed::No).map(move |piece| {
        let (text, after) = rest.split_at(piece.len as usize);
        rest = after;
        (piece.kind, text)
    })
}

/// The source with comments and literals other than numbers replaced by spaces. Lines keep their numbers, and every byte its
/// place.
pub(crate) fn blank(source: &str) -> String {
    let mut blanked = String::with_capacity(source.len());
    for (kind, text) in pieces(source) {
        let is_code = match kind {
            TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => false,
            TokenKind::Literal { kind, .. } => {
                matches!(kind, LiteralKind::Int { .. } | LiteralKind::Float { .. })
            }
            _ => true,
        };
        if is_code {
            blanked += text;
        } else {
            blanked.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
    }
    blanked
}

/// A word or a sign of blanked source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// The words and signs of blanked source; a sign is one character, but `::` is one sign.
pub(crate) fn tokens(blanked: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (number, line) in blanked.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token { text, line: number + 1 });
            rest = after.trim_start();
        }
    }
    tokens
}

/// The place after the bracket that closes the one at `open`.
pub(crate) fn end_of_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// What stands before code that is in no program.
const FOR_TESTS: [&str; 3] = ["#[cfg(test)]", "#[cfg(fuzzing)]", "#[cfg(any(test, fuzzing))]"];

/// The blanked source without its `#[cfg(test)]` modules.
pub(crate) fn without_tests(blanked: &str) -> String {
    let mut kept = blanked.to_owned();
    let start = |kept: &str| FOR_TESTS.iter().filter_map(|attribute| kept.find(attribute)).min();
    while let Some(start) = start(&kept) {
        let tokens = tokens(&kept[start..]);
        let first_line = kept[..start].matches('\n').count();
        let open = tokens.iter().position(|token| token.text == "{");
        let semicolon = tokens.iter().position(|token| token.text == ";");
        let last = match (open, semicolon) {
            (Some(open), semicolon) if semicolon.is_none_or(|place| open < place) => {
                end_of_group(&tokens, open) - 1
            }
            (_, Some(semicolon)) => semicolon,
            _ => tokens.len() - 1,
        };
        let last_line = tokens.get(last).map_or(first_line, |token| first_line + token.line - 1);
        let lines = kept.lines().enumerate();
        let blank =
            lines.map(|(number, line)| if (first_line..=last_line).contains(&number) { "" } else { line });
        kept = blank.collect::<Vec<_>>().join("\n");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let source =
            "a /* b /* c */ d */ e // é\n\"g \\\" h\" r#\"i \" j\"# 'k' '\\'' &'l m br\"n\" for\"o\" 1u8";
        let blanked = blank(source);
        let is_word = |token: &Token<'_>| token.text.chars().all(char::is_alphanumeric);
        let words: Vec<_> = tokens(&blanked).into_iter().filter(is_word).collect();
        let texts: Vec<_> = words.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", "e", "l", "m", "for", "1u8"]);
        assert_eq!(words[2].line, 2);
        assert_eq!(blanked.len(), source.len());
    }

    #[test]
    fn test_modules_are_left_out_and_lines_stay() {
        let source =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[cfg(test)]\nuse c;\nfn d() {}";
        let kept = without_tests(source);
        assert_eq!(
            kept.lines().map(str::trim).collect::<Vec<_>>(),
            ["fn a() {}", "", "", "", "", "", "", "fn d() {}"]
        );
    }
}
