//! Machines that are logged in to with a key of the user's, whatever backend holds them.

use super::{
    connection::{Host, Login},
    dial::{Dialer, Route},
    host_key,
    key::SshKey,
};
use crate::{
    driver::Timeouts,
    error::Result,
    guard::AddressGuard,
    pins::Pins,
    remote::{Program, Remote},
};

/// A machine, and how to log in to it.
#[derive(Clone, Debug)]
pub struct SshTarget {
    /// Its name or address.
    pub host: String,
    /// The port of its SSH server.
    pub port: u16,
    /// The user to log in as.
    pub user: String,
    /// The key that the machine takes.
    pub key: SshKey,
    /// The host key that it has to show; any is taken when absent.
    pub pin: Option<String>,
}

/// A host key, as it is kept and as people compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// In OpenSSH's one-line form, without a comment.
    pub line: String,
    /// `SHA256:...`.
    pub fingerprint: String,
}

impl HostKey {
    fn of(line: &str) -> Result<Self> {
        let fingerprint = host_key::fingerprint(&host_key::parse(line)?);
        Ok(Self { line: line.to_owned(), fingerprint })
    }
}

impl SshTarget {
    /// Logs in and starts a program. The host key that was seen comes with it, also where the login then failed.
    pub async fn open(
        &self,
        program: Program,
        guard: AddressGuard,
        timeouts: Timeouts,
    ) -> (Result<Remote>, Option<HostKey>) {
        let dialer = self.dialer(guard, timeouts);
        let login = Login { user: self.user.clone(), key: Some(self.key.pair()), password: None };
        let host = Host { name: self.host.clone(), port: self.port, login };
        let opened = async {
            let route: Route = dialer.log_in_to_stay(&host, None).await?;
            route.into_program(program, timeouts).await
        };
        (opened.await, self.seen(&dialer))
    }

    /// The key that the host shows now, whatever is pinned. Nothing is sent to it.
    pub async fn shown(host: &str, port: u16, guard: AddressGuard, timeouts: Timeouts) -> Result<HostKey> {
        let dialer = Dialer::new(guard, timeouts, Pins::default());
        HostKey::of(&dialer.look(host, port).await?)
    }

    fn dialer(&self, guard: AddressGuard, timeouts: Timeouts) -> Dialer {
        let mut pins = Pins::default();
        if let Some(pin) = &self.pin {
            pins.keep(&self.host, self.port, pin.clone());
        }
        Dialer::new(guard, timeouts, pins)
    }

    fn seen(&self, dialer: &Dialer) -> Option<HostKey> {
        dialer.pins().get(&self.host, self.port).and_then(|line| HostKey::of(line).ok())
    }
}
