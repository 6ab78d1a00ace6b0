//! TLS of the server: which certificate it shows, who vouches for that, and how it stays fresh.
//!
//! Either the operator gives a certificate, or the server makes a CA ([`authority`]) and signs a certificate for itself.
//! The latter is kept in memory alone: each start makes a new one, so its names are always the right ones. TLS 1.2 at
//! the least, computed by ring.

mod authority;
mod given;
mod listener;
mod names;

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use authority::Authority;
pub use given::Given;
pub use listener::TlsListener;
pub use names::{Names, host_name};

use crate::{Clock, Error, Result};

/// How often to see whether the certificate has to be made anew.
const LOOK: Duration = Duration::from_secs(600);

/// The server's TLS.
pub struct Tls {
    source: Source,
    config: watch::Sender<Arc<ServerConfig>>,
}

/// Where the certificate comes from.
enum Source {
    /// The server's own CA.
    Own { authority: Box<Authority>, names: Names, renew_at_ms: i64 },
    /// The operator.
    Given(Given),
}

impl Tls {
    /// TLS with a certificate by the server's own CA, which is kept in `folder` and made if it is not there.
    pub fn own(folder: &Path, names: Names, now_ms: i64) -> Result<Self> {
        let authority = Box::new(Authority::open_or_create(folder, now_ms)?);
        let (config, renew_at_ms) = authority.certify(&names, now_ms)?;
        Ok(Self { source: Source::Own { authority, names, renew_at_ms }, config: watch::Sender::new(config) })
    }

    /// TLS with the operator's certificate.
    pub fn given(given: Given) -> Result<Self> {
        let config = given.load()?;
        Ok(Self { source: Source::Given(given), config: watch::Sender::new(config) })
    }

    /// How an enrolment token says that this server is to be known.
    pub fn trust(&self) -> String {
        match &self.source {
            Source::Own { authority, .. } => format!("ca:{}", authority.key_hash()),
            Source::Given(_) => "public".to_owned(),
        }
    }

    /// What connections are to be accepted with, now and whenever it changes.
    pub fn config(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.config.subscribe()
    }

    /// Keeps the certificate fresh, for as long as it is polled: one of our own is made anew in good time and when the
    /// names change, one that was given is read again at SIGHUP.
    pub async fn keep_fresh(mut self, clock: Arc<dyn Clock>) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(signal) => Some(signal),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be listened for");
                None
            }
        };
        loop {
            let reload = tokio::select! {
                () = tokio::time::sleep(LOOK) => false,
                () = next(&mut hangup) => true,
            };
            if let Err(error) = self.refresh(clock.now_ms(), reload) {
                tracing::error!(error = error.chain(), "the certificate stays as it was");
            }
        }
    }

    fn refresh(&mut self, now_ms: i64, reload: bool) -> Result<()> {
        match &mut self.source {
            Source::Own { authority, names, renew_at_ms } => {
                let current = names.refreshed();
                if now_ms < *renew_at_ms && current == *names && !reload {
                    return Ok(());
                }
                let (config, renew) = authority.certify(&current, now_ms)?;
                (*names, *renew_at_ms) = (current, renew);
                self.config.send_replace(config);
                tracing::info!("the server's certificate is made anew");
            }
            Source::Given(given) if reload => {
                self.config.send_replace(given.load()?);
                tracing::info!("the certificate is read again");
            }
            Source::Given(_) => {}
        }
        Ok(())
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The one configuration: TLS 1.2 and 1.3 with ring, HTTP/1.1, no certificates of clients.
fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>> {
    let unfit = |e| Error::invalid("Certificate and key do not fit together, or are of no use.").caused_by(e);
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config =
        builder.map_err(unfit)?.with_no_client_auth().with_single_cert(chain, key).map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
