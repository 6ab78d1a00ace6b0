//! What clients and agents call the server: `--public-url`, or where it listens.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::Uri;

use crate::{Error, Result, tls::host_name};

/// An address that others can be told, without a slash at its end. Plain HTTP names this very machine only, since
/// credentials travel there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
    https: bool,
}

impl PublicUrl {
    /// That of a server that listens at `address` and was given no other. One that listens everywhere goes by the
    /// machine's name.
    pub(crate) fn of_address(address: SocketAddr, https: bool) -> Self {
        let host = if address.ip().is_unspecified() { host_name() } else { address.ip().to_string() };
        let (scheme, port) = (if https { "https" } else { "http" }, address.port());
        let text = match address.ip() {
            IpAddr::V6(ip) if !ip.is_unspecified() => format!("{scheme}://[{ip}]:{port}"),
            _ => format!("{scheme}://{host}:{port}"),
        };
        Self { text, host, https }
    }

    /// The host's name or address, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }
}

impl FromStr for PublicUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| Error::invalid(format!("The public URL {text:?} {why}."));
        let uri: Uri = text.parse().map_err(|e| refuse("is not a URL").caused_by(e))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse("should look like https://backup.example.com"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(refuse("holds more than host, port and path"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_lowercase();
        match scheme {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(refuse("is plain HTTP beyond this machine; it has to begin with https")),
            _ => return Err(refuse("begins with neither https nor http")),
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self { text: format!("{scheme}://{authority}{path}"), host, https: scheme == "https" })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_to_loopback() {
        for (given, kept, host) in [
            ("https://Backup.example.com/", "https://Backup.example.com", "backup.example.com"),
            ("https://[2001:db8::1]:8443/base/", "https://[2001:db8::1]:8443/base", "2001:db8::1"),
            ("http://127.0.0.1:7643", "http://127.0.0.1:7643", "127.0.0.1"),
            ("http://localhost", "http://localhost", "localhost"),
        ] {
            let url: PublicUrl = given.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.host()), (kept, host));
        }
        for refused in [
            "http://backup.example.com",
            "http://0.0.0.0:1",
            "http://localhost.example.com",
            "https://user@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "ftp://example.com",
            "example.com",
            "127.0.0.1:7643",
            "https://",
            "",
        ] {
            assert!(refused.parse::<PublicUrl>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_goes_by_the_machine_s_name() {
        let url = PublicUrl::of_address(([0, 0, 0, 0], 7643).into(), true);
        assert_eq!(url.to_string(), format!("https://{}:7643", host_name()));
        let url = PublicUrl::of_address("[::1]:9".parse().unwrap(), false);
        assert_eq!((url.to_string().as_str(), url.host()), ("http://[::1]:9", "::1"));
    }
}
