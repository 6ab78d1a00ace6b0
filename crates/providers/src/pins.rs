//! The host keys that a backend was first seen with.
//!
//! A driver that speaks SSH is handed the pins of its backend and hands back those it has afterwards. A host without a
//! pin is trusted once, and from then on must show the same key; another key is
//! [`HostKeyChanged`](crate::ErrorKind::HostKeyChanged), and the connection ends before anything is sent. Whoever
//! really changed a host's key takes its pin out.
//!
//! Pins are no secret. They are kept as a JSON object, `{"host:port": "ssh-ed25519 AAAA..."}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Public host keys in OpenSSH's one-line form, by `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pins(BTreeMap<String, String>);

impl Pins {
    /// The key that this host has to show.
    pub fn get(&self, host: &str, port: u16) -> Option<&str> {
        self.0.get(&name(host, port)).map(String::as_str)
    }

    /// Pins a host, unless it is pinned.
    pub fn keep(&mut self, host: &str, port: u16, key: String) {
        self.0.entry(name(host, port)).or_insert(key);
    }

    /// Forgets a host, so that it is trusted once more.
    pub fn remove(&mut self, host: &str, port: u16) {
        self.0.remove(&name(host, port));
    }

    /// Whether no host is pinned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn name(host: &str, port: u16) -> String {
    format!("{}:{port}", host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::Pins;

    #[test]
    fn the_first_key_stays() {
        let mut pins = Pins::default();
        pins.keep("Host", 22, "one".into());
        pins.keep("host", 22, "two".into());
        assert_eq!((pins.get("HOST", 22), pins.get("host", 2222)), (Some("one"), None));
        let text = serde_json::to_string(&pins).unwrap();
        assert_eq!(text, r#"{"host:22":"one"}"#);
        assert_eq!(serde_json::from_str::<Pins>(&text).unwrap(), pins);
        pins.remove("host", 22);
        assert!(pins.is_empty());
    }
}
