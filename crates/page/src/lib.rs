//! The built web page, as part of the binary.
//!
//! `cargo xtask build` builds `ui/` into `ui/dist`, and this crate takes in what lies there: each file as it is and,
//! where that makes it smaller, as `.br` and `.gz` beside it, so that nothing is compressed while somebody waits. A
//! build without the page has no files at all.

use std::borrow::Cow;

use rust_embed::Embed;

/// The file that every page begins with.
pub const INDEX: &str = "index.html";
/// Where the files lie whose names hold a hash of what they say: a name never gets another content.
const HASHED: &str = "assets/";

#[derive(Embed)]
#[folder = "../../ui/dist"]
struct Dist;

/// A file of the page, in the form that the browser takes.
pub struct Asset {
    /// What it holds, perhaps compressed.
    pub bytes: Cow<'static, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `Content-Encoding`, where it is compressed.
    pub encoding: Option<&'static str>,
    /// Whether its content never changes under its name.
    pub immutable: bool,
}

/// Whether this build has the page.
pub fn is_built() -> bool {
    Dist::get(INDEX).is_some()
}

/// The file of this path, without the slash in front. `accept_encoding` is the request's header of that name.
pub fn asset(path: &str, accept_encoding: &str) -> Option<Asset> {
    let content_type = content_type(path)?;
    let compressed = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(name, suffix)| {
        let file = accepts(accept_encoding, name).then(|| Dist::get(&format!("{path}{suffix}")))??;
        Some((file, Some(name)))
    });
    let (file, encoding) = match compressed {
        Some(found) => found,
        None => (Dist::get(path)?, None),
    };
    Some(Asset { bytes: file.data, content_type, encoding, immutable: path.starts_with(HASHED) })
}

/// What a file is, by its name. Files of other kinds are not given out, compressed ones by their own name among them.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// Whether an `Accept-Encoding` (RFC 9110, 12.5.3) takes this encoding; a weight of nothing refuses it.
fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0));
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::{accepts, asset, content_type};

    #[test]
    fn an_encoding_is_taken_where_it_is_named_and_not_refused() {
        for header in ["br", "gzip, deflate, br, zstd", "gzip;q=0.5, BR;q=1.0"] {
            assert!(accepts(header, "br"), "{header}");
        }
        for header in ["", "gzip", "brotli", "br;q=0", "gzip, br; q=0.000"] {
            assert!(!accepts(header, "br"), "{header}");
        }
    }

    #[test]
    fn only_files_of_known_kinds_are_given_out() {
        assert_eq!(content_type("assets/index-abc.js"), Some("text/javascript; charset=utf-8"));
        for path in ["", "assets/index-abc.js.br", "index", "../Cargo.toml", ".gitignore"] {
            assert!(asset(path, "br").is_none(), "{path}");
        }
    }
}
