//! The agent's RSA key: who the agent is, and how secrets reach it alone.
//!
//! It is made once in a folder's life and used again by every retry, since the enrolment token is bound to it.

use std::{fs, io, path::Path};

use getrandom::SysRng;
use rsa::{
    Oaep, Pkcs1v15Encrypt, RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::UnwrapErr,
};
use sha2::{Digest, Sha256};

use crate::{
    durable,
    error::{Error, ErrorKind, Result},
};

const BITS: usize = 2048;

/// A private key.
pub(crate) struct AgentKey(RsaPrivateKey);

impl AgentKey {
    /// Reads the key at `path`, or makes one there.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(pem) => RsaPrivateKey::from_pkcs8_pem(&pem)
                .map(Self)
                .map_err(|e| failed(format!("{} holds no private key", path.display()), e)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(e) => Err(Error::io(format!("cannot read {}", path.display()), e)),
        }
    }

    fn create(path: &Path) -> Result<Self> {
        let key =
            RsaPrivateKey::new(&mut UnwrapErr(SysRng), BITS).map_err(|e| failed("cannot make a key", e))?;
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| failed("cannot encode the key", e))?;
        durable::write(path, pem.as_bytes())
            .map_err(|e| Error::io(format!("cannot write {}", path.display()), e))?;
        Ok(Self(key))
    }

    /// The public key: `SubjectPublicKeyInfo` in PEM.
    pub fn public_pem(&self) -> Result<String> {
        RsaPublicKey::from(&self.0)
            .to_public_key_pem(LineEnding::LF)
            .map_err(|e| failed("cannot encode the public key", e))
    }

    /// SHA-256 of the public key's `SubjectPublicKeyInfo` in DER, in hexadecimal.
    pub fn fingerprint(&self) -> Result<String> {
        let der = RsaPublicKey::from(&self.0)
            .to_public_key_der()
            .map_err(|e| failed("cannot encode the public key", e))?;
        Ok(hex::encode(Sha256::digest(der.as_bytes())))
    }

    /// Reads what was encrypted to this key by RSA-OAEP with SHA-256.
    pub fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>> {
        self.0
            .decrypt_blinded(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), encrypted)
            .map_err(|e| failed("what the server encrypted is not for this agent's key", e))
    }

    /// Reads what was encrypted to this key with the padding of PKCS #1 v1.5.
    pub fn decrypt_pkcs1(&self, encrypted: &[u8]) -> Result<Vec<u8>> {
        self.0
            .decrypt_blinded(&mut UnwrapErr(SysRng), Pkcs1v15Encrypt, encrypted)
            .map_err(|e| failed("what was encrypted is not for this agent's key", e))
    }
}

fn failed(context: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Key, context).caused_by(source)
}
