//! The check of host keys: pinned at first sight, and the same ever after.
//!
//! Invariant: a host that shows another key than its pin gets no user name, no signature and no password; the key
//! exchange ends there.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use russh::{
    Preferred, client,
    keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate},
};

use crate::error::{Error, ErrorKind, Result};

/// Looks at the key that a host shows.
pub(super) struct Checker {
    pinned: Option<PublicKey>,
    seen: Arc<OnceLock<PublicKey>>,
}

impl Checker {
    /// A checker for a host with this pin, and the place where it leaves the key it saw.
    pub(super) fn new(pinned: Option<PublicKey>) -> (Self, Arc<OnceLock<PublicKey>>) {
        let seen = Arc::new(OnceLock::new());
        (Self { pinned, seen: Arc::clone(&seen) }, seen)
    }
}

impl client::Handler for Checker {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = shown.public_key();
        let same = self.pinned.as_ref().is_none_or(|pinned| pinned.key_data() == key.key_data());
        // A second exchange on the same connection has to show the same key as the first.
        Ok(same && self.seen.get_or_init(|| key.clone()).key_data() == key.key_data())
    }
}

/// Reads a pin.
pub(super) fn parse(pin: &str) -> Result<PublicKey> {
    PublicKey::from_openssh(pin).map_err(|source| {
        Error::new(ErrorKind::Malformed, "the pinned host key cannot be read").caused_by(source)
    })
}

/// The line under which a key is pinned.
pub(super) fn pin(key: &PublicKey) -> Result<String> {
    // The comment is the other side's; the pin is the key alone.
    PublicKey::from(key.key_data().clone()).to_openssh().map_err(|source| {
        Error::new(ErrorKind::Malformed, "the host key cannot be written down").caused_by(source)
    })
}

/// A key as people compare it.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The algorithms to ask for: that of the pin first, so that a host which gained a key of another type still shows the
/// one that is pinned.
pub(super) fn preference(pinned: Option<&PublicKey>) -> Cow<'static, [Algorithm]> {
    let Some(pinned) = pinned else { return Preferred::DEFAULT.key };
    let mut algorithms = Preferred::DEFAULT.key.into_owned();
    let plain = |algorithm: &Algorithm| match algorithm {
        Algorithm::Rsa { .. } => Algorithm::Rsa { hash: None },
        other => other.clone(),
    };
    let wanted = plain(&pinned.algorithm());
    algorithms.sort_by_key(|algorithm| plain(algorithm) != wanted);
    Cow::Owned(algorithms)
}

/// Says that a host shows another key.
pub(super) fn changed(host: &str, pinned: &PublicKey, seen: Option<&PublicKey>) -> Error {
    let old = pinned.fingerprint(HashAlg::Sha256);
    let new = seen.map_or_else(|| "another".to_owned(), |key| key.fingerprint(HashAlg::Sha256).to_string());
    Error::new(
        ErrorKind::HostKeyChanged,
        format!("{host} shows the host key {new}, but was first seen with {old}; nothing was sent to it"),
    )
}

#[cfg(test)]
mod tests {
    use russh::keys::Algorithm;

    use super::{parse, pin, preference};

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_pin_reads_back_without_its_comment() {
        let key = parse(&format!("{ED25519} root@somewhere")).unwrap();
        assert_eq!(pin(&key).unwrap(), ED25519);
        assert!(parse("ssh-ed25519 AAAA").is_err());
    }

    #[test]
    fn the_pinned_type_is_asked_for_first() {
        let all = preference(None);
        assert_eq!(preference(Some(&parse(ED25519).unwrap()))[0], Algorithm::Ed25519);
        assert_eq!(preference(Some(&parse(ED25519).unwrap())).len(), all.len());
    }
}
