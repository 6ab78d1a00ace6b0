//! Which servers are believed: the one TLS configuration of the SDK, and what to say of a server that fails it.
//!
//! For programs that open connections of their own beside the SDK's, as an agent does for its link. TLS 1.2 at the
//! least, certificates and names always checked; there is no way to turn that off.

use std::{error::Error as StdError, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::error::{Error, ErrorKind, Result};

/// The configuration for a server that one of these CAs (PEM, one or several) vouches for; one of the public CAs
/// where there are none.
///
/// Errors: [`ErrorKind::Local`] where the CAs cannot be read.
pub fn config(ca_pem: Option<&[u8]>) -> Result<ClientConfig> {
    let roots = match ca_pem {
        Some(pem) => roots(pem)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Error::new(ErrorKind::Local, "cannot set up TLS").caused_by(e))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What TLS is computed with, handed in everywhere so that nothing depends on a default of the process.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Why a server was not believed, as a clause about it ("its certificate has expired"); `None` where the error has
/// another cause.
pub fn distrust(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref() {
            return clause(error);
        }
        next = match error.downcast_ref::<io::Error>() {
            // As its source it tells only that of what it holds.
            Some(error) => error.get_ref().map(|held| held as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

fn clause(error: &rustls::Error) -> Option<&'static str> {
    use CertificateError as Wrong;
    match error {
        rustls::Error::InvalidCertificate(wrong) => Some(match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => "its certificate has expired",
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
                "its certificate is not valid yet; are both clocks right?"
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
                "its certificate is for another name than the one it was called by"
            }
            Wrong::UnknownIssuer | Wrong::BadSignature => {
                "its certificate is signed by no CA that is trusted here"
            }
            _ => "its certificate is not in order",
        }),
        rustls::Error::NoCertificatesPresented => Some("it shows no certificate"),
        rustls::Error::InvalidMessage(_) => Some("it does not speak TLS there"),
        _ => None,
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore> {
    let unusable = |why| Error::new(ErrorKind::Local, format!("the CA certificates {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| unusable("are not in PEM").caused_by(e))?;
        roots.add(certificate).map_err(|e| unusable("cannot be used").caused_by(e))?;
    }
    if roots.is_empty() { Err(unusable("hold none")) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_no_ca() {
        assert!(config(None).is_ok());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "nonsense", broken, "-----BEGIN CERTIFICATE-----\nA"] {
            let error = config(Some(pem.as_bytes())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Local, "{pem:?}");
        }
    }

    #[test]
    fn the_reason_is_found_beneath_other_errors() {
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let held = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, expired));
        let outer = Error::new(ErrorKind::Unreachable, "away").caused_by(held);
        assert_eq!(distrust(&outer), Some("its certificate has expired"));
        assert_eq!(distrust(&io::Error::other("else")), None);
    }
}
