//! `bare_metal`: one server that somebody already has, driven over SSH.
//!
//! The backend is the machine. Its state comes from TCP alone ([`reach`]); what needs a login (reboot, probe) goes over
//! SSH ([`dial`], [`wire`]) to a host whose key is pinned ([`host_key`]). Without a key or a password, and on Windows,
//! the host is listed and nothing else.
//!
//! Commands on the host are constants of this folder: nothing that a user gave ever gets to a shell there.

mod dial;
mod host_key;
mod probe;
mod reach;
mod settings;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::{fmt, net::IpAddr, sync::Arc, time::Instant};

use async_trait::async_trait;
use roadstead_api::machine::{MachineProbe, MachineState};
use serde_json::json;

use self::{
    dial::{Dialer, Route},
    settings::{FIELDS, Settings},
    wire::Output,
};
use crate::{
    capability::{Capabilities, Capability},
    driver::{Driver, Registration, Setup, Timeouts},
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
    machine::SeenMachine,
    pins::Pins,
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(BareMetal::new(setup)?)),
};

const PROVIDER: &str = "bare_metal";
const CAPABILITIES: Capabilities = Capabilities::of(&[Capability::Reboot, Capability::Probe]);

const REBOOT: &str = "shutdown -r now";
const REBOOT_BY_SUDO: &str = "sudo -n shutdown -r now";

/// The exit status with which a shell says that there is no such command.
const NO_SUCH_COMMAND: u32 = 127;

struct BareMetal {
    title: String,
    settings: Settings,
    guard: AddressGuard,
    timeouts: Timeouts,
    dialer: Dialer,
}

impl fmt::Debug for BareMetal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.settings.host;
        f.debug_struct("BareMetal")
            .field("host", &host.name)
            .field("port", &host.port)
            .finish_non_exhaustive()
    }
}

impl BareMetal {
    fn new(setup: Setup) -> Result<Self> {
        Ok(Self {
            settings: Settings::read(&setup.credentials)?,
            title: setup.title,
            guard: setup.guard,
            timeouts: setup.timeouts,
            dialer: Dialer::new(setup.guard, setup.timeouts, setup.pins),
        })
    }

    /// Refuses ids of machines that the backend does not have, and what it cannot do.
    fn require(&self, id: &str, capability: Capability) -> Result<()> {
        if id != self.settings.host.name {
            return Err(Error::new(ErrorKind::NotFound, "this backend has no such machine"));
        }
        if self.capabilities().contains(capability) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the provider {PROVIDER} cannot {capability} without a key or a password, nor on Windows"
            ),
        ))
    }

    async fn log_in(&self) -> Result<Route> {
        self.dialer.log_in(&self.settings.host, self.settings.jump.as_ref()).await
    }

    async fn run(&self, command: &'static str, input: &[u8]) -> Result<Output> {
        let route = self.log_in().await?;
        let output = route.machine.run(command, input, self.timeouts).await;
        route.close().await;
        output
    }

    async fn ask(&self) -> Result<MachineProbe> {
        let begun = Instant::now();
        let output = self.run(probe::COMMAND, probe::SCRIPT.as_bytes()).await?;
        let mut probe = probe::parse(&self.settings.host.name, &output.stdout)?;
        probe.round_trip_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(probe)
    }

    async fn answers(&self) -> Result<bool> {
        let Settings { host, jump, ports, .. } = &self.settings;
        match jump {
            Some(jump) => self.dialer.answers_behind(jump, &host.name, ports).await,
            None => reach::answers(self.guard, &host.name, ports, self.timeouts.connect).await,
        }
    }

    async fn state(&self) -> Result<MachineState> {
        match self.answers().await {
            Ok(true) => Ok(MachineState::Running),
            Ok(false) => Ok(MachineState::Unknown),
            // A jump host that is down hides the machine.
            Err(error) if error.is_temporary() => Ok(MachineState::Unknown),
            Err(error) => Err(error),
        }
    }

    /// The machine's addresses: the one given, or those of the name. Behind a jump host names mean something else.
    async fn addresses(&self) -> Vec<IpAddr> {
        let host = &self.settings.host;
        if let Ok(address) = host.name.parse() {
            return vec![address];
        }
        if self.settings.jump.is_some() {
            return Vec::new();
        }
        let resolve = self.guard.resolve(&host.name, host.port);
        let found = wire::within(self.timeouts.connect, || host.name.clone(), resolve).await;
        found.unwrap_or_default().into_iter().map(|address| address.ip()).collect()
    }
}

#[async_trait]
impl Driver for BareMetal {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn capabilities(&self) -> Capabilities {
        if self.settings.can_log_in() { CAPABILITIES } else { Capabilities::NONE }
    }

    fn pins(&self) -> Pins {
        self.dialer.pins()
    }

    async fn validate(&self) -> Result<()> {
        if self.settings.can_log_in() {
            return self.ask().await.map(drop);
        }
        if self.answers().await? {
            return Ok(());
        }
        let message = format!("{} takes no connection on any of the usual ports", self.settings.host.name);
        Err(Error::new(ErrorKind::Unreachable, message))
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let Settings { host, windows, remote_desktop_port, .. } = &self.settings;
        let mut machine = SeenMachine::new(host.name.as_str(), self.title.as_str(), self.state().await?);
        for address in self.addresses().await {
            machine.add_address(address);
        }
        // Whether it is up is a guess, so a reboot is offered in any state.
        machine.actions = self.capabilities();
        machine.extra.insert("host".into(), json!(host.name));
        machine.extra.insert("ssh_port".into(), json!(host.port));
        machine.extra.insert("user".into(), json!(host.login.user));
        if *windows {
            machine.extra.insert("os_type".into(), json!("windows"));
            machine.extra.insert("remote_desktop_port".into(), json!(remote_desktop_port));
        }
        Ok(vec![machine])
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.require(id, Capability::Reboot)?;
        let command = if self.settings.host.login.user == "root" { REBOOT } else { REBOOT_BY_SUDO };
        let output = self.run(command, b"").await?;
        reboot_outcome(&self.settings.host.name, &output)
    }

    async fn probe(&self, id: &str) -> Result<MachineProbe> {
        self.require(id, Capability::Probe)?;
        self.ask().await
    }
}

/// What became of a reboot. A host that took the command and went down before it could tell is one that reboots.
fn reboot_outcome(host: &str, output: &Output) -> Result<()> {
    let kind = match output.status {
        Some(0) => return Ok(()),
        None if output.accepted => return Ok(()),
        None => {
            return Err(Error::new(
                ErrorKind::Unreachable,
                format!("{host} went away before it took the command"),
            ));
        }
        Some(NO_SUCH_COMMAND) => ErrorKind::Failed,
        Some(_) if lacks_rights(&output.stderr) => ErrorKind::MissingRights,
        Some(_) => ErrorKind::Failed,
    };
    Err(Error::new(kind, format!("{host} does not reboot: {}", output.complaint())))
}

/// Whether a complaint of `sudo` or `shutdown` is about rights.
fn lacks_rights(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    [
        "password is required",
        "not allowed",
        "may not run",
        "sudoers",
        "must be root",
        "permission denied",
        "not permitted",
        "access denied",
        "authentication required",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}
