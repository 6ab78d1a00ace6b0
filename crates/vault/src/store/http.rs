//! What the stores that speak HTTP have in common.
//!
//! Connections are kept and shared by all threads. Redirects are not followed, no proxy is asked but
//! one that is named, bodies are read no further than a limit.

use std::time::Duration;

use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use crate::error::{Error, ErrorKind, Result};

/// The largest file read whole; restic's packs may be 128 MiB.
pub(super) const MAX_FILE: u64 = 1 << 30;
/// What an answer that tells of an error may hold.
pub(super) const MAX_PROBLEM: u64 = 64 << 10;

/// A client that trusts these certificates alone, or the public ones, puts up with so long a silence, and goes through
/// this proxy if there is one.
pub(super) fn agent(ca_pem: Option<&[u8]>, timeout: Option<Duration>, proxy: Option<&str>) -> Result<Agent> {
    let unusable = |e| Error::new(ErrorKind::Invalid, "the proxy cannot be used").with_source(e);
    let proxy = proxy.map(Proxy::new).transpose().map_err(unusable)?;
    let silence = timeout.unwrap_or(Duration::from_secs(60));
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy)
        .timeout_connect(Some(silence.min(Duration::from_secs(20))))
        .timeout_per_read(Some(silence))
        .timeout_per_write(Some(silence))
        .timeout_recv_response(Some(silence * 2))
        .user_agent(concat!("roadstead/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls(ca_pem)?);
    Ok(config.build().new_agent())
}

/// Fails with [`ErrorKind::Invalid`] unless this is a URL that these stores can use.
pub(super) fn require_http(url: &str) -> Result<()> {
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Invalid, format!("not an HTTP URL: {url}")))
    }
}

fn tls(ca_pem: Option<&[u8]>) -> Result<TlsConfig> {
    let Some(pem) = ca_pem else { return Ok(TlsConfig::default()) };
    let mut roots = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        match item.map_err(|e| Error::new(ErrorKind::Invalid, "reading CA certificates").with_source(e))? {
            ureq::tls::PemItem::Certificate(certificate) => roots.push(certificate),
            _ => return Err(Error::new(ErrorKind::Invalid, "the CA certificates contain something else")),
        }
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::from(roots)).build())
}

/// An answer that did not come.
pub(super) fn transport_error(doing: &str, error: ureq::Error) -> Error {
    let kind = match &error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => ErrorKind::Unreachable,
        ureq::Error::BodyExceedsLimit(_) => ErrorKind::Damaged,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => ErrorKind::Invalid,
        _ => ErrorKind::Io,
    };
    Error::new(kind, doing).with_source(error)
}

/// What an error status means.
pub(super) fn status_kind(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        413 | 507 => ErrorKind::Full,
        416 => ErrorKind::Damaged,
        408 | 425 | 429 | 500 | 502 | 503 | 504 => ErrorKind::Unreachable,
        400..500 => ErrorKind::Invalid,
        _ => ErrorKind::Io,
    }
}

/// The body of an answer, up to a limit in bytes.
pub(super) fn read_body(doing: &str, mut response: Response<Body>, limit: u64) -> Result<Vec<u8>> {
    // The library counts the read that finds the end, too.
    let body = response.body_mut().with_config().limit(limit + 1).read_to_vec();
    body.map_err(|e| transport_error(doing, e))
}

/// The part of a file that was asked for, out of the answer to a request with a range.
pub(super) fn read_part(doing: &str, response: Response<Body>, length: usize) -> Result<Vec<u8>> {
    require_part(doing, &response)?;
    let bytes = read_body(doing, response, length as u64)?;
    if bytes.len() == length {
        Ok(bytes)
    } else {
        Err(Error::damaged(format!("{doing}: the file is shorter than it should be")))
    }
}

/// Fails unless an answer has the part of the file that was asked for.
pub(super) fn require_part(doing: &str, response: &Response<Body>) -> Result<()> {
    match response.status().as_u16() {
        206 => Ok(()),
        _ => Err(Error::new(ErrorKind::Unsupported, format!("{doing}: the server ignores ranges"))),
    }
}

/// The value of a `Range` header; `length` is not 0.
pub(super) fn range(offset: u64, length: u64) -> String {
    format!("bytes={offset}-{}", offset.saturating_add(length) - 1)
}

/// The length that an answer to HEAD tells.
pub(super) fn told_length(doing: &str, response: &Response<Body>) -> Result<u64> {
    let length = response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    length.ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{doing}: the server told no size")))
}
