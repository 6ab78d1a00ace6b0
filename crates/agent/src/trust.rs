//! Whom the agent believes to be its server.
//!
//! Decided once, at enrolment, by the token and by whoever gives it; kept with the identity ever after. Where a CA is
//! named, it alone vouches for the server: it lies as `ca.pem` in the agent's folder, and an agent that has lost it
//! trusts nobody.

use std::{fmt, fs, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, ErrorKind, Result},
    server_url::ServerUrl,
};

/// How the agent knows that it speaks with its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trust {
    /// Both are on the same machine.
    Plain,
    /// A public CA vouches for the server.
    Public,
    /// The CA whose key has this hash vouches for it.
    Ca(KeyHash),
    /// A CA that whoever enrolled the agent named vouches for it.
    Named,
}

impl Trust {
    /// Refuses an address that does not go with it: nothing is sent in the clear that was to be protected.
    pub fn check(&self, server: &ServerUrl) -> Result<()> {
        let refuse = |why| Err(Error::new(ErrorKind::Address, format!("{server} {why}")));
        match (self, server.is_https()) {
            (Self::Plain, true) => refuse("is https, and the token is of a server that speaks plain HTTP"),
            (Self::Public | Self::Ca(_) | Self::Named, false) => {
                refuse("is plain HTTP, and the token asks for TLS: give the address that begins with https")
            }
            _ => Ok(()),
        }
    }

    /// The CA that alone vouches for the server, read from its file; `None` where none is named.
    pub fn ca_pem(&self, file: &Path) -> Result<Option<String>> {
        match self {
            Self::Plain | Self::Public => Ok(None),
            Self::Ca(_) | Self::Named => fs::read_to_string(file)
                .map(Some)
                .map_err(|e| Error::io(format!("cannot read the CA of the server in {}", file.display()), e)),
        }
    }
}

/// SHA-256 of a key's SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyHash([u8; 32]);

impl KeyHash {
    /// Reads its 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok()?;
        Some(Self(hash))
    }

    /// Whether it is that of this key.
    pub fn is_of(&self, subject_public_key_info: &[u8]) -> bool {
        Sha256::digest(subject_public_key_info).as_slice() == self.0
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl TryFrom<String> for KeyHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a key's hash has 64 hexadecimal digits")
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        hex::encode(hash.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_less_safe_than_the_token_asks_for() {
        let (plain, tls) = ("http://127.0.0.1:1", "https://127.0.0.1:1");
        let ca = Trust::Ca(KeyHash([7; 32]));
        for (trust, good, bad) in [
            (Trust::Plain, plain, tls),
            (Trust::Public, tls, plain),
            (ca, tls, plain),
            (Trust::Named, tls, plain),
        ] {
            assert!(trust.check(&ServerUrl::parse(good).unwrap()).is_ok(), "{trust:?}");
            assert!(trust.check(&ServerUrl::parse(bad).unwrap()).is_err(), "{trust:?}");
        }
    }

    #[test]
    fn a_lost_ca_is_an_error_and_not_the_public_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(Trust::Ca(KeyHash([7; 32])).ca_pem(&file).is_err());
        assert!(Trust::Named.ca_pem(&file).is_err());
        assert_eq!(Trust::Public.ca_pem(&file).unwrap(), None);
    }

    #[test]
    fn it_is_kept_as_it_is() {
        for trust in [Trust::Plain, Trust::Public, Trust::Ca(KeyHash([7; 32])), Trust::Named] {
            let json = serde_json::to_string(&trust).unwrap();
            assert_eq!(serde_json::from_str::<Trust>(&json).unwrap(), trust, "{json}");
        }
        assert_eq!(
            serde_json::from_str::<Trust>("\"plain\"").unwrap(),
            Trust::Plain,
            "as agents keep it already"
        );
    }
}
