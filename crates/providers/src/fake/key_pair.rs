//! A key with which those who call a fake sign their tokens.

use std::sync::OnceLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey};
use rustls::{SignatureScheme, crypto::ring};
use serde_json::Value;

use crate::ssh::key::SshKey;

/// An RSA key. It is made once for all fakes of a process, for that takes its time.
#[derive(Debug)]
pub struct KeyPair {
    /// The private key, in PEM.
    pub pem: String,
    public: Vec<u8>,
}

impl KeyPair {
    /// The key.
    #[allow(clippy::expect_used, reason = "a fake without a key is of no use to any test")]
    pub fn get() -> &'static Self {
        static MADE: OnceLock<KeyPair> = OnceLock::new();
        MADE.get_or_init(|| {
            let key = SshKey::generate_rsa(2048).and_then(|key| key.private_text()).expect("a new key");
            let private = rsa::RsaPrivateKey::from_pkcs1_pem(key.expose()).expect("its private half");
            let public = private.to_public_key().to_pkcs1_der().expect("its public half");
            Self { pem: key.expose().to_owned(), public: public.as_bytes().to_vec() }
        })
    }

    /// Header and claims of a token, if this key signed it in the way that the header says.
    pub fn verified(&self, token: &str) -> Option<(Value, Value)> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json =
            |text: &str| serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        let (header, claims) = (json(header)?, json(claims)?);
        let scheme = match header["alg"].as_str()? {
            "RS256" => SignatureScheme::RSA_PKCS1_SHA256,
            "PS256" => SignatureScheme::RSA_PSS_SHA256,
            _ => return None,
        };
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let known = ring::default_provider().signature_verification_algorithms.mapping;
        let (_, algorithms) = known.iter().find(|(known, _)| *known == scheme)?;
        let fits = algorithms
            .iter()
            .any(|algorithm| algorithm.verify_signature(&self.public, signed.as_bytes(), &signature).is_ok());
        fits.then_some((header, claims))
    }
}
