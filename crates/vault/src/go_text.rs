//! Text the way Go's standard library writes it, since restic's trees and names are made by it: JSON
//! strings with `<`, `>`, `&` escaped, names quoted by `strconv.Quote`, times that may lie beyond ours.
//!
//! Invariant: what these functions write, Go's `encoding/json` writes byte for byte, so that a tree
//! decoded and encoded again by restic keeps its id.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// Appends a JSON string as Go writes it. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        push_valid(out, chunk.valid());
        if !chunk.invalid().is_empty() {
            (0..chunk.invalid().len()).for_each(|_| out.extend_from_slice(br"\ufffd"));
        }
    }
    out.push(b'"');
}

fn push_valid(out: &mut Vec<u8>, text: &str) {
    let plain = |b: u8| matches!(b, 0x20..=0x7e) && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&');
    if text.bytes().all(plain) {
        return out.extend_from_slice(text.as_bytes());
    }
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(br#"\""#),
            '\\' => out.extend_from_slice(br"\\"),
            '\n' => out.extend_from_slice(br"\n"),
            '\r' => out.extend_from_slice(br"\r"),
            '\t' => out.extend_from_slice(br"\t"),
            '\u{8}' => out.extend_from_slice(br"\b"),
            '\u{c}' => out.extend_from_slice(br"\f"),
            '<' | '>' | '&' | '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
            }
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// A file name as `strconv.Quote` gives it, without the quotes around it. Always valid UTF-8.
pub(crate) fn quote(name: &[u8]) -> Cow<'_, [u8]> {
    let plain = |&b: &u8| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\';
    if name.iter().all(plain) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for chunk in name.utf8_chunks() {
        chunk.valid().chars().for_each(|c| quote_char(&mut out, c));
        chunk.invalid().iter().for_each(|b| out.push_str(&format!("\\x{b:02x}")));
    }
    Cow::Owned(out.into_bytes())
}

fn quote_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        ' '..='~' => out.push(c),
        _ if printable(c) => out.push(c),
        _ if u32::from(c) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        _ if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// Go's `IsPrint`: letters, marks, numbers, punctuation and symbols. Rust's `Debug` escapes all others, and
/// combining marks where they come first, which is why a letter stands before.
fn printable(c: char) -> bool {
    let mut bytes = [b'a', 0, 0, 0, 0];
    c.encode_utf8(&mut bytes[1..]);
    let pair = std::str::from_utf8(&bytes[..1 + c.len_utf8()]).unwrap_or_default();
    !c.is_whitespace() && pair.escape_debug().count() == 2
}

/// The name that `quote` made this from, or `None` when it is no quoted text.
pub(crate) fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'"' | b'\n' => return None,
            b'\\' => rest = unescape(&mut out, rest)?,
            _ => out.push(first),
        }
    }
    Some(out)
}

/// Reads what follows a backslash; returns what follows the escape.
fn unescape<'a>(out: &mut Vec<u8>, text: &'a [u8]) -> Option<&'a [u8]> {
    let (&kind, rest) = text.split_first()?;
    let simple = match kind {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'"' => b'"',
        b'x' => return number(rest, 2, 16).map(|(n, rest)| (out.push(n as u8), rest).1),
        b'0'..=b'7' => {
            let (n, rest) = number(text, 3, 8)?;
            out.push(u8::try_from(n).ok()?);
            return Some(rest);
        }
        b'u' | b'U' => {
            let (n, rest) = number(rest, if kind == b'u' { 4 } else { 8 }, 16)?;
            let c = char::from_u32(n)?;
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(rest);
        }
        _ => return None,
    };
    out.push(simple);
    Some(rest)
}

fn number(text: &[u8], digits: usize, radix: u32) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(digits)?;
    let mut n = 0u32;
    for &b in head {
        n = n.checked_mul(radix)?.checked_add(char::from(b).to_digit(radix)?)?;
    }
    Some((n, rest))
}

/// Reads a time as RFC 3339; one beyond what we can hold becomes the epoch rather than an error, since a
/// file's odd time must not make its folder unreadable.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    Ok(text.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Go writes empty lists as `null`.
pub(crate) fn null_to_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive() {
        for name in
            [&b"plain"[..], b"tab\there", b"\xff\xfe", "ünïcödé ☃".as_bytes(), b"q\"b\\", b"a\xe2\x80\xa8"]
        {
            let quoted = quote(name);
            let text = std::str::from_utf8(&quoted).unwrap();
            assert_eq!(unquote(text).unwrap(), name, "{text}");
        }
    }

    #[test]
    fn bad_escapes_are_refused() {
        for text in ["\\", "\\x", "\\xg0", "\\u12", "\\q", "\\777", "\\uD800", "\""] {
            assert_eq!(unquote(text), None, "{text}");
        }
    }

    #[test]
    fn json_escapes_like_go() {
        let mut out = Vec::new();
        push_json(&mut out, b"<a&\"b\">\n\x01\xff");
        assert_eq!(out, br#""\u003ca\u0026\"b\"\u003e\n\u0001\ufffd""#);
    }
}
