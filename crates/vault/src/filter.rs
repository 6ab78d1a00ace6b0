//! Patterns for paths, as restic's `--exclude` and `--include` take them.
//!
//! A pattern is split at slashes. Each part is matched against one component of the path: `*` any run of
//! characters, `?` one, `[a-z]` and `[^a-z]` classes, `\` takes the next one literally. `**` stands for
//! any number of components. A pattern that begins with a slash matches from the root, others anywhere.
//! The whole pattern must match consecutive components; what lies beneath a match matches too. A leading
//! `!` takes back what earlier patterns matched. Source: restic's manual, "Excluding files".

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use crate::error::{Error, ErrorKind, Result};

/// The patterns in a file, one a line, as `--exclude-file` takes them. Blank lines and those that begin with
/// `#` are none; blanks around a pattern do not count. [`ErrorKind::Invalid`] when it is no text.
pub fn read_patterns(file: &Path) -> Result<Vec<String>> {
    let failed = || format!("reading patterns from {}", file.display());
    let bytes = std::fs::read(file).map_err(|e| Error::io(failed(), e))?;
    let text =
        String::from_utf8(bytes).map_err(|e| Error::new(ErrorKind::Invalid, failed()).with_source(e))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// A list of patterns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    negated: bool,
    absolute: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Glob(Vec<u8>),
    AnyDepth,
}

impl Filter {
    /// Parses patterns; empty ones are ignored. [`ErrorKind::Invalid`] names one that is malformed.
    pub(crate) fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self> {
        let given = patterns.iter().map(AsRef::as_ref).filter(|text| !text.is_empty());
        Ok(Self { patterns: given.map(Pattern::parse).collect::<Result<_>>()? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the path itself or a folder above it matches.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        let path = components(path);
        self.patterns.iter().fold(false, |matched, pattern| match pattern.negated {
            true => matched && !pattern.matches(&path),
            false => matched || pattern.matches(&path),
        })
    }

    /// Whether the path itself matches, and not only a folder above it.
    pub(crate) fn names(&self, path: &Path) -> bool {
        let path = components(path);
        self.patterns.iter().fold(false, |matched, pattern| match pattern.negated {
            true => matched && !pattern.names(&path),
            false => matched || pattern.names(&path),
        })
    }

    /// Whether [`Filter::names`] depends on nothing but the last component of a path.
    pub(crate) fn looks_at_names_alone(&self) -> bool {
        let alone = |pattern: &Pattern| !pattern.absolute && pattern.parts.len() < 2;
        self.patterns.iter().all(alone)
    }

    /// Whether something beneath the folder `path` may match.
    pub(crate) fn may_match_beneath(&self, path: &Path) -> bool {
        let path = components(path);
        self.patterns.iter().any(|pattern| !pattern.negated && pattern.may_match_beneath(&path))
    }
}

fn components(path: &Path) -> Vec<&[u8]> {
    let normal = |component| match component {
        Component::Normal(name) => Some(OsStr::as_bytes(name)),
        _ => None,
    };
    path.components().filter_map(normal).collect()
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let invalid = || Error::new(ErrorKind::Invalid, format!("malformed pattern {text:.200}"));
        let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
        let parts = parts.map(|part| Part::parse(part).ok_or_else(invalid)).collect::<Result<Vec<_>>>()?;
        Ok(Self { negated, absolute: text.starts_with('/'), parts })
    }

    fn matches(&self, path: &[&[u8]]) -> bool {
        if self.absolute {
            return prefix_matches(&self.parts, path);
        }
        !self.parts.is_empty() && (0..path.len()).any(|start| prefix_matches(&self.parts, &path[start..]))
    }

    fn names(&self, path: &[&[u8]]) -> bool {
        if self.absolute {
            return whole_matches(&self.parts, path);
        }
        !self.parts.is_empty() && (0..path.len()).any(|start| whole_matches(&self.parts, &path[start..]))
    }

    fn may_match_beneath(&self, path: &[&[u8]]) -> bool {
        if !self.absolute {
            return true;
        }
        for (i, part) in self.parts.iter().enumerate() {
            match path.get(i) {
                _ if *part == Part::AnyDepth => return true,
                None => return true,
                Some(name) if part.matches(name) => {}
                Some(_) => return false,
            }
        }
        true
    }
}

/// Whether the parts match the first components, however many they need.
fn prefix_matches(parts: &[Part], path: &[&[u8]]) -> bool {
    match parts.split_first() {
        None => true,
        Some((Part::AnyDepth, rest)) => (0..=path.len()).any(|skip| prefix_matches(rest, &path[skip..])),
        Some((part, rest)) => match path.split_first() {
            Some((name, path)) => part.matches(name) && prefix_matches(rest, path),
            None => false,
        },
    }
}

/// Whether the parts match all components.
fn whole_matches(parts: &[Part], path: &[&[u8]]) -> bool {
    match parts.split_first() {
        None => path.is_empty(),
        Some((Part::AnyDepth, rest)) => (0..=path.len()).any(|skip| whole_matches(rest, &path[skip..])),
        Some((part, rest)) => match path.split_first() {
            Some((name, path)) => part.matches(name) && whole_matches(rest, path),
            None => false,
        },
    }
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let glob = text.as_bytes();
        match glob {
            b"**" => Some(Self::AnyDepth),
            _ if !text.contains(['*', '?', '[', '\\']) => Some(Self::Literal(glob.to_vec())),
            _ => well_formed(glob).then(|| Self::Glob(glob.to_vec())),
        }
    }

    fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Glob(glob) => glob_matches(glob, name),
            Self::AnyDepth => true,
        }
    }
}

/// Whether every class is closed and every backslash is followed by something.
fn well_formed(mut glob: &[u8]) -> bool {
    while let Some((&first, rest)) = glob.split_first() {
        glob = match first {
            b'[' => match class(rest, 'a') {
                Some((_, rest)) => rest,
                None => return false,
            },
            b'\\' if rest.is_empty() => return false,
            b'\\' => &rest[1..],
            _ => rest,
        };
    }
    true
}

/// Matches with one point of return for the last `*`, which is enough for globs.
fn glob_matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut g, mut n) = (glob, name);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = g.strip_prefix(b"*") {
            retry = Some((rest, n));
            g = rest;
        } else if g.is_empty() && n.is_empty() {
            return true;
        } else if let Some((rest_glob, rest_name)) = step(g, n) {
            (g, n) = (rest_glob, rest_name);
        } else {
            // Let the last `*` take one character more.
            let Some((after, taken)) = retry else { return false };
            let Some((_, rest)) = first_char(taken) else { return false };
            retry = Some((after, rest));
            (g, n) = (after, rest);
        }
    }
}

/// Matches one element of the glob, other than `*`, with one character.
fn step<'g, 'n>(glob: &'g [u8], name: &'n [u8]) -> Option<(&'g [u8], &'n [u8])> {
    let (c, rest_name) = first_char(name)?;
    let (&first, rest) = glob.split_first()?;
    match first {
        b'?' => Some((rest, rest_name)),
        b'[' => class(rest, c).filter(|(hit, _)| *hit).map(|(_, rest)| (rest, rest_name)),
        b'\\' => (rest.first() == name.first()).then(|| (&rest[1..], &name[1..])),
        _ => (first == name[0]).then(|| (rest, &name[1..])),
    }
}

/// The first character of a name; bytes that are no UTF-8 count as one each.
fn first_char(name: &[u8]) -> Option<(char, &[u8])> {
    let chunk = name.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(c) => Some((c, &name[c.len_utf8()..])),
        None => Some((char::REPLACEMENT_CHARACTER, &name[1..])),
    }
}

/// Reads a class after its `[`: whether `c` is in it, and what follows it. `None` when malformed.
fn class(glob: &[u8], c: char) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = glob.strip_prefix(b"^").map_or((false, glob), |rest| (true, rest));
    let mut hit = false;
    let mut first = true;
    loop {
        if !first && rest.first() == Some(&b']') {
            return Some((hit != negated, &rest[1..]));
        }
        first = false;
        let (low, after) = class_char(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(after) => class_char(after)?,
            None => (low, after),
        };
        hit |= (low..=high).contains(&c);
        rest = after;
    }
}

fn class_char(glob: &[u8]) -> Option<(char, &[u8])> {
    match glob.split_first()? {
        (b'-' | b']', _) => None,
        (b'\\', rest) => first_char(rest),
        _ => first_char(glob),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Filter::new(&[pattern]).unwrap().matches(Path::new(path))
    }

    #[test]
    fn matches_as_restic_documents() {
        for (pattern, path, expected) in [
            ("*.go", "/home/user/file.go", true),
            ("*.go", "/home/user/file.c", false),
            ("foo/**/bar", "/foo/bar", true),
            ("foo/**/bar", "/a/foo/x/y/bar/deep", true),
            ("/home/*/tmp", "/home/me/tmp/x", true),
            ("/home/*/tmp", "/data/home/me/tmp", false),
            ("home/me", "/srv/home/me/x", true),
            ("/", "/anything", true),
            ("a?c", "/x/abc", true),
            ("a?c", "/x/aüc", true),
            ("[a-c]x", "/bx", true),
            ("[^a-c]x", "/bx", false),
            (r"\*x", "/*x", true),
            (r"\*x", "/ax", false),
            ("*a*b*", "/xaxxbx", true),
            ("ends/", "/ends", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn negation_takes_back() {
        let filter = Filter::new(&["*.log", "!keep.log", ""]).unwrap();
        assert!(filter.matches(Path::new("/a/x.log")));
        assert!(!filter.matches(Path::new("/a/keep.log")));
    }

    #[test]
    fn the_entry_itself() {
        for (pattern, path, expected) in [
            ("*.go", "/home/file.go", true),
            ("*.go", "/home/folder.go/file.c", false),
            ("b", "/a/b/c/b", true),
            ("a/b", "/x/a/b", true),
            ("a/b", "/a/b/c", false),
            ("/a/**/z", "/a/b/c/z", true),
            ("/a", "/x/a", false),
        ] {
            assert_eq!(Filter::new(&[pattern]).unwrap().names(Path::new(path)), expected, "{pattern} {path}");
        }
        let alone = |pattern: &str| Filter::new(&[pattern]).unwrap().looks_at_names_alone();
        assert!(alone("*.go") && !alone("/a") && !alone("a/b"));
    }

    #[test]
    fn beneath() {
        let filter = Filter::new(&["/home/me/docs"]).unwrap();
        for (path, expected) in
            [("/", true), ("/home", true), ("/home/you", false), ("/home/me/docs/x", true)]
        {
            assert_eq!(filter.may_match_beneath(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["[a", "[]a]", "x\\", "[a-]"] {
            assert!(Filter::new(&[pattern]).is_err(), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(pattern in r"[a\[\]\*\?\\^!/-]{0,12}", path in "/[a-b/]{0,12}") {
            if let Ok(filter) = Filter::new(&[pattern]) {
                let _ = (filter.names(Path::new(&path)), filter.matches(Path::new(&path)));
                let _ = (filter.looks_at_names_alone(), filter.may_match_beneath(Path::new(&path)));
            }
        }
    }
}
