//! The server's address: what of it can be used, and where the link and the vaults lie below it.
//!
//! Plain HTTP goes to this machine only, since credentials and vault passwords travel there. Whom the agent believes
//! to be its server over HTTPS, [`crate::trust`] tells.

use std::{fmt, net::IpAddr};

use roadstead_api::{id::VaultId, link};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::http::Uri;

use crate::error::{Error, ErrorKind, Result};

/// An address that was found usable, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ServerUrl(String);

impl ServerUrl {
    /// Checks an address.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse =
            |why: &str| Error::new(ErrorKind::Address, format!("the server's address {text:?} {why}"));
        let uri: Uri = text.parse().map_err(|e| refuse("is not a URL").caused_by(e))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refuse("is not a URL such as http://127.0.0.1:7643"));
        };
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(refuse("holds more than host, port and path"));
        }
        match scheme {
            "http" if is_loopback(authority.host()) => {
                let path = uri.path().trim_end_matches('/');
                Ok(Self(format!("http://{authority}{path}")))
            }
            "http" => Err(refuse("is plain HTTP to another machine, where others could read along")),
            "https" => Ok(Self(format!("https://{authority}{}", uri.path().trim_end_matches('/')))),
            _ => Err(refuse("begins with neither http nor https")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The host's name or address, without brackets, and the port.
    pub fn host_and_port(&self) -> (&str, u16) {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let default = if self.is_https() { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(default)),
            _ => (authority, default),
        };
        (host.trim_matches(['[', ']']), port)
    }

    /// Where the link goes.
    pub fn link(&self) -> String {
        format!("ws{}{}", self.0.trim_start_matches("http"), link::PATH)
    }

    /// Where a vault lies, in restic's REST protocol.
    pub fn vault(&self, id: &VaultId) -> String {
        format!("{}/vaults/{id}/", self.0)
    }
}

/// Whether a URL's host is this machine by its very name. Names are not resolved: who answers for them may change.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::ServerUrl;

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for good in [
            "https://127.0.0.1",
            "https://backup.example.com:8443/base",
            "http://localhost:1",
            "http://LOCALHOST",
            "http://127.0.0.1:80/",
            "http://127.9.8.7",
            "http://[::1]:9/x",
        ] {
            assert!(ServerUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1",
            "http://example.com:7643",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "http://127.0.0.1.example.com",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0",
            "https://user@example.com",
            "https://example.com/?x=1",
            "ftp://127.0.0.1",
            "http://127.0.0.1/?x=1",
            "127.0.0.1:80",
            "",
            "http://",
            "not a url",
        ] {
            assert!(ServerUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn link_and_vault_lie_below_the_address() {
        let url = ServerUrl::parse("http://127.0.0.1:7643/base/").unwrap();
        assert_eq!(url.link(), "ws://127.0.0.1:7643/base/agent/v1/link");
        let vault = roadstead_api::id::VaultId("abc".to_owned());
        assert_eq!(url.vault(&vault), "http://127.0.0.1:7643/base/vaults/abc/");
        let url = ServerUrl::parse("https://example.com/").unwrap();
        assert_eq!(url.link(), "wss://example.com/agent/v1/link");
    }

    #[test]
    fn host_and_port_stand_apart() {
        for (url, host, port) in [
            ("https://example.com", "example.com", 443),
            ("https://example.com:8443/base", "example.com", 8443),
            ("https://[2001:db8::1]/base", "2001:db8::1", 443),
            ("https://[2001:db8::1]:9", "2001:db8::1", 9),
            ("http://127.0.0.1", "127.0.0.1", 80),
        ] {
            assert_eq!(ServerUrl::parse(url).unwrap().host_and_port(), (host, port), "{url}");
        }
    }
}
