//! Reads Rust source as far as rules about words need it: comments and literals are blanked, words have lines.

/// The source with comments and the contents of literals replaced by spaces. Lines keep their numbers, and every byte its
/// place.
pub(crate) fn blank(source: &str) -> String {
    let mut blanked = source.as_bytes().to_vec();
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => find(bytes, at, b"\n"),
            b'/' if bytes[at..].starts_with(b"/*") => end_of_comment(bytes, at),
            b'"' => end_of_string(bytes, at + 1),
            b'r' if !follows_word(bytes, at, b"bc") => match end_of_raw(bytes, at + 1) {
                Some(end) => end,
                None => at + 1,
            },
            b'\'' => end_of_char(bytes, at),
            _ => at + 1,
        };
        if end > at + 1 {
            let inner = blanked[at..end].iter_mut().filter(|byte| **byte != b'\n');
            inner.for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    // Only whole comments and literals were replaced, byte by byte, by ASCII.
    String::from_utf8(blanked).unwrap_or_default()
}

/// The end of the first `pattern` from `at` on, or of the text.
fn find(bytes: &[u8], at: usize, pattern: &[u8]) -> usize {
    let found = bytes[at..].windows(pattern.len()).position(|window| window == pattern);
    found.map_or(bytes.len(), |place| at + place + pattern.len())
}

fn end_of_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The end of `r"..."` or `r#"..."#`, if that is what begins after the `r`.
fn end_of_raw(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(at + hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    Some(find(bytes, at + hashes + 1, &end))
}

/// The end of a character; a lifetime ends at once.
fn end_of_char(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        return find(bytes, at + 3, b"'");
    }
    let width = std::str::from_utf8(&bytes[at + 1..])
        .ok()
        .and_then(|rest| rest.chars().next())
        .map_or(1, char::len_utf8);
    if bytes.get(at + 1 + width) == Some(&b'\'') { at + width + 2 } else { at + 1 }
}

/// True if the byte before `at` belongs to a word, other than one of `prefixes` by itself.
fn follows_word(bytes: &[u8], at: usize, prefixes: &[u8]) -> bool {
    let word =
        |place: usize| bytes.get(place).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    at > 0 && word(at - 1) && !(prefixes.contains(&bytes[at - 1]) && (at == 1 || !word(at - 2)))
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
            "a /* b /* c */ d */ e // f\n\"g \\\" h\" r#\"i \" j\"# 'k' '\\'' &'l m br\"n\" for\"o\"";
        let blanked = blank(source);
        let is_word = |token: &Token<'_>| token.text.chars().all(char::is_alphanumeric);
        let words: Vec<_> = tokens(&blanked).into_iter().filter(is_word).collect();
        let texts: Vec<_> = words.iter().map(|token| token.text).collect();
        assert_eq!(texts, ["a", "e", "l", "m", "b", "for"]);
        assert_eq!(words[2].line, 2);
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
