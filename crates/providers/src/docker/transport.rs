//! A stream to the engine, whichever way leads there.
//!
//! Invariants: TCP goes only to addresses that the guard allows; TLS is believed only where the given CA, or a public
//! one, vouches for the host's name; a login over SSH is used for many streams, and for none that comes later than a
//! minute after the last.

use std::{io::Cursor, path::Path, pin::Pin, sync::Arc, task::Poll, time::Duration};

use rustls::{
    AlertDescription, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
    sync::Mutex,
};
use tokio_rustls::TlsConnector;

use super::settings::{Identity, Settings, Way};
use crate::{
    driver::{Setup, Timeouts},
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
    pins::Pins,
    ssh::{Dialer, Host, Route},
    tcp::{self, within},
};

/// A stream of bytes to the engine.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens streams.
pub(super) struct Transport {
    /// The engine as people call it.
    pub(super) name: String,
    kind: Kind,
    guard: AddressGuard,
    limit: Duration,
}

enum Kind {
    Tcp { host: String, port: u16, tls: Option<(TlsConnector, ServerName<'static>)> },
    Ssh(Box<Tunnel>),
    Local(std::path::PathBuf),
}

/// Logins on the engine's host.
struct Tunnel {
    dialer: Dialer,
    host: Host,
    jump: Option<Host>,
    socket: String,
    timeouts: Timeouts,
    route: Mutex<Option<Arc<Route>>>,
}

impl Transport {
    /// A transport as the settings want it.
    pub(super) fn new(settings: Settings, setup: &Setup) -> Result<Self> {
        let (name, kind) = match settings.way {
            Way::Tcp { host, port, tls } => {
                let tls = tls.map(|identity| tls_of(&identity, &host)).transpose()?;
                (format!("{host}:{port}"), Kind::Tcp { host, port, tls })
            }
            Way::Local(path) => (path.display().to_string(), Kind::Local(path)),
            Way::Ssh { host, jump, socket } => {
                let dialer = Dialer::new(setup.guard, setup.timeouts, setup.pins.clone());
                let (timeouts, route) = (setup.timeouts, Mutex::new(None));
                let (name, jump) = (host.name.clone(), jump.map(|jump| *jump));
                let tunnel = Tunnel { dialer, host: *host, jump, socket, timeouts, route };
                (name, Kind::Ssh(Box::new(tunnel)))
            }
        };
        Ok(Self { name, kind, guard: setup.guard, limit: setup.timeouts.connect })
    }

    /// The host that published ports are on; none where nobody can tell.
    pub(super) fn host(&self) -> Option<&str> {
        match &self.kind {
            Kind::Tcp { host, .. } => Some(host),
            Kind::Ssh(tunnel) => Some(&tunnel.host.name),
            Kind::Local(_) => None,
        }
    }

    /// The host keys by now.
    pub(super) fn pins(&self) -> Pins {
        match &self.kind {
            Kind::Ssh(tunnel) => tunnel.dialer.pins(),
            _ => Pins::default(),
        }
    }

    /// Opens a stream.
    pub(super) async fn open(&self) -> Result<Box<dyn Stream>> {
        match &self.kind {
            Kind::Tcp { host, port, tls: None } => {
                Ok(Box::new(tcp::connect(self.guard, host, *port, self.limit).await?))
            }
            Kind::Tcp { host, port, tls: Some((connector, server)) } => {
                let stream = tcp::connect(self.guard, host, *port, self.limit).await?;
                let context = || format!("cannot speak TLS with {}", self.name);
                let shake = async {
                    connector.connect(server.clone(), stream).await.map_err(|e| tls_error(context(), e))
                };
                Ok(Box::new(within(self.limit, context, shake).await?))
            }
            Kind::Local(path) => self.local(path).await,
            Kind::Ssh(tunnel) => tunnel.open().await,
        }
    }

    async fn local(&self, path: &Path) -> Result<Box<dyn Stream>> {
        let context = || format!("cannot connect to {}", path.display());
        let stream = async {
            UnixStream::connect(path).await.map_err(|source| match source.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    Error::new(ErrorKind::MissingRights, context()).caused_by(source)
                }
                _ => Error::io(context(), source),
            })
        };
        Ok(Box::new(within(self.limit, context, stream).await?))
    }
}

impl Tunnel {
    /// A stream by the login that stands, or by a new one where it stands no more.
    async fn open(&self) -> Result<Box<dyn Stream>> {
        let standing = self.route.lock().await.clone();
        if let Some(route) = standing {
            match self.stream(route).await {
                Err(error) if error.kind() == ErrorKind::Unreachable => {}
                opened => return opened,
            }
        }
        let mut kept = self.route.lock().await;
        let route = Arc::new(self.dialer.log_in(&self.host, self.jump.as_ref()).await?);
        *kept = Some(Arc::clone(&route));
        drop(kept);
        self.stream(route).await
    }

    async fn stream(&self, route: Arc<Route>) -> Result<Box<dyn Stream>> {
        let stream = route.machine.socket(&self.socket, self.timeouts).await?;
        Ok(Box::new(Carried { stream, _route: route }))
    }
}

/// A stream with the login that carries it.
struct Carried<S> {
    stream: S,
    _route: Arc<Route>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Carried<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Carried<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

fn tls_of(identity: &Identity, host: &str) -> Result<(TlsConnector, ServerName<'static>)> {
    let mut roots = RootCertStore::empty();
    match &identity.ca {
        Some(ca) => {
            for certificate in certificates("ca_file", ca.expose())? {
                roots
                    .add(certificate)
                    .map_err(|_| Error::invalid("ca_file", "is not the certificate of a CA"))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |_| Error::invalid("cert_file", "cannot be used with this key");
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots);
    let config = match &identity.client {
        Some((certificate, key)) => {
            // What the parser says may quote the key.
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| Error::invalid("key_file", "is not a private key in PEM"))?;
            let chain = certificates("cert_file", certificate.expose())?;
            builder.with_client_auth_cert(chain, key).map_err(unusable)?
        }
        None => builder.with_no_client_auth(),
    };
    let server = ServerName::try_from(host.to_owned())
        .map_err(|_| Error::invalid("docker_host", "is no name that a certificate can have"))?;
    Ok((TlsConnector::from(Arc::new(config)), server))
}

fn certificates(field: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(Cursor::new(pem)).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(Error::invalid(field, "is not a certificate in PEM")),
    }
}

/// Files trouble on a stream by what it means. A refusal of our certificate may come as late as with the first answer.
pub(super) fn tls_error(context: String, source: std::io::Error) -> Error {
    let told = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let kind = match told {
        Some(rustls::Error::InvalidCertificate(_)) => ErrorKind::Untrusted,
        Some(rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        )) => ErrorKind::WrongCredentials,
        Some(_) => ErrorKind::Malformed,
        None => return Error::io(context, source),
    };
    Error::new(kind, context).caused_by(source)
}
