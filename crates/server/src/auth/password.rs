//! Passwords: argon2id, with the parameters that OWASP names (19 MiB, 2 passes).

use std::sync::OnceLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

use crate::{Error, Result};

/// The hash to store for a password.
pub async fn hash(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || hash_now(&password)).await?
}

/// Whether a password fits a stored hash. Without one the same work is done, and the answer is no.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    tokio::task::spawn_blocking(move || {
        let Some(stored) = stored else {
            let nobody = decoy()?;
            let _ = fits(&password, nobody);
            return Ok(false);
        };
        Ok(fits(&password, &stored))
    })
    .await?
}

fn hash_now(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| Error::internal("The password could not be hashed.").caused_by(e))?.to_string())
}

fn fits(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

fn decoy() -> Result<&'static str> {
    static DECOY: OnceLock<String> = OnceLock::new();
    if DECOY.get().is_none() {
        let _ = DECOY.set(hash_now("nobody")?);
    }
    Ok(DECOY.get().map_or("", String::as_str))
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn only_the_password_fits() {
        let hash = super::hash("right".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(super::verify("right".into(), Some(hash.clone())).await.unwrap());
        assert!(!super::verify("wrong".into(), Some(hash)).await.unwrap());
        assert!(!super::verify("nobody".into(), None).await.unwrap());
        assert!(!super::verify("right".into(), Some("damaged".into())).await.unwrap());
    }
}
