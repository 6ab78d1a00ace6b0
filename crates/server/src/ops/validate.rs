//! What may stand in the fields that users fill.

use crate::{Error, Result};

/// How long a name may be, in characters.
const MAX_NAME: usize = 200;
/// How long a path or pattern may be, in bytes.
const MAX_PATH: usize = 4096;
/// How many paths or patterns a list may hold.
const MAX_PATHS: usize = 1000;

/// A name: 1 to 200 characters, none of them a control character.
pub fn name(field: &str, value: &str) -> Result<()> {
    let length = value.chars().count();
    if value.trim().is_empty() || length > MAX_NAME {
        return Err(Error::invalid(format!(
            "{field} has {length} characters; it takes 1 to {MAX_NAME}, not all blank."
        )));
    }
    if value.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{field} holds a control character.")));
    }
    Ok(())
}

/// A user name: 1 to 100 letters, digits or any of `. _ @ -`.
pub fn username(field: &str, value: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if value.is_empty() || value.len() > 100 || !value.chars().all(fits) {
        return Err(Error::invalid(format!("{field} takes 1 to 100 letters, digits or any of . _ @ -")));
    }
    Ok(())
}

/// A password: 12 to 1000 characters.
pub fn password(field: &str, value: &str) -> Result<()> {
    if !(12..=1000).contains(&value.chars().count()) {
        return Err(Error::invalid(format!("{field} takes 12 to 1000 characters.")));
    }
    Ok(())
}

/// A user of a machine: 1 to 64 letters, digits or any of `. _ - @ \ $`, no `-` at the front.
pub fn login(field: &str, value: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-@\\$".contains(c);
    if value.is_empty() || value.len() > 64 || value.starts_with('-') || !value.chars().all(fits) {
        return Err(Error::invalid(format!(
            "{field} takes 1 to 64 letters, digits or any of . _ - @ \\ $, with no - at the front."
        )));
    }
    Ok(())
}

/// A host's name or address.
pub fn host(field: &str, value: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let name = value.len() <= 253 && !value.starts_with(['-', '.']) && value.chars().all(fits);
    if value.is_empty() || !(name || value.parse::<std::net::IpAddr>().is_ok()) {
        return Err(Error::invalid(format!("{field}: {value:.100?} is neither a host name nor an address.")));
    }
    Ok(())
}

/// A path on a machine: absolute, no part of it `..`.
pub fn path(field: &str, value: &str) -> Result<()> {
    if !value.starts_with('/') {
        return Err(Error::invalid(format!("{field}: {value:.100?} is not an absolute path.")));
    }
    if value.split('/').any(|part| part == "..") {
        return Err(Error::invalid(format!("{field}: {value:.100?} holds `..`; say where it leads.")));
    }
    short(field, value)
}

/// Paths: 1 to 1000 of them.
pub fn paths(field: &str, values: &[String]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::invalid(format!("{field} is empty; it takes at least one absolute path.")));
    }
    few(field, values)?;
    values.iter().try_for_each(|value| path(field, value))
}

/// Patterns: up to 1000 of them.
pub fn patterns(field: &str, values: &[String]) -> Result<()> {
    few(field, values)?;
    values.iter().try_for_each(|value| {
        if value.is_empty() {
            return Err(Error::invalid(format!("{field} holds an empty pattern.")));
        }
        if value.split('/').any(|part| part == "..") {
            return Err(Error::invalid(format!(
                "{field}: {value:.100?} holds `..`, which no path in a backup does."
            )));
        }
        short(field, value)
    })
}

/// Mail addresses with commas between them, in all up to 1000 bytes.
pub fn emails(field: &str, value: &str) -> Result<()> {
    let fits = |address: &str| {
        let plain = |c: char| c.is_ascii_graphic() && !"<>()[]:;,\"\\".contains(c);
        let parts = address.split_once('@');
        let named = parts
            .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty() && !domain.contains('@'));
        named && address.len() <= 254 && address.chars().all(plain)
    };
    match value.split(',').map(str::trim).find(|address| !fits(address)) {
        Some(wrong) => Err(Error::invalid(format!("{field}: {wrong:.100?} is no mail address."))),
        None if value.len() > 1000 => Err(Error::invalid(format!("{field} takes up to 1000 bytes."))),
        None => Ok(()),
    }
}

fn few(field: &str, values: &[String]) -> Result<()> {
    if values.len() > MAX_PATHS {
        return Err(Error::invalid(format!(
            "{field} has {} entries; it takes up to {MAX_PATHS}.",
            values.len()
        )));
    }
    Ok(())
}

fn short(field: &str, value: &str) -> Result<()> {
    if value.len() > MAX_PATH || value.contains('\0') {
        return Err(Error::invalid(format!("{field}: a path has up to {MAX_PATH} bytes, and no NUL.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{emails, name, path, paths, patterns};

    #[test]
    fn names() {
        assert!(name("name", "daily sql ☂").is_ok());
        for wrong in ["", "  ", "a\nb", "x".repeat(201).as_str()] {
            assert!(name("name", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn mail_addresses() {
        assert!(emails("email", "a@example.org, b.c+d@example.org").is_ok());
        for wrong in ["", "a", "@b", "a@", "a@b@c", "a@b,", "a b@c", "a@b\r\nBcc: d@e", "<a@b>"] {
            assert!(emails("email", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn paths_and_patterns() {
        assert!(path("path", "/var/lib/..data").is_ok());
        for wrong in ["", "relative", "/a/../b", "/..", "/a\0b", &format!("/{}", "x".repeat(4096))] {
            assert!(path("path", wrong).is_err(), "{wrong:?}");
        }
        assert!(paths("inclusions", &[]).is_err());
        assert!(paths("inclusions", &vec!["/a".to_owned(); 1001]).is_err());
        assert!(patterns("exclusions", &[]).is_ok());
        assert!(patterns("exclusions", &["*.o".into(), "../x".into()]).is_err());
    }
}
