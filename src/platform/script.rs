//! The script of a Web Worker, made ready for the program: without the comments, which are for
//! readers of its source, and without what a bundler needs.

const SOURCE: &[u8] = include_bytes!("web/worker.js");

/// The script that a Web Worker of ours runs, for hosts that must serve it themselves.
pub(crate) const WORKER_SCRIPT: &str = match std::str::from_utf8(&SCRIPT) {
    Ok(script) => script,
    Err(_) => panic!("whole lines were left out, and spaces"),
};

const SCRIPT: [u8; bare(SOURCE, &mut [0; SOURCE.len()])] = {
    let mut script = [0; bare(SOURCE, &mut [0; SOURCE.len()])];
    bare(SOURCE, &mut script);
    script
};

/// Where this begins, what is for bundlers begins.
const FOR_BUNDLERS: &[u8] = b"export ";

const fn is_export(source: &[u8], at: usize) -> bool {
    let mut nth = 0;
    while nth < FOR_BUNDLERS.len() && at + nth < source.len() && source[at + nth] == FOR_BUNDLERS[nth] {
        nth += 1;
    }
    nth == FOR_BUNDLERS.len()
}

/// Copies the lines that are not empty and not comments, without their indentation, up to what is for bundlers. Gives the
/// length of the copy.
const fn bare(source: &[u8], copy: &mut [u8]) -> usize {
    let (mut at, mut length) = (0, 0);
    while at < source.len() && !is_export(source, at) {
        while source[at] == b' ' {
            at += 1;
        }
        let is_kept = source[at] != b'\n' && !(source[at] == b'/' && source[at + 1] == b'/');
        let mut is_line = true;
        while is_line {
            is_line = source[at] != b'\n';
            if is_kept {
                copy[length] = source[at];
                length += 1;
            }
            at += 1;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_indentation_and_exports_are_left_out() {
        let source = b"// one\n\n  a();  // two\n    // three\nb();\nexport c;\n";
        let mut copy = [0; 64];
        let length = bare(source, &mut copy);
        assert_eq!(copy[..length].escape_ascii().to_string(), "a();  // two\\nb();\\n");
    }

    #[test]
    fn the_script_ends_as_its_source_does() {
        assert!(WORKER_SCRIPT.ends_with("})();\n") && WORKER_SCRIPT.starts_with("(() => {\n"));
    }
}
