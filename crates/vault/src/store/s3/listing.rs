//! Answers in XML: lists of objects, and errors. Source: "ListObjectsV2" and "REST error responses" in
//! Amazon S3's API reference.
//!
//! No whole XML: these answers have plain elements without attributes that matter, and what is not as
//! expected is no list.

use jiff::Timestamp;

/// What a list tells of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) key: String,
    /// In bytes.
    pub(super) size: u64,
    /// When it was written.
    pub(super) modified: Option<Timestamp>,
}

/// A page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) objects: Vec<Object>,
    /// What to ask the next page with.
    pub(super) next: Option<String>,
}

impl Listing {
    /// Reads a page; `None` if this is none.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (_, mut rest) = text.split_once("<ListBucketResult")?;
        let (head, _) = rest.split_once("</ListBucketResult>")?;
        let truncated = element(head, "IsTruncated") == Some("true");
        let next = element(head, "NextContinuationToken").filter(|_| truncated).map(unescape);
        rest = head;
        let mut objects = Vec::new();
        while let Some((_, after)) = rest.split_once("<Contents>") {
            let (object, after) = after.split_once("</Contents>")?;
            objects.push(Object {
                key: unescape(element(object, "Key")?),
                size: element(object, "Size")?.trim().parse().ok()?,
                modified: element(object, "LastModified").and_then(|time| time.trim().parse().ok()),
            });
            rest = after;
        }
        // A list that is not at its end must say how to go on.
        (!truncated || next.is_some()).then_some(Self { objects, next })
    }
}

/// The code and the message of an error.
pub(super) fn problem(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, error) = text.split_once("<Error>")?;
    let code = unescape(element(error, "Code")?);
    Some((code, element(error, "Message").map(unescape).unwrap_or_default()))
}

/// The text of the first element of this name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Text with its entities resolved; unknown ones stay.
fn unescape(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let known = after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        match known {
            Some((c, after)) => {
                plain.push(c);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<?xml version="1.0"?><ListBucketResult xmlns="x"><Name>b</Name><IsTruncated>true</IsTruncated>
        <Contents><Key>a/&amp;&#x31;&#50;&odd;</Key><Size>12</Size></Contents><Contents><Key>b</Key>
        <LastModified>1970-01-01T00:00:07.000Z</LastModified><Size>0</Size></Contents>
        <NextContinuationToken>t&lt;</NextContinuationToken></ListBucketResult>"#;

    #[test]
    fn pages_are_read() {
        let object = |key: &str, size, modified| Object { key: key.to_owned(), size, modified };
        let written = Timestamp::from_second(7).unwrap();
        let objects = vec![object("a/&12&odd;", 12, None), object("b", 0, Some(written))];
        assert_eq!(Listing::parse(PAGE.as_bytes()), Some(Listing { objects, next: Some("t<".to_owned()) }));
        let last = PAGE.replace("true", "false");
        assert_eq!(Listing::parse(last.as_bytes()).unwrap().next, None);
        assert_eq!(Listing::parse(b"<html>"), None);
        assert_eq!(
            Listing::parse(PAGE.replace("Token", "Nothing").as_bytes()),
            None,
            "there is more, but where"
        );
    }

    #[test]
    fn errors_are_read() {
        let body = b"<?xml?><Error><Code>NoSuchKey</Code><Message>It is &quot;gone&quot;</Message></Error>";
        assert_eq!(problem(body), Some(("NoSuchKey".to_owned(), "It is \"gone\"".to_owned())));
        assert_eq!(problem(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn mutated_pages_never_panic(at in 0..PAGE.len(), byte: u8, cut in 0..PAGE.len()) {
            let mut page = PAGE.as_bytes().to_vec();
            page[at] = byte;
            let _ = (Listing::parse(&page), Listing::parse(&page[..cut]), problem(&page));
        }
    }
}
