//! The file that this code was loaded from, and where it lies.

use std::env;
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
    pub(crate) fn open() -> io::Result<Self> {
        match mapped()? {
            Some(image) => Ok(image),
            None => Self::of_executable(),
        }
    }

    pub(crate) fn reach() -> io::Result<RangeInclusive<isize>> {
        Self::open().map(|image| image.reach)
    }

    /// Where it is not said what is loaded where, the program is taken for one file: no more is loaded of it than it holds.
    fn of_executable() -> io::Result<Self> {
        let file = File::open(env::current_exe()?)?;
        let length = isize::try_from(file.metadata()?.len()).unwrap_or(isize::MAX);
        Ok(Self { file, reach: -length..=length })
    }
}

/// As Linux says in a file of its own.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mapped() -> io::Result<Option<Image>> {
    /// The running program, also if its file was replaced since.
    const EXECUTABLE: &str = "/proc/self/exe";

    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let lines: Vec<_> = maps.lines().filter_map(mapping).collect();
    let own = lines.iter().find(|(start, end, _)| (*start..*end).contains(&anchor()));
    let Some(&(.., path)) = own.filter(|(.., path)| path.starts_with('/')) else { return Ok(None) };
    let of_file = || lines.iter().filter(|(.., other)| *other == path);
    let distance = |address: usize| address.wrapping_sub(anchor()) as isize;
    let first = of_file().map(|(start, ..)| distance(*start)).min().unwrap_or_default();
    let last = of_file().map(|(_, end, _)| distance(*end)).max().unwrap_or_default();
    let is_executable =
        std::fs::read_link(EXECUTABLE).is_ok_and(|executable| executable.to_str() == Some(path));
    let file = File::open(if is_executable { EXECUTABLE } else { path })?;
    Ok(Some(Image { file, reach: first..=last }))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn mapped() -> io::Result<Option<Image>> {
    Ok(None)
}

/// The start, the end and the path of a line of that file: `start-end permissions offset device inode path`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn mapping(line: &str) -> Option<(usize, usize, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    // The path may have spaces, and stands behind some.
    let path = rest.splitn(5, ' ').nth(4)?.trim_start();
    Some((number(start)?, number(end)?, path))
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

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn lines_are_read() {
        let line = "55d0a000-55d0b000 r--p 00000000 fd:01 1837                       /a path/with spaces";
        assert_eq!(mapping(line), Some((0x55d0_a000, 0x55d0_b000, "/a path/with spaces")));
        assert_eq!(mapping("7ffd0000-7ffd1000 rw-p 00000000 00:00 0 "), Some((0x7ffd_0000, 0x7ffd_1000, "")));
        assert_eq!(mapping("nothing"), None);
    }
}
