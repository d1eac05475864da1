//! The file that this code was loaded from, and where it lies.

#[cfg(any(target_os = "linux", target_os = "android"))]
use std::fs;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::ptr;

/// The executable, or the library, that this crate is a part of.
pub(crate) struct Image {
    pub(crate) file: File,
    /// Its statics and functions are within these distances.
    pub(crate) reach: RangeInclusive<isize>,
}

/// The place that distances count from: it lies where the rest of this code does.
pub(crate) fn anchor() -> usize {
    static ANCHOR: u8 = 0;
    ptr::from_ref(&ANCHOR).expose_provenance()
}

impl Image {
    /// As Linux says in a file of its own.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn open() -> io::Result<Self> {
        /// The running program, also if its file was replaced since.
        const EXECUTABLE: &str = "/proc/self/exe";

        let read = || fs::read("/proc/self/maps").map(|maps| String::from_utf8_lossy(&maps).into_owned());
        let maps = read()?;
        let (path, reach) = own_mappings(&maps).ok_or(io::ErrorKind::NotFound)?;
        let is_executable =
            fs::read_link(EXECUTABLE).is_ok_and(|executable| executable.to_str() == Some(path));
        let file = File::open(if is_executable { EXECUTABLE } else { path })?;
        // The path of a file that was replaced is not the same any more.
        if own_mappings(&read()?).is_none_or(|(now, _)| now != path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { file, reach })
    }

    /// Never: what lies at the program's path may be another one by now, and this code may be that of a library.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn reach() -> io::Result<RangeInclusive<isize>> {
        match Self::open() {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(isize::MIN..=isize::MAX),
            opened => opened.map(|image| image.reach),
        }
    }
}

/// The path of the file that this code was loaded from, and how far it reaches.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn own_mappings(maps: &str) -> Option<(&str, RangeInclusive<isize>)> {
    let lines: Vec<_> = maps.lines().filter_map(mapping).collect();
    let own = lines.iter().position(|line| (line.start..line.end).contains(&anchor()))?;
    let path = lines[own].path;
    // The file may be mapped elsewhere too, to be read. What was loaded lies side by side, in the order of the file from its beginning.
    let is_loaded = |pair: &[Mapping<'_>]| {
        pair[0].path == pair[1].path && pair[0].offset <= pair[1].offset && pair[1].offset > 0
    };
    let below = lines[..=own].windows(2).rev().take_while(|pair| is_loaded(pair)).count();
    let above = lines[own..].windows(2).take_while(|pair| is_loaded(pair)).count();
    let distance = |address: usize| address.wrapping_sub(anchor()) as isize;
    let reach = distance(lines[own - below].start)..=distance(lines[own + above].end);
    path.starts_with('/').then_some((path, reach))
}

/// A line of that file.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[cfg_attr(test, derive(Debug, PartialEq))]
struct Mapping<'a> {
    start: usize,
    end: usize,
    /// Of the file.
    offset: u64,
    path: &'a str,
}

/// Reads `start-end permissions offset device inode path`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mapping(line: &str) -> Option<Mapping<'_>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let mut rest = rest.splitn(5, ' ');
    let offset = u64::from_str_radix(rest.nth(1)?, 16).ok()?;
    // The path may have spaces, and stands behind some.
    let path = rest.nth(2)?.trim_start();
    Some(Mapping { start: number(start)?, end: number(end)?, offset, path })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn this_code_is_within_the_reach_of_its_file() {
        let mut image = Image::open().expect("a test has a file");
        let here = (this_code_is_within_the_reach_of_its_file as fn()) as usize;
        assert!(image.reach.contains(&(here.wrapping_sub(anchor()) as isize)), "{:?}", image.reach);
        let mut first = [0; 4];
        image.file.read_exact(&mut first).expect("it is not empty");
        assert!(!cfg!(target_os = "linux") || first == *b"\x7fELF");
    }

    #[test]
    fn what_lies_elsewhere_is_out_of_reach() {
        let image = Image::open().expect("a test has a file");
        let heap = Box::new(1_u64);
        let distance = (&raw const *heap).addr().wrapping_sub(anchor()) as isize;
        assert!(!image.reach.contains(&distance));
    }

    /// What shows a backtrace maps the whole file once more, elsewhere, and keeps it.
    #[test]
    fn a_second_mapping_of_the_file_is_not_within_reach() {
        let before = Image::reach().expect("a test has a file");
        let trace = std::backtrace::Backtrace::force_capture().to_string();
        assert!(trace.contains("a_second_mapping"), "{trace}");
        assert_eq!(Image::reach().expect("a test has a file"), before);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn lines_are_read() {
        let line = "55d0a000-55d0b000 r--p 00002000 fd:01 1837                       /a path/with spaces";
        let read =
            Mapping { start: 0x55d0_a000, end: 0x55d0_b000, offset: 0x2000, path: "/a path/with spaces" };
        assert_eq!(mapping(line), Some(read));
        let stack = Mapping { start: 0x7ffd_0000, end: 0x7ffd_1000, offset: 0, path: "" };
        assert_eq!(mapping("7ffd0000-7ffd1000 rw-p 00000000 00:00 0 "), Some(stack));
        assert_eq!(mapping("nothing"), None);
    }
}
