//! Finding the server's CA, of which the token tells only the hash of its key.
//!
//! The server shows its CA's certificate along with its own. The one whose key has the hash is taken for the only CA
//! there is, and everything is then checked as ever: signatures, name, dates. So there is no moment in which a
//! certificate is taken on faith, and nothing is sent until the handshake is through.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use roadstead_client::tls;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use tokio::time::timeout;

use crate::{
    error::{Error, ErrorKind, Result},
    line,
    proxy::ProxyUrl,
    server_url::ServerUrl,
    trust::KeyHash,
};

/// How long the server may take to show itself.
const LIMIT: Duration = Duration::from_secs(30);

/// The CA whose key has this hash, in PEM, once the server has proved that this CA vouches for it.
///
/// Errors: [`ErrorKind::Untrusted`], [`ErrorKind::Link`].
pub(crate) async fn find(server: &ServerUrl, hash: &KeyHash, proxy: Option<&ProxyUrl>) -> Result<String> {
    let pinned = Arc::new(Pinned { hash: hash.clone(), provider: tls::provider(), found: Mutex::default() });
    let unusable = |e| Error::new(ErrorKind::Link, "cannot set up TLS").caused_by(e);
    let builder = ClientConfig::builder_with_provider(pinned.provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(pinned.clone());
    let late = |_| Error::new(ErrorKind::Link, format!("{server} did not answer in time"));
    timeout(LIMIT, line::connect_tls(server, builder.with_no_client_auth(), proxy)).await.map_err(late)??;
    let found = pinned.found.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.as_ref().map(pem).ok_or_else(|| Error::new(ErrorKind::Untrusted, format!("{server} showed no CA")))
}

/// Takes the one CA whose key has the hash for the root of all trust.
#[derive(Debug)]
struct Pinned {
    hash: KeyHash,
    provider: Arc<CryptoProvider>,
    found: Mutex<Option<CertificateDer<'static>>>,
}

impl Pinned {
    fn is_the_ca(&self, certificate: &CertificateDer<'_>) -> bool {
        let parsed = ParsedCertificate::try_from(certificate);
        parsed.is_ok_and(|parsed| self.hash.is_of(parsed.subject_public_key_info().as_ref()))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let ca = intermediates.iter().find(|certificate| self.is_the_ca(certificate)).ok_or(unknown)?;
        let ca = ca.clone().into_owned();
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), self.provider.clone())
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?;
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(ca);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    // Base64 is ASCII, so lines can be cut anywhere.
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
