//! Format strings: the names in `"{name}"`, `"{name:?}"`, `"{0:width$.precision$}"`.

/// The names that a format string uses, in order, each once per use.
///
/// A string that is no valid format string gives what was found up to its fault: whoever owns the string will tell.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (brace, behind) = rest[at..].split_at(1);
        if let Some(behind) = behind.strip_prefix(brace) {
            rest = behind; // `{{` or `}}`
            continue;
        }
        if brace == "}" {
            break;
        }
        let Some(end) = end_of_placeholder(behind) else { break };
        placeholder(&behind[..end], &mut names);
        rest = &behind[end + 1..];
    }
    names
}

/// Where the `}` of a placeholder is. A fill character may be a brace itself: `{x:}>4}`.
fn end_of_placeholder(text: &str) -> Option<usize> {
    let first = text.find(['}', ':'])?;
    if text[first..].starts_with('}') {
        return Some(first);
    }
    let spec = first + 1;
    let from = fill(&text[spec..]).map_or(spec, |length| spec + length);
    text[from..].find('}').map(|end| from + end)
}

/// The bytes that a fill character takes: it is one only if an alignment follows.
fn fill(spec: &str) -> Option<usize> {
    let mut characters = spec.chars();
    let fill = characters.next()?;
    matches!(characters.next(), Some('<' | '^' | '>')).then(|| fill.len_utf8())
}

/// `[argument] [":" [[fill] align] [sign] ["#"] ["0"] [width] ["." precision] [type]]`
fn placeholder(text: &str, names: &mut Vec<String>) {
    let (argument, spec) = text.split_once(':').unwrap_or((text, ""));
    push_name(argument.trim(), names);
    let spec = fill(spec).map_or(spec, |length| &spec[length..]);
    // A count that is an argument ends in `$`; what stands before the name is none of its characters.
    for count in spec.split_inclusive('$').filter_map(|part| part.strip_suffix('$')) {
        let start = count.rfind(|character: char| !is_name_character(character));
        let count =
            start.map_or(count, |at| &count[at + count[at..].chars().next().map_or(0, char::len_utf8)..]);
        // `{:0width$}`: the zero is a flag.
        push_name(count.trim_start_matches(|character: char| character.is_ascii_digit()), names);
    }
}

fn push_name(name: &str, names: &mut Vec<String>) {
    let starts_well = name.starts_with(|first: char| first == '_' || first.is_alphabetic());
    if starts_well && name != "_" && name.chars().all(is_name_character) {
        names.push(name.to_owned());
    }
}

fn is_name_character(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
