//! Files in the folders themselves that say what to leave out of them, as `.gitignore` does.
//!
//! Source: gitignore(5), "Pattern format". One pattern a line; blank lines and those that begin with `#`
//! say nothing. A pattern with a slash before its end counts from the folder that holds the file, any other
//! matches names at every depth beneath. A slash at the end: folders only. `!` takes names back in; the last
//! pattern that matches decides, those of deeper folders after those above. What lies in a folder that is
//! left out cannot be taken back in.
//!
//! Whoever writes such a file decides what of that folder is kept, so they are read only where asked for.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::run::Run;
use crate::error::Result;
use crate::filter::Filter;
use crate::monitor::FileErrorKind;

/// Longer files are read so far, in bytes.
const MAX_LENGTH: u64 = 1 << 20;

/// The rules that hold in a folder: its own, then those of the folders above.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// How many components the path of the folder has that they count from.
    depth: usize,
    above: Option<Arc<Self>>,
}

#[derive(Debug)]
struct Rule {
    negated: bool,
    dirs_only: bool,
    pattern: Filter,
}

impl Rules {
    /// The rules in a folder, where `above` hold, with those that its own files of these names bring. What
    /// such a file says that makes no sense is told, and passed by.
    pub(super) fn enter(
        above: Option<&Arc<Self>>,
        dir: &OwnedFd,
        path: &Path,
        names: &[String],
        run: &Run<'_>,
    ) -> Option<Arc<Self>> {
        let mut rules = Vec::new();
        for name in names {
            match read(dir, name) {
                Ok(Some(text)) => parse(&text, &mut rules, |line| {
                    let reason = format!("line {line} is no pattern");
                    run.warn(&path.join(name), FileErrorKind::Read, &reason);
                }),
                Ok(None) => {}
                Err(errno) => run.error(&path.join(name), FileErrorKind::Read, errno),
            }
        }
        if rules.is_empty() {
            return above.cloned();
        }
        let depth = path.components().count();
        Some(Arc::new(Self { rules, depth, above: above.cloned() }))
    }

    /// Whether an entry, at its absolute path, is to be left out.
    pub(super) fn leave_out(&self, path: &Path, is_dir: bool) -> bool {
        let mut here = Some(self);
        while let Some(rules) = here {
            let beneath: PathBuf = path.components().skip(rules.depth).collect();
            let decides = |rule: &&Rule| (is_dir || !rule.dirs_only) && rule.pattern.names(&beneath);
            if let Some(rule) = rules.rules.iter().rev().find(decides) {
                return !rule.negated;
            }
            here = rules.above.as_deref();
        }
        false
    }
}

/// The text of a file of rules; `None` where there is none.
fn read(dir: &OwnedFd, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    // Whatever has this name may be a pipe: opening it must not wait.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(dir, name, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::INVAL) => return Ok(None),
        other => other?,
    };
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let mut text = Vec::new();
    let read = std::fs::File::from(file).take(MAX_LENGTH).read_to_end(&mut text);
    match read {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
    }
}

/// Adds the rules of a text; gives the numbers of lines that make no sense.
fn parse(text: &[u8], rules: &mut Vec<Rule>, mut refuse: impl FnMut(usize)) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        match parse_line(&String::from_utf8_lossy(line)) {
            Some(Ok(rule)) => rules.push(rule),
            Some(Err(_)) => refuse(number + 1),
            None => {}
        }
    }
}

fn parse_line(line: &str) -> Option<Result<Rule>> {
    let line = trim_end(line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (negated, text) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
    let (dirs_only, text) = text.strip_suffix('/').map_or((false, text), |rest| (true, rest));
    let anchored = text.contains('/');
    let text = text.trim_start_matches('/');
    if text.is_empty() {
        return None;
    }
    // A leading backslash keeps `!` and `#` from meaning anything, as it does inside a pattern.
    let text = text.replace("[!", "[^");
    let inside = text.strip_suffix("/**").map_or_else(|| text.clone(), |folder| format!("{folder}/**/*"));
    let pattern = if anchored { format!("/{inside}") } else { format!("/**/{inside}") };
    Some(Filter::new(&[pattern]).map(|pattern| Rule { negated, dirs_only, pattern }))
}

/// Without blanks at the end, but for one that a backslash stands before.
fn trim_end(line: &str) -> &str {
    let trimmed = line.trim_end_matches([' ', '\t']);
    let backslashes = trimmed.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if backslashes % 2 == 1 && trimmed.len() < line.len() { &line[..=trimmed.len()] } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(text: &str, path: &str, is_dir: bool) -> bool {
        let mut rules = Vec::new();
        parse(text.as_bytes(), &mut rules, |line| panic!("line {line}"));
        Rules { rules, depth: 2, above: None }.leave_out(Path::new(path), is_dir)
    }

    #[test]
    fn patterns_mean_what_git_says() {
        for (text, path, is_dir, expected) in [
            ("*.o", "/src/a.o", false, true),
            ("*.o", "/src/deep/er/a.o", false, true),
            ("/*.o", "/src/deep/a.o", false, false),
            ("deep/a.o", "/src/deep/a.o", false, true),
            ("deep/a.o", "/src/x/deep/a.o", false, false),
            ("**/deep/a.o", "/src/x/deep/a.o", false, true),
            ("deep/**/a", "/src/deep/x/y/a", false, true),
            ("target/", "/src/target", true, true),
            ("target/", "/src/target", false, false),
            ("deep/**", "/src/deep", true, false),
            ("deep/**", "/src/deep/x", false, true),
            ("*.log\n!keep.log", "/src/keep.log", false, false),
            ("!keep.log\n*.log", "/src/keep.log", false, true),
            ("# a word\n\n", "/src/# a word", false, false),
            ("\\#odd", "/src/#odd", false, true),
            ("\\!odd", "/src/!odd", false, true),
            ("blank \t\r\n", "/src/blank", false, true),
            ("blank\\ ", "/src/blank ", false, true),
            ("[!a]b", "/src/cb", false, true),
            ("[!a]b", "/src/ab", false, false),
            ("/", "/src/a", false, false),
            ("\u{feff}first", "/src/first", false, true),
        ] {
            assert_eq!(left_out(text, path, is_dir), expected, "{text:?} {path}");
        }
    }

    #[test]
    fn deeper_rules_come_after_those_above() {
        let rules = |text: &str, depth, above| {
            let mut rules = Vec::new();
            parse(text.as_bytes(), &mut rules, |_| panic!());
            Arc::new(Rules { rules, depth, above })
        };
        let above = rules("*.log\n*.tmp", 2, None);
        let deeper = rules("!*.log", 3, Some(above));
        let out = |path: &str| deeper.leave_out(Path::new(path), false);
        assert!(!out("/src/sub/a.log") && out("/src/sub/a.tmp") && !out("/src/sub/a.txt"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: Vec<u8>, path in "/[a-c/]{0,9}") {
            let mut rules = Vec::new();
            parse(&text, &mut rules, |_| ());
            Rules { rules, depth: 1, above: None }.leave_out(Path::new(&path), true);
        }
    }
}
