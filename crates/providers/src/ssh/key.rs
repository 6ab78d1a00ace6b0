//! SSH key pairs: read in the forms that people have them in, generated, and written in forms that every client reads.
//!
//! What is read is outside data. Its length, the size of an RSA key and the rounds of a passphrase's derivation are
//! bounded before any work is done; the forms whose derivation cannot be bounded beforehand (PuTTY's, and encrypted
//! PKCS#8) are refused with the command that turns them into one that can.

use std::{fmt, sync::Arc};

use rsa::pkcs1::EncodeRsaPrivateKey;
use russh::keys::{
    Algorithm, HashAlg, PrivateKey, decode_secret_key,
    key::safe_rng,
    ssh_key::{self, Kdf, LineEnding, private::KeypairData, private::RsaKeypair},
};

use crate::{
    credentials::Secret,
    error::{Error, ErrorKind, Result},
};

#[cfg(test)]
mod tests;

/// How long a private key may be as text, in bytes. An RSA key of 16384 bits has 12 KiB.
pub const MAX_KEY_BYTES: usize = 16 << 10;
/// What an RSA key may have, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=16384;
/// How many rounds a passphrase may cost; `ssh-keygen` takes 16 or 24, a second's worth is 100.
const MAX_ROUNDS: u32 = 256;

/// An algorithm of SSH keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshKeyKind {
    /// Ed25519.
    Ed25519,
    /// RSA, with the size of its modulus in bits.
    Rsa(u32),
    /// ECDSA over a NIST curve, with the curve's size in bits.
    Ecdsa(u32),
}

/// A key pair whose halves belong together.
#[derive(Clone)]
pub struct SshKey {
    pair: Arc<PrivateKey>,
    kind: SshKeyKind,
}

/// Shows the public half only.
impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({:?}, {})", self.kind, self.fingerprint())
    }
}

impl SshKey {
    /// Reads a private key: OpenSSH's own form, PKCS#1, SEC1 or PKCS#8, in PEM. Errors name `field`, and never quote
    /// the key. Up to seconds of work where there is a passphrase.
    pub fn parse(field: &str, text: &str, passphrase: Option<&str>) -> Result<Self> {
        if text.len() > MAX_KEY_BYTES {
            return Err(Error::invalid(field, format!("is longer than {MAX_KEY_BYTES} bytes; no key is")));
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let pair = if text.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
            from_openssh(field, &text, passphrase)?
        } else {
            from_pem(field, &text, passphrase)?
        };
        Self::checked(field, pair)
    }

    /// A new Ed25519 key.
    pub fn generate_ed25519() -> Result<Self> {
        let pair = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519);
        Self::checked("generate", pair.map_err(not_made)?)
    }

    /// A new RSA key of 2048 to 8192 bits. Seconds of work, for the larger ones many.
    pub fn generate_rsa(bits: u32) -> Result<Self> {
        if !(2048..=8192).contains(&bits) {
            return Err(Error::invalid("bits", "goes from 2048 to 8192 for an RSA key"));
        }
        let pair = RsaKeypair::random(&mut safe_rng(), bits as usize);
        Self::checked("generate", pair.map_err(not_made)?.into())
    }

    /// Takes a pair that can sign and whose public half says so.
    fn checked(field: &str, pair: PrivateKey) -> Result<Self> {
        let kind = kind(field, &pair)?;
        let message = b"roadstead";
        let proved = pair
            .sign("roadstead", HashAlg::Sha512, message)
            .and_then(|signature| pair.public_key().verify("roadstead", message, &signature));
        proved.map_err(|_| Error::invalid(field, "is damaged: its two halves do not belong together"))?;
        Ok(Self { pair: Arc::new(pair), kind })
    }

    /// What kind of key it is.
    pub fn kind(&self) -> SshKeyKind {
        self.kind
    }

    /// The pair, for whoever logs in with it.
    pub(crate) fn pair(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.pair)
    }

    /// The private key without passphrase: PKCS#1 for RSA, which old clients read, too, and OpenSSH's form otherwise.
    pub fn private_text(&self) -> Result<Secret> {
        let unwritable = || Error::invalid("private_key", "has no text form");
        let text = match self.pair.key_data() {
            KeypairData::Rsa(pair) => rsa::RsaPrivateKey::try_from(pair)
                .ok()
                .and_then(|key| key.to_pkcs1_pem(rsa::pkcs8::LineEnding::LF).ok())
                .ok_or_else(unwritable)?,
            _ => self.pair.to_openssh(LineEnding::LF).map_err(|_| unwritable())?,
        };
        Ok(Secret::new(text.as_str()))
    }

    /// The public key as a line of `authorized_keys` without a comment.
    pub fn public_text(&self) -> Result<String> {
        let mut public = self.pair.public_key().clone();
        public.set_comment("");
        let text = public.to_openssh();
        text.map(|text| text.trim_end().to_owned())
            .map_err(|_| Error::invalid("private_key", "has no public half in text form"))
    }

    /// `SHA256:` and the base64 of the public key's hash, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.pair.fingerprint(HashAlg::Sha256).to_string()
    }
}

fn from_openssh(field: &str, text: &str, passphrase: Option<&str>) -> Result<PrivateKey> {
    // What the parser says may quote the key.
    let pair = PrivateKey::from_openssh(text).map_err(|_| not_a_key(field))?;
    if !pair.is_encrypted() {
        return Ok(pair);
    }
    let passphrase = passphrase.ok_or_else(|| needs_passphrase(field))?;
    if let Kdf::Bcrypt { rounds, .. } = pair.kdf()
        && *rounds > MAX_ROUNDS
    {
        let reason = format!(
            "asks for {rounds} rounds; {MAX_ROUNDS} are the most (`ssh-keygen -p -a 24 -f FILE` changes it)"
        );
        return Err(Error::invalid(field, reason));
    }
    pair.decrypt(passphrase).map_err(|_| wrong_passphrase())
}

fn from_pem(field: &str, text: &str, passphrase: Option<&str>) -> Result<PrivateKey> {
    let to_openssh = "run `ssh-keygen -p -f FILE` on it and give the file again";
    if text.starts_with("PuTTY-User-Key-File-") {
        let reason = "is in PuTTY's own form; give what `puttygen FILE -O private-openssh` makes of it";
        return Err(Error::invalid(field, reason));
    }
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Err(Error::invalid(
            field,
            format!("is encrypted in a way that is not read here; {to_openssh}"),
        ));
    }
    let passphrase = match (text.contains("\nProc-Type: 4,ENCRYPTED"), passphrase) {
        (false, _) => None,
        (true, None) => return Err(needs_passphrase(field)),
        (true, Some(_)) if !text.contains("\nDEK-Info: AES-128-CBC,") => {
            return Err(Error::invalid(field, format!("is encrypted with an old cipher; {to_openssh}")));
        }
        (true, some) => some,
    };
    decode_secret_key(text, passphrase).map_err(|_| match passphrase {
        Some(_) => wrong_passphrase(),
        None => not_a_key(field),
    })
}

fn kind(field: &str, pair: &PrivateKey) -> Result<SshKeyKind> {
    match pair.key_data() {
        KeypairData::Ed25519(_) => Ok(SshKeyKind::Ed25519),
        KeypairData::Ecdsa(pair) => Ok(SshKeyKind::Ecdsa(match pair.curve() {
            ssh_key::EcdsaCurve::NistP256 => 256,
            ssh_key::EcdsaCurve::NistP384 => 384,
            ssh_key::EcdsaCurve::NistP521 => 521,
        })),
        KeypairData::Rsa(pair) if RSA_BITS.contains(&(pair.key_size() as usize)) => {
            Ok(SshKeyKind::Rsa(pair.key_size()))
        }
        KeypairData::Rsa(pair) => Err(Error::invalid(
            field,
            format!(
                "has {} bits; an RSA key takes {} to {}",
                pair.key_size(),
                RSA_BITS.start(),
                RSA_BITS.end()
            ),
        )),
        _ => Err(not_a_key(field)),
    }
}

fn not_a_key(field: &str) -> Error {
    Error::invalid(field, "is not a private key in PEM (Ed25519, ECDSA or RSA)")
}

fn needs_passphrase(field: &str) -> Error {
    Error::invalid(field, "is protected by a passphrase; give that, too, or the key without it")
}

fn wrong_passphrase() -> Error {
    Error::invalid("passphrase", "does not open the private key")
}

fn not_made(source: ssh_key::Error) -> Error {
    Error::new(ErrorKind::Failed, "the key could not be made").caused_by(source)
}
