//! Random bytes for secrets and ids, from the operating system.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::internal("The system gave no random bytes.").caused_by(e))?;
    Ok(bytes)
}

/// A secret of 256 random bits with a prefix that says what it is, so that a leaked one can be told at sight.
pub fn secret(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>()?)))
}

/// What is stored of a [`secret`]: it is random, so one round of SHA-256 is enough.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// An id of 80 random bits in hexadecimal.
pub fn id() -> Result<String> {
    Ok(hex::encode(bytes::<10>()?))
}
