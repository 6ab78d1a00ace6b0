//! Secrets at rest: the master key seals each account's key, an account's key seals its secrets.
//!
//! A sealed text is base64 of a random 24-byte nonce and the XChaCha20-Poly1305 ciphertext. It is bound to its place
//! (table, row and column): copied into another row, it does not open. The database alone, without the master key,
//! gives nothing away.

use std::{path::Path, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use sha2::{Digest, Sha256};

use crate::{Error, Result, durable, random};

/// How long a nonce is, in bytes.
const NONCE: usize = 24;

/// A key that seals.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A new random key.
    pub fn random() -> Result<Self> {
        random::bytes().map(Self)
    }

    /// The master key in this file; made, with mode 0600, if it is not there.
    pub fn open_or_create(file: &Path) -> Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => text.trim().parse(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::random()?;
                durable::write_private(file, format!("{}\n", hex::encode(key.0)).as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The key as text, to be sealed itself.
    pub fn to_text(&self) -> String {
        hex::encode(self.0)
    }

    /// Seals `secret` for `place`.
    pub fn seal(&self, place: &str, secret: &str) -> Result<String> {
        let nonce = random::bytes::<NONCE>()?;
        let payload = Payload { msg: secret.as_bytes(), aad: place.as_bytes() };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal("A secret could not be sealed."))?;
        Ok(BASE64_STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String> {
        let broken =
            || Error::internal(format!("The secret of {place} does not open: is this its master key?"));
        let bytes = BASE64_STANDARD_NO_PAD.decode(sealed).map_err(|_| broken())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(broken)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let secret = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| broken())?;
        String::from_utf8(secret).map_err(|_| broken())
    }

    /// Tells, by being equal, that two secrets are: only whoever has this key can try which secret it stands for.
    pub fn fingerprint(&self, place: &str, secret: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update((place.len() as u64).to_be_bytes());
        hasher.update(place);
        hasher.update(secret);
        // Hashed once more, lest somebody without the key go on where the first hash ended.
        hex::encode(Sha256::digest(hasher.finalize()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl FromStr for Key {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Error::invalid("A master key is 64 hexadecimal digits."))
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn opens_only_in_its_place_and_whole() {
        let key = Key::random().unwrap();
        let sealed = key.seal("vaults/1/password", "secret").unwrap();
        assert_eq!(key.open("vaults/1/password", &sealed).unwrap(), "secret");
        assert!(key.open("vaults/2/password", &sealed).is_err());
        assert!(Key::random().unwrap().open("vaults/1/password", &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(key.open("vaults/1/password", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn equal_secrets_are_told_only_with_the_key_and_in_their_place() {
        let key = Key::random().unwrap();
        assert_eq!(key.fingerprint("a", "secret"), key.fingerprint("a", "secret"));
        let others = [key.fingerprint("b", "secret"), key.fingerprint("a", "other")];
        assert!(!others.contains(&key.fingerprint("a", "secret")));
        assert_ne!(Key::random().unwrap().fingerprint("a", "secret"), key.fingerprint("a", "secret"));
        assert_ne!(key.fingerprint("ab", "c"), key.fingerprint("a", "bc"));
    }

    #[test]
    fn a_master_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        let first = Key::open_or_create(&file).unwrap();
        assert_eq!(first.to_text(), Key::open_or_create(&file).unwrap().to_text());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "no key").unwrap();
        assert!(Key::open_or_create(&file).is_err());
    }
}
