//! The way to a host: the guard, the jump host, the pin, the login.
//!
//! Invariants: no socket is opened to an address that the guard refuses; no user name goes out before the host key was
//! checked; a host that was met once has a pin, whatever came of the login.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::{self, Connection, Host, Rest},
    host_key,
};
use crate::{driver::Timeouts, error::Result, guard::AddressGuard, pins::Pins, tcp};

/// Opens connections, and keeps the pins.
pub(crate) struct Dialer {
    guard: AddressGuard,
    timeouts: Timeouts,
    pins: Mutex<Pins>,
}

/// A connection to the machine, with that to the jump host which carries it.
pub(crate) struct Route {
    pub(crate) machine: Connection,
    jump: Option<Connection>,
}

impl Route {
    /// Ends the connections, the carried one first.
    pub(crate) async fn close(self) {
        self.machine.close().await;
        if let Some(jump) = self.jump {
            jump.close().await;
        }
    }
}

impl Dialer {
    /// A dialer that knows these pins.
    pub(crate) fn new(guard: AddressGuard, timeouts: Timeouts, pins: Pins) -> Self {
        Self { guard, timeouts, pins: Mutex::new(pins) }
    }

    /// The pins by now.
    pub(crate) fn pins(&self) -> Pins {
        self.lock().clone()
    }

    /// Connects and logs in to `host`, through `jump` where there is one.
    pub(crate) async fn log_in(&self, host: &Host, jump: Option<&Host>) -> Result<Route> {
        self.route(host, jump, Rest::Ends).await
    }

    /// The same for programs that may have nothing to say for hours.
    pub(crate) async fn log_in_to_stay(&self, host: &Host, jump: Option<&Host>) -> Result<Route> {
        self.route(host, jump, Rest::IsKeptAlive).await
    }

    /// The key that a host shows, in OpenSSH's one-line form. Nobody logs in.
    pub(super) async fn look(&self, host: &str, port: u16) -> Result<String> {
        let stream = tcp::connect(self.guard, host, port, self.timeouts.connect).await?;
        let connection = connection::handshake(stream, host, None, Rest::Ends, self.timeouts).await?;
        let line = host_key::pin(&connection.host_key);
        connection.close().await;
        line
    }

    async fn route(&self, host: &Host, jump: Option<&Host>, rest: Rest) -> Result<Route> {
        let Some(jump) = jump else {
            return Ok(Route { machine: self.log_in_directly(host, rest).await?, jump: None });
        };
        let jump = self.log_in_directly(jump, rest).await?;
        let stream = self.forward(&jump, &host.name, host.port).await?;
        let mut machine = self.shake(host, stream, rest).await?;
        machine.log_in(&host.login, self.timeouts).await?;
        Ok(Route { machine, jump: Some(jump) })
    }

    /// Whether `host` takes connections on one of `ports`, as seen from `jump`.
    pub(crate) async fn answers_behind(&self, jump: &Host, host: &str, ports: &[u16]) -> Result<bool> {
        let jump = self.log_in_directly(jump, Rest::Ends).await?;
        let mut found = false;
        for &port in ports {
            found = self.forward(&jump, host, port).await.is_ok();
            if found {
                break;
            }
        }
        jump.close().await;
        Ok(found)
    }

    async fn log_in_directly(&self, host: &Host, rest: Rest) -> Result<Connection> {
        let stream = tcp::connect(self.guard, &host.name, host.port, self.timeouts.connect).await?;
        let mut connection = self.shake(host, stream, rest).await?;
        connection.log_in(&host.login, self.timeouts).await?;
        Ok(connection)
    }

    async fn forward(
        &self,
        jump: &Connection,
        host: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
        // A name means what the jump host's network makes of it; an address means the same everywhere.
        if let Ok(address) = host.parse() {
            self.guard.check(address)?;
        }
        jump.forward(host, port, self.timeouts).await
    }

    async fn shake(
        &self,
        host: &Host,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        rest: Rest,
    ) -> Result<Connection> {
        let known = self.lock().get(&host.name, host.port).map(host_key::parse).transpose()?;
        let connection = connection::handshake(stream, &host.name, known, rest, self.timeouts).await?;
        self.pin(host, &connection)?;
        Ok(connection)
    }

    /// Keeps the key of a host that is met for the first time. Another task may have met it meanwhile.
    fn pin(&self, host: &Host, connection: &Connection) -> Result<()> {
        let seen = host_key::pin(&connection.host_key)?;
        let mut pins = self.lock();
        match pins.get(&host.name, host.port).map(host_key::parse).transpose()? {
            None => pins.keep(&host.name, host.port, seen),
            Some(pinned) if pinned.key_data() == connection.host_key.key_data() => {}
            Some(pinned) => return Err(host_key::changed(&host.name, &pinned, Some(&connection.host_key))),
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
