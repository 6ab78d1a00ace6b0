//! Agents' public keys: RSA, `SubjectPublicKeyInfo` in PEM.

use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::{
    Oaep, RsaPublicKey,
    pkcs8::{DecodePublicKey, EncodePublicKey},
    traits::PublicKeyParts,
};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// How long a key's PEM may be, in bytes; 8192-bit keys take about 1600.
const MAX_PEM: usize = 4096;

/// An agent's public key.
#[derive(Debug)]
pub struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Reads a key of 2048 to 8192 bits.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let wrong = || Error::invalid("public_key must be an RSA key of 2048 to 8192 bits in PEM.");
        if pem.len() > MAX_PEM {
            return Err(wrong());
        }
        let key = RsaPublicKey::from_public_key_pem(pem).map_err(|e| wrong().caused_by(e))?;
        if !(256..=1024).contains(&key.size()) {
            return Err(wrong());
        }
        Ok(Self(key))
    }

    /// SHA-256 of the key in DER, in hexadecimal.
    pub fn fingerprint(&self) -> Result<String> {
        let der = self
            .0
            .to_public_key_der()
            .map_err(|e| Error::internal("The key has no DER form.").caused_by(e))?;
        Ok(hex::encode(Sha256::digest(der.as_bytes())))
    }

    /// The key's modulus in hexadecimal.
    pub fn modulus_hex(&self) -> String {
        hex::encode(self.0.n_bytes())
    }

    /// Encrypts a short secret to the key's holder: RSA-OAEP with SHA-256, then base64.
    pub fn encrypt(&self, secret: &str) -> Result<String> {
        let mut rng = rsa::rand_core::UnwrapErr(getrandom::SysRng);
        let sealed = self.0.encrypt(&mut rng, Oaep::<Sha256>::new(), secret.as_bytes());
        let sealed = sealed.map_err(|e| Error::internal("The reply could not be encrypted.").caused_by(e))?;
        Ok(BASE64_STANDARD.encode(sealed))
    }
}

#[cfg(test)]
mod tests {
    use super::PublicKey;

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "x".repeat(5000).as_str()]
        {
            assert!(PublicKey::from_pem(wrong).is_err());
        }
    }
}
