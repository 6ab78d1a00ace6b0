//! A certificate that the operator gives.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};

use crate::{Error, Result};

/// The files of a certificate that the operator gives, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The certificate, followed by those between it and its CA.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Given {
    /// Reads both, and checks that they belong together.
    pub(crate) fn load(&self) -> Result<Arc<ServerConfig>> {
        let unreadable = |what: &str, path: &PathBuf, error: pem::Error| {
            Error::invalid(format!("The {what} in {} cannot be read as PEM.", path.display()))
                .caused_by(error)
        };
        let of_chain = |error| unreadable("certificate", &self.certificate, error);
        let chain = CertificateDer::pem_file_iter(&self.certificate).map_err(of_chain)?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(of_chain)?;
        if chain.is_empty() {
            return Err(Error::invalid(format!(
                "There is no certificate in {}.",
                self.certificate.display()
            )));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|e| unreadable("key", &self.key, e))?;
        super::server_config(chain, key)
    }
}
