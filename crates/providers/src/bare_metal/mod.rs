//! `bare_metal`: one server that somebody already has, driven over SSH.
//!
//! The backend is the machine. Its state comes from TCP alone ([`reach`]); what needs a login (reboot, power off, facts)
//! goes over SSH to a host whose key is pinned. Without a key or a password, and on Windows, the host is listed and
//! probed by TCP, and nothing else.
//!
//! Commands on the host are constants: nothing that a user gave ever gets to a shell there.

mod reach;
mod settings;
#[cfg(feature = "sim")]
pub mod sim;

use std::{fmt, net::IpAddr, sync::Arc, time::Instant};

use async_trait::async_trait;
use roadstead_api::machine::{MachineProbe, MachineState};
use serde_json::json;

use self::settings::{FIELDS, Settings};
use crate::{
    capability::{Capabilities, Capability},
    driver::{Driver, Registration, Setup, Timeouts},
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
    machine::SeenMachine,
    pins::Pins,
    remote::{Program, Remote},
    ssh::{CommandLine, Dialer, MAX_OUTPUT_BYTES, Route, power::Power, probe},
    tcp::within,
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(BareMetal::new(setup)?)),
};

const PROVIDER: &str = "bare_metal";
const CAPABILITIES: Capabilities =
    Capabilities::of(&[Capability::Stop, Capability::Reboot, Capability::Probe, Capability::Exec]);
const WITHOUT_LOGIN: Capabilities = Capabilities::of(&[Capability::Probe]);

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

    async fn power(&self, id: &str, capability: Capability, power: Power) -> Result<()> {
        self.require(id, capability)?;
        let route = self.log_in().await?;
        let done = route.machine.power(power, &self.settings.host.login, self.timeouts).await;
        route.close().await;
        done
    }

    async fn ask(&self) -> Result<MachineProbe> {
        let begun = Instant::now();
        let route = self.log_in().await?;
        let command = CommandLine::new(probe::COMMAND);
        let output =
            route.machine.run(&command, probe::SCRIPT.as_bytes(), MAX_OUTPUT_BYTES, self.timeouts).await;
        route.close().await;
        let probe = probe::parse(&self.settings.host.name, &output?.stdout)?;
        Ok(MachineProbe { round_trip_ms: milliseconds(begun), ..probe })
    }

    /// What TCP tells of a host that nobody can log in to: that it is there, and how far away.
    async fn knock(&self) -> Result<MachineProbe> {
        let begun = Instant::now();
        if !self.answers().await? {
            let message =
                format!("{} takes no connection on any of the usual ports", self.settings.host.name);
            return Err(Error::new(ErrorKind::Unreachable, message));
        }
        Ok(MachineProbe { round_trip_ms: milliseconds(begun), ..MachineProbe::default() })
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
        let found = within(self.timeouts.connect, || host.name.clone(), resolve).await;
        found.unwrap_or_default().into_iter().map(|address| address.ip()).collect()
    }
}

#[async_trait]
impl Driver for BareMetal {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn capabilities(&self) -> Capabilities {
        if self.settings.can_log_in() { CAPABILITIES } else { WITHOUT_LOGIN }
    }

    fn pins(&self) -> Pins {
        self.dialer.pins()
    }

    async fn validate(&self) -> Result<()> {
        if self.settings.can_log_in() { self.ask().await } else { self.knock().await }.map(drop)
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let Settings { host, windows, remote_desktop_port, .. } = &self.settings;
        let mut machine = SeenMachine::new(host.name.as_str(), self.title.as_str(), self.state().await?);
        for address in self.addresses().await {
            machine.add_address(address);
        }
        // Whether it is up is a guess, so all is offered in any state.
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
        self.power(id, Capability::Reboot, Power::Reboot).await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.power(id, Capability::Stop, Power::Off).await
    }

    async fn open(&self, id: &str, program: Program) -> Result<Remote> {
        self.require(id, Capability::Exec)?;
        let route = self.dialer.log_in_to_stay(&self.settings.host, self.settings.jump.as_ref()).await?;
        route.into_program(program, self.timeouts).await
    }

    async fn probe(&self, id: &str) -> Result<MachineProbe> {
        self.require(id, Capability::Probe)?;
        if self.settings.can_log_in() { self.ask().await } else { self.knock().await }
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
