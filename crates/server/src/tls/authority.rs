//! The server's own CA: `ca.key` and `ca.pem`.
//!
//! What agents know their server by is the CA's key, so `ca.key` has to outlive everything else but `master.key`. The
//! CA certificate follows from the key: its name is made of the key's hash, and it is written anew where it is missing.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject},
    server::ParsedCertificate,
};
use sha2::{Digest, Sha256};

use super::{Names, server_config};
use crate::{Error, Result, durable};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long the CA lives: longer than a server does. Agents pin its key and would know no other.
const CA_DAYS: i64 = 30 * 365;
/// How long a certificate lives.
const LEAF_DAYS: i64 = 90;
/// How long before its end a certificate is made anew.
const RENEWAL_DAYS: i64 = 30;
/// By how much the clocks of agents may be behind.
const CLOCK_DAYS: i64 = 1;

/// The CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    key_hash: String,
}

impl Authority {
    /// The CA in a folder; made where there is none.
    pub fn open_or_create(folder: &Path, now_ms: i64) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let (key_file, certificate_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        let key = match read(&key_file)? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(|e| damaged(&key_file, e))?,
            None if certificate_file.exists() => {
                let message = format!(
                    "{} is missing. Put it back; or remove ca.pem beside it for a new CA, with which all agents have \
                     to be enrolled anew.",
                    key_file.display()
                );
                return Err(Error::conflict(message));
            }
            None => create_key(&key_file)?,
        };
        let key_hash = hex::encode(Sha256::digest(key.subject_public_key_info()));
        let params = params(&key_hash, now_ms)?;
        let certificate = match read(&certificate_file)? {
            Some(pem) => {
                CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| damaged(&certificate_file, e))?
            }
            None => {
                let certificate = params.self_signed(&key).map_err(failed)?;
                durable::write_private(&certificate_file, certificate.pem().as_bytes())?;
                certificate.der().clone()
            }
        };
        let parsed = ParsedCertificate::try_from(&certificate).map_err(|e| damaged(&certificate_file, e))?;
        if parsed.subject_public_key_info().as_ref() != key.subject_public_key_info() {
            let message = format!("{} is not of the key beside it.", certificate_file.display());
            return Err(Error::conflict(message));
        }
        Ok(Self { issuer: Issuer::new(params, key), certificate, key_hash })
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo, in hexadecimal.
    pub fn key_hash(&self) -> &str {
        &self.key_hash
    }

    /// A new certificate for these names with a new key, ready to serve, and when the next one is due. It is shown
    /// together with the CA's, for agents that know no more than the hash of that one's key.
    pub fn certify(&self, names: &Names, now_ms: i64) -> Result<(Arc<ServerConfig>, i64)> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names.for_certificate()).map_err(failed)?;
        params.distinguished_name = named("Roadstead server");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now_ms, LEAF_DAYS);
        let leaf = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let chain = vec![leaf.der().clone(), self.certificate.clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((server_config(chain, key.into())?, now_ms + (LEAF_DAYS - RENEWAL_DAYS) * DAY_MS))
    }
}

fn create_key(file: &Path) -> Result<KeyPair> {
    let key = KeyPair::generate().map_err(failed)?;
    durable::write_private(file, key.serialize_pem().as_bytes())?;
    Ok(key)
}

/// The same for the same key, so that what is signed now has the issuer that stands in an older `ca.pem`.
fn params(key_hash: &str, now_ms: i64) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name = named(&format!("Roadstead CA {}", key_hash.get(..16).unwrap_or_default()));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now_ms, CA_DAYS);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn valid(params: &mut CertificateParams, now_ms: i64, days: i64) {
    let at = |ms: i64| date_time_ymd(1970, 1, 1) + Duration::from_millis(ms.try_into().unwrap_or(0));
    params.not_before = at(now_ms - CLOCK_DAYS * DAY_MS);
    params.not_after = at(now_ms + days * DAY_MS);
}

fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn damaged(file: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::conflict(format!("{} is damaged; put back a copy of it.", file.display())).caused_by(source)
}

fn failed(source: rcgen::Error) -> Error {
    Error::internal("A certificate could not be made.").caused_by(source)
}
