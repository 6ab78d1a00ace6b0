//! The HTTP proxy that the agent reaches its server through, where there is one.
//!
//! A proxy that was named at enrolment holds; else what the environment says when a connection is made: `HTTPS_PROXY`
//! (or `HTTP_PROXY` for plain HTTP, which goes to loopback only), unless `NO_PROXY` names the server. Connections go
//! through it by `CONNECT` (RFC 9110, section 9.3.6), so it sees host and port and nothing else: TLS is with the server.

use std::{env, net::IpAddr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::http::Uri;

use crate::{
    error::{Error, ErrorKind, Result},
    server_url::ServerUrl,
};

/// How long the head of a proxy's answer may be, in bytes.
const MAX_HEAD: usize = 8 << 10;

/// A proxy: an `http` URL, perhaps with user and password. No `Debug`, for the password's sake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ProxyUrl(String);

impl ProxyUrl {
    /// Checks a URL. Without a scheme it is `http`.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::new(ErrorKind::Address, format!("the proxy's address {why}"));
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|e| refuse("is not a URL").caused_by(e))?;
        match (uri.scheme_str(), uri.authority()) {
            (Some("http"), Some(authority)) if !authority.host().is_empty() => {
                Ok(Self(format!("http://{authority}")))
            }
            (Some("http"), _) => Err(refuse("names no host")),
            _ => Err(refuse("has to begin with http: TLS is with the server, through the proxy")),
        }
    }

    /// The URL, with what it holds of user and password.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn authority(&self) -> &str {
        self.0.strip_prefix("http://").unwrap_or_default()
    }

    /// Host and port; 80 where none is said.
    fn host_and_port(&self) -> (&str, u16) {
        let authority = self.authority().rsplit('@').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(80)),
            _ => (authority, 80),
        };
        (host.trim_matches(['[', ']']), port)
    }

    /// What proves to the proxy who asks.
    fn authorization(&self) -> Option<String> {
        let (user, _) = self.authority().rsplit_once('@')?;
        Some(format!("Basic {}", STANDARD.encode(decoded(user))))
    }

    /// Connects to a host through the proxy.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream> {
        let (proxy, proxy_port) = self.host_and_port();
        let failed = |e| {
            let context = format!("the proxy {proxy}:{proxy_port} cannot be reached");
            Error::new(ErrorKind::Link, context).caused_by(e)
        };
        let mut stream = TcpStream::connect((proxy, proxy_port)).await.map_err(failed)?;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = self.authorization() {
            request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let head = read_head(&mut stream).await.map_err(failed)?;
        match status(&head) {
            Some(200..=299) => Ok(stream),
            Some(407) => Err(self.refused("wants a user and a password, or others")),
            Some(status) => Err(self.refused(&format!("answered {status} when asked for {target}"))),
            None => Err(self.refused("does not answer as HTTP proxies do")),
        }
    }

    fn refused(&self, why: &str) -> Error {
        let (proxy, port) = self.host_and_port();
        Error::new(ErrorKind::Link, format!("the proxy {proxy}:{port} {why}"))
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ProxyUrl> for String {
    fn from(url: ProxyUrl) -> Self {
        url.0
    }
}

/// The proxy that the environment names for a server.
///
/// Errors: [`ErrorKind::Address`] where that is no proxy's address.
pub(crate) fn from_environment(server: &ServerUrl) -> Result<Option<ProxyUrl>> {
    let variable = |name: &str| {
        let value = env::var(name).or_else(|_| env::var(name.to_ascii_lowercase())).ok();
        value.filter(|value| !value.trim().is_empty())
    };
    let named = variable(if server.is_https() { "HTTPS_PROXY" } else { "HTTP_PROXY" });
    let Some(proxy) = named.or_else(|| variable("ALL_PROXY")) else { return Ok(None) };
    let (host, port) = server.host_and_port();
    let is_spared = variable("NO_PROXY").is_some_and(|list| names(&list, host, port));
    // What is on this machine needs nobody between.
    let is_loopback =
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if is_spared || (is_loopback && !server.is_https()) {
        Ok(None)
    } else {
        ProxyUrl::parse(proxy.trim()).map(Some)
    }
}

/// Whether a list as in `NO_PROXY` names a host: by itself, by a domain above it, or as `*`; perhaps with a port.
fn names(list: &str, host: &str, port: u16) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let entry = match entry.rsplit_once(':') {
            Some((name, number)) if number.parse() == Ok(port) => name,
            _ => entry,
        };
        let name = entry.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.');
        let is_beneath = || {
            let above = host.len().checked_sub(name.len()).and_then(|at| host.get(at..));
            let dot = host.len().checked_sub(name.len() + 1).and_then(|at| host.as_bytes().get(at));
            dot == Some(&b'.') && above.is_some_and(|above| above.eq_ignore_ascii_case(name))
        };
        entry == "*" || (!name.is_empty() && (host.eq_ignore_ascii_case(name) || is_beneath()))
    })
}

/// Reads to the blank line and not a byte further: what follows is the server's.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// The status of an answer, if it is one of HTTP/1.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let is_http = head.ends_with(b"\r\n\r\n") && words.next()?.starts_with("HTTP/1.");
    words.next()?.parse().ok().filter(|_| is_http)
}

/// Percent-encoded text as bytes; what is wrongly encoded stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| hex::decode(hex).ok()) {
            Some(value) => {
                decoded.extend(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ProxyUrl, decoded, names, status};

    #[test]
    fn a_proxy_is_a_host_and_perhaps_a_port_and_a_user() {
        for (text, host, port, user) in [
            ("http://proxy.example.com:3128", "proxy.example.com", 3128, None),
            ("proxy:8080", "proxy", 8080, None),
            ("http://proxy/", "proxy", 80, None),
            ("http://[::1]:3128", "::1", 3128, None),
            ("http://me:se%40cret@proxy:1", "proxy", 1, Some("Basic bWU6c2VAY3JldA==")),
        ] {
            let proxy = ProxyUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(proxy.host_and_port(), (host, port), "{text}");
            assert_eq!(proxy.authorization().as_deref(), user, "{text}");
        }
        for wrong in ["", "https://proxy:1", "socks5://proxy:1", "http://", "http:// x"] {
            assert!(ProxyUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn servers_that_are_spared_are_named_in_the_usual_ways() {
        for (list, spared) in [
            ("example.com", true),
            (".example.com", true),
            ("*.example.com", true),
            ("other, backup.example.com:7643", true),
            ("backup.example.com:1", false),
            ("*", true),
            ("ample.com", false),
            ("", false),
        ] {
            assert_eq!(names(list, "backup.Example.com", 7643), spared, "{list}");
        }
        assert!(names("10.0.0.1", "10.0.0.1", 443) && names("[2001:db8::1]", "2001:db8::1", 443));
    }

    #[test]
    fn only_a_whole_answer_of_http_counts() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407 No\r\n\r\n"), Some(407));
        for wrong in [&b"HTTP/1.1 200 OK\r\n"[..], b"SSH-2.0 200\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n"] {
            assert_eq!(status(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}", host in "\\PC{0,20}") {
            drop(ProxyUrl::parse(&text));
            names(&text, &host, 1);
            decoded(&text);
            status(text.as_bytes());
        }
    }
}
