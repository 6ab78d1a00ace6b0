//! Which servers are believed, and what to say of one that is not.
//!
//! TLS 1.2 at the least; certificates and names are always checked, and there is no way to turn that off: a private
//! cloud gives its CA instead.

use std::{error::Error as StdError, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::fields::CA;
use crate::{
    credentials::Secret,
    error::{Error, ErrorKind, Result},
};

/// The configuration for a server that one of these CAs vouches for; one of the public CAs where there are none.
pub(super) fn config(ca: Option<&Secret>) -> Result<ClientConfig> {
    let roots = match ca {
        Some(pem) => roots(pem.expose().as_bytes())?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Failed, "cannot set up TLS").caused_by(e))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| Error::invalid(CA.name, "is not in PEM").caused_by(e))?;
        roots
            .add(certificate)
            .map_err(|e| Error::invalid(CA.name, "holds a certificate that cannot be used").caused_by(e))?;
    }
    if roots.is_empty() { Err(Error::invalid(CA.name, "holds no certificate in PEM")) } else { Ok(roots) }
}

/// Why a server was not believed, as a clause about it; `None` where the error has another cause.
pub(super) fn distrust(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    beneath(error, |error| error.downcast_ref().and_then(clause))
}

/// The first thing that `look` finds in an error or beneath it.
pub(super) fn beneath<'a, T>(
    error: &'a (dyn StdError + 'static),
    look: impl Fn(&'a (dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = look(error) {
            return Some(found);
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
                "its certificate is signed by no CA that is trusted here; give its CA as `ca_file`"
            }
            _ => "its certificate is not in order",
        }),
        rustls::Error::NoCertificatesPresented => Some("it shows no certificate"),
        rustls::Error::InvalidMessage(_) => Some("it does not speak TLS there; is it an http:// address?"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::config;
    use crate::{ErrorKind, Secret};

    #[test]
    fn what_is_no_certificate_is_no_ca() {
        assert!(config(None).is_ok());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "nonsense", broken, "-----BEGIN CERTIFICATE-----\nA"] {
            let error = config(Some(&Secret::new(pem))).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some("ca_file")), "{pem:?}");
        }
    }
}
