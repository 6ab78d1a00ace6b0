//! Where a browser's request comes from: a page of this server, or of another one that rides on the user's cookie.

use std::net::IpAddr;

/// Whether a page of this origin is one of the server called `public_url`. On loopback any name of this machine will
/// do, since nobody else can be behind it.
pub fn is_own(origin: &str, public_url: &str) -> bool {
    let (Some(from), Some(own)) = (parts(origin), parts(public_url)) else { return false };
    let same_host =
        from.host.eq_ignore_ascii_case(own.host) || (is_loopback(from.host) && is_loopback(own.host));
    same_host && from.scheme == own.scheme && from.port == own.port
}

struct Parts<'a> {
    scheme: &'a str,
    host: &'a str,
    port: u16,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let authority = rest.split('/').next()?;
    // The last colon outside of brackets begins the port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    (!host.is_empty() && !host.contains('@')).then_some(Parts { scheme, host, port })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_pages_of_this_server_are_its_own() {
        for (origin, public_url) in [
            ("http://127.0.0.1:7643", "http://127.0.0.1:7643"),
            ("http://localhost:7643", "http://127.0.0.1:7643"),
            ("http://[::1]:7643", "http://127.0.0.1:7643"),
            ("https://Example.com", "https://example.com:443"),
            ("https://example.com", "https://example.com/roadstead"),
        ] {
            assert!(is_own(origin, public_url), "{origin} {public_url}");
        }
        for (origin, public_url) in [
            ("null", "http://127.0.0.1:7643"),
            ("", "http://127.0.0.1:7643"),
            ("http://127.0.0.1:9999", "http://127.0.0.1:7643"),
            ("http://localhost", "http://127.0.0.1:7643"),
            ("http://localhost.example.com:7643", "http://127.0.0.1:7643"),
            ("http://example.com", "https://example.com"),
            ("https://example.com.evil.net", "https://example.com"),
            ("https://evil.net/example.com", "https://example.com"),
            ("https://example.com@evil.net", "https://example.com"),
            ("https://example.com:99999", "https://example.com"),
            ("ftp://example.com", "https://example.com"),
        ] {
            assert!(!is_own(origin, public_url), "{origin} {public_url}");
        }
    }
}
