//! Signed statements of who one is, which token services take in the place of a password: JSON Web Tokens with an RSA
//! signature (RFC 7515, 7518, 7519).

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls::{
    SignatureScheme,
    crypto::ring,
    pki_types::{PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};
use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Result};

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    fn scheme(self) -> SignatureScheme {
        match self {
            Self::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
            Self::Ps256 => SignatureScheme::RSA_PSS_SHA256,
        }
    }
}

/// Signs with one private key.
#[derive(Clone)]
pub(crate) struct JwtSigner {
    key: Arc<dyn SigningKey>,
    algorithm: Algorithm,
    header: Map<String, Value>,
}

impl fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSigner").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl JwtSigner {
    /// Reads the private key in PEM that `field` holds: the first that stands there, in PKCS#8 or PKCS#1.
    pub(crate) fn from_pem(field: &str, pem: &str, algorithm: Algorithm) -> Result<Self> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| Error::invalid(field, "holds no private key in PEM").caused_by(e))?;
        let key = ring::sign::any_supported_type(&der).map_err(|e| {
            Error::invalid(field, "holds a private key that cannot be used; it takes RSA, 2048 to 4096 bits")
                .caused_by(e)
        })?;
        if key.choose_scheme(&[algorithm.scheme()]).is_none() {
            return Err(Error::invalid(field, "holds a private key that is not RSA"));
        }
        let header = [("alg", algorithm.name()), ("typ", "JWT")];
        let header = header.map(|(name, value)| (name.to_owned(), json!(value)));
        Ok(Self { key, algorithm, header: header.into_iter().collect() })
    }

    /// The same signer with one more member in the header, such as which key this is.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.header.insert(name.to_owned(), json!(value));
        self
    }

    /// A token that claims this.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String> {
        let encode = |json: String| BASE64_URL_SAFE_NO_PAD.encode(json);
        let header = Value::Object(self.header.clone()).to_string();
        let whole = format!("{}.{}", encode(header), encode(claims.to_string()));
        let failed = || Error::new(ErrorKind::Failed, "the key cannot sign");
        let signer = self.key.choose_scheme(&[self.algorithm.scheme()]).ok_or_else(failed)?;
        let signature = signer.sign(whole.as_bytes()).map_err(|e| failed().caused_by(e))?;
        Ok(format!("{whole}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::{Algorithm, JwtSigner};
    use crate::{ErrorKind, SshKey, fake::KeyPair};

    #[test]
    fn a_token_is_signed_by_its_key_and_says_how() {
        let pair = KeyPair::get();
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
            let signer = JwtSigner::from_pem("private_key", &pair.pem, algorithm).unwrap();
            let token = signer.with_header("kid", "7").sign(&json!({"iss": "me"})).unwrap();
            let (header, claims) = pair.verified(&token).unwrap();
            assert_eq!((header["kid"].as_str(), claims["iss"].as_str()), (Some("7"), Some("me")));
            assert_eq!(header["alg"], algorithm.name());
            let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
            parts[1] = BASE64_URL_SAFE_NO_PAD.encode(json!({"iss": "you"}).to_string());
            assert!(pair.verified(&parts.join(".")).is_none(), "another claim under the same signature");
        }
        assert!(pair.verified("a.b").is_none() && pair.verified("").is_none());
    }

    #[test]
    fn what_is_no_rsa_key_signs_nothing() {
        let ssh = SshKey::generate_ed25519().unwrap().private_text().unwrap();
        let cut = &KeyPair::get().pem[..400];
        for pem in ["", "nonsense", cut, ssh.expose()] {
            let error = JwtSigner::from_pem("private_key", pem, Algorithm::Rs256).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some("private_key")));
        }
    }
}
