//! What a configuration includes and leaves out, seen together: an exclusion that can leave nothing out is a mistake.

use crate::{Error, Result};

/// Refuses an exclusion that lies outside of every inclusion. Only patterns that begin at the root can be judged: others
/// match anywhere.
pub fn exclusions(inclusions: &[String], exclusions: &[String]) -> Result<()> {
    for exclusion in exclusions {
        if !can_leave_out(inclusions, exclusion) {
            return Err(Error::invalid(format!(
                "exclusions: {exclusion:.200?} lies outside of every inclusion, so it would leave nothing out. Inclusions: \
                 {:.500}.",
                inclusions.join(", ")
            )));
        }
    }
    Ok(())
}

/// Whether an exclusion may have something to leave out of these inclusions.
pub fn can_leave_out(inclusions: &[String], exclusion: &str) -> bool {
    let pattern = exclusion.strip_prefix('!').unwrap_or(exclusion);
    !pattern.starts_with('/') || inclusions.iter().any(|inclusion| reaches(pattern, inclusion))
}

/// Whether a pattern can match something beneath a path.
fn reaches(pattern: &str, path: &str) -> bool {
    let mut parts = parts(pattern);
    for name in self::parts(path) {
        match parts.next() {
            // It is used up above the path: if at all, it matches all of it.
            None => return false,
            Some("**") => return true,
            Some(part) if !is_glob(part) && literal(part) != name => return false,
            Some(_) => {}
        }
    }
    true
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

fn is_glob(part: &str) -> bool {
    let mut letters = part.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// A part without its backslashes, each of which takes the next letter as it is.
fn literal(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    let mut letters = part.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::exclusions;

    fn check(inclusions: &[&str], exclusion: &str) -> bool {
        let inclusions: Vec<String> = inclusions.iter().map(|&path| path.to_owned()).collect();
        exclusions(&inclusions, &[exclusion.to_owned()]).is_ok()
    }

    #[test]
    fn exclusions_beneath_an_inclusion_or_anywhere_are_taken() {
        for good in [
            "*.tmp",
            "cache/",
            "/home/ann/cache",
            "/home/*/cache",
            "/**/cache",
            "/home",
            "/var/log/*.gz",
            "!/home/ann/keep",
        ] {
            assert!(check(&["/home", "/var/log"], good), "{good}");
        }
        assert!(check(&["/"], "/proc"));
        assert!(check(&["/srv/a*b"], "/srv/a\\*b/c"));
        assert!(check(&["/home/ann"], "/home/*/x"));
    }

    #[test]
    fn exclusions_outside_of_every_inclusion_are_refused() {
        for wrong in ["/var/log", "/home2", "/homes/x", "/etc/*"] {
            assert!(!check(&["/home", "/srv"], wrong), "{wrong}");
        }
        assert!(!check(&["/home/ann"], "/home/bob/x"));
        assert!(!check(&["/home/ann"], "/home"));
    }
}
