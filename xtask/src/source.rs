//! Reads Rust source as far as rules about words need it: what is not looked at is blanked.

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
            blanked.extend(spaces(text));
        }
    }
    blanked
}

fn spaces(text: &str) -> impl Iterator<Item = char> {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' })
}

/// What stands before code that is in no program.
const FOR_TESTS: [&str; 3] = ["#[cfg(test)]", "#[cfg(fuzzing)]", "#[cfg(any(test, fuzzing))]"];

/// Blanked source in which the items that are in no program are blank too.
pub(crate) fn without_tests(blanked: &str) -> String {
    let mut kept = blanked.to_owned();
    let next = |kept: &str| FOR_TESTS.iter().filter_map(|attribute| kept.find(attribute)).min();
    while let Some(start) = next(&kept) {
        let end = start + length_of_item(&kept[start..]);
        let spaces: String = spaces(&kept[start..end]).collect();
        kept.replace_range(start..end, &spaces);
    }
    kept
}

/// An item ends with its braces, or with a semicolon.
fn length_of_item(text: &str) -> usize {
    let mut depth = 0;
    let end = text.find(|sign| {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(sign, '}' | ';')
    });
    let end = end.map_or(text.len(), |end| end + 1);
    // That of a list of imports.
    if text[end..].starts_with(';') { end + 1 } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let source =
            "a /* b /* c */ d */ e // é\n\"g \\\" h\" r#\"i \" j\"# 'k' '\\'' &'l m br\"n\" for\"o\" 1u8";
        let blanked = blank(source);
        let words: Vec<&str> = blanked.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, ["a", "e", "&'l", "m", "for", "1u8"]);
        assert_eq!(blanked.find('\n'), source.find('\n'));
        assert_eq!(blanked.len(), source.len());
    }

    #[test]
    fn items_for_tests_are_left_out_and_lines_stay() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b(c: [u8; 1]) {}\n}\n#[cfg(fuzzing)]\nuse c::{d};\nfn d() {}";
        let kept = without_tests(source);
        assert_eq!(kept.len(), source.len());
        let lines: Vec<&str> = kept.lines().map(str::trim).collect();
        assert_eq!(lines, ["fn a() {}", "", "", "", "", "", "", "fn d() {}"]);
    }
}
