//! [`ClientBuilder`]: a client with more to say than its address.

use std::{fmt, path::Path};

use crate::{
    Client, Credentials, blocking,
    error::{Error, ErrorKind, Result},
    transport::Transport,
};

/// Makes a [`Client`]. Asks the server nothing.
#[derive(Clone)]
pub struct ClientBuilder {
    url: String,
    credentials: Option<Credentials>,
    ca_pem: Option<Vec<u8>>,
    proxy: Option<String>,
}

/// Without the proxy, whose address may hold a password.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("url", &self.url).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), credentials: None, ca_pem: None, proxy: None }
    }

    /// Who asks.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The CA certificates (PEM, one or several) that alone may vouch for the server. Without any the public CAs may.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// The same from a file.
    pub fn ca_file(self, path: &Path) -> Result<Self> {
        let pem = std::fs::read(path);
        let failed = || format!("cannot read the CA certificates in {}", path.display());
        Ok(self.ca_pem(pem.map_err(|e| Error::new(ErrorKind::Local, failed()).caused_by(e))?))
    }

    /// The HTTP proxy to go through: an `http` URL, perhaps with user and password. Without it none is asked, whatever the
    /// environment says.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// The client.
    pub fn build(self) -> Result<Client> {
        Ok(Client::over(Transport::new(
            &self.url,
            self.credentials,
            self.ca_pem.as_deref(),
            self.proxy.as_deref(),
        )?))
    }

    /// The client for programs that are not async.
    pub fn build_blocking(self) -> Result<blocking::Client> {
        blocking::Client::over(self.build()?)
    }
}
