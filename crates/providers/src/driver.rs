//! The contract between Roadstead and a kind of backend.
//!
//! ```text
//!   fields, capabilities      declared by the driver's folder, tied to the catalogue in `registry`
//!   Setup  --connect-->  Driver  --machines, reboot, ...-->  the far side
//! ```
//!
//! What crosses the trait are the nouns of `roadstead_api` and the ids of the cloud; ids of ours, caching, permissions
//! and audit are the server's.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineProbe,
    network::{Network, NewNetwork},
    size::Size,
};

use crate::{
    capability::{Capabilities, Capability, Limits},
    credentials::Credentials,
    error::{Error, Result},
    field::Fields,
    guard::AddressGuard,
    machine::{MachineOrder, SeenMachine},
    pins::Pins,
    remote::{Program, Remote},
};

/// What a driver is made from: one backend's settings.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The backend's name for people. Backends that are a single machine call it so.
    pub title: String,
    /// The region, for providers that have regions.
    pub region: Option<String>,
    /// The checked values of the provider's fields.
    pub credentials: Credentials,
    /// The host keys known so far.
    pub pins: Pins,
    /// Which addresses may be connected to.
    pub guard: AddressGuard,
    /// How long to wait for the far side.
    pub timeouts: Timeouts,
    /// What may be used of the server's own machine.
    pub local: LocalAccess,
}

/// What drivers may use of the server's own machine: only what its operator has listed, so nothing by default. Whoever
/// adds a backend cannot widen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAccess {
    /// Sockets of container engines, such as `/run/docker.sock`.
    pub sockets: Vec<PathBuf>,
    /// Connections of libvirt, such as `qemu:///system`.
    pub hypervisors: Vec<String>,
    /// Keys of Amazon's that are this machine's.
    pub aws: LocalAws,
}

/// What drivers may use of the server's own access to Amazon's services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalAws {
    /// Profiles of the shared credentials file.
    pub profiles: Vec<String>,
    /// That file.
    pub credentials_file: Option<PathBuf>,
    /// The URL of the instance metadata service, where the role of this instance may be used.
    pub metadata: Option<String>,
}

/// What a driver's folder declares.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// What the provider asks for.
    pub fields: Fields,
    /// The most that a backend of this kind can do.
    pub capabilities: Capabilities,
    /// Makes a driver. Talks to nobody; fails with [`Invalid`](crate::ErrorKind::Invalid) for values that cannot be
    /// right.
    pub connect: fn(Setup) -> Result<Arc<dyn Driver>>,
}

/// How long to wait for the far side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to stand.
    pub connect: Duration,
    /// For the answer to one call.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), call: Duration::from_secs(30) }
    }
}

/// One backend, ready to be asked.
///
/// Making a driver talks to nobody; every other call may. Calls may come from several tasks at once and in any order,
/// and each can be dropped at any await: it then leaves no connection behind that lives longer than a minute. A call
/// that changes something may have taken effect although it failed with [`Timeout`](crate::ErrorKind::Timeout) or
/// [`Unreachable`](crate::ErrorKind::Unreachable): the next list tells.
///
/// A driver may retry what only reads, and a change only where the far side knows it by a token. Lists follow the far
/// side's pages to the end. `id` is always the cloud's id, as a list showed it; drivers still take it for hostile text.
/// An unknown one is [`NotFound`](crate::ErrorKind::NotFound); credentials that fail are told apart from missing rights
/// and from no route.
///
/// A driver implements what it declares in [`Driver::capabilities`]. The rest stays with the defaults here, which
/// refuse with the provider's name, before any call.
#[async_trait]
pub trait Driver: fmt::Debug + Send + Sync {
    /// The provider's id in the catalogue.
    fn provider(&self) -> &'static str;

    /// What this backend can do at all. It does not change while the driver lives.
    fn capabilities(&self) -> Capabilities;

    /// How much of something it takes.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// The host keys known by now: those of [`Setup::pins`] and those of hosts that were met since. Whoever keeps the
    /// backend keeps these with it, at the latest after [`Driver::validate`].
    fn pins(&self) -> Pins {
        Pins::default()
    }

    /// Makes sure, by a real call, that the far side is there and takes the credentials. Changes nothing there.
    async fn validate(&self) -> Result<()>;

    /// Every machine of the backend, each once.
    async fn machines(&self) -> Result<Vec<SeenMachine>>;

    /// The images that `search` matches, or every one; the far side's own search where it has one.
    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let _ = search;
        Err(Error::unsupported(self.provider(), Capability::Images))
    }

    /// Every size.
    async fn sizes(&self) -> Result<Vec<Size>> {
        Err(Error::unsupported(self.provider(), Capability::Sizes))
    }

    /// The size with this id that is in no list, where sizes are whatever their ids say. `None` where all are listed.
    ///
    /// Errors: [`Invalid`](crate::ErrorKind::Invalid) for an id that says nothing.
    fn other_size(&self, id: &str) -> Result<Option<Size>> {
        let _ = id;
        Ok(None)
    }

    /// Every location.
    async fn locations(&self) -> Result<Vec<Location>> {
        Err(Error::unsupported(self.provider(), Capability::Locations))
    }

    /// Every network.
    async fn networks(&self) -> Result<Vec<Network>> {
        Err(Error::unsupported(self.provider(), Capability::Networks))
    }

    /// Makes a network with its subnets: all of it, or nothing that stays.
    async fn create_network(&self, new: &NewNetwork) -> Result<Network> {
        let _ = new;
        Err(Error::unsupported(self.provider(), Capability::CreateNetwork))
    }

    /// Deletes a network. One that machines are joined to stays, and that is a
    /// [`Conflict`](crate::ErrorKind::Conflict).
    async fn delete_network(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::DeleteNetwork))
    }

    /// Makes machines, and returns once the far side has taken the order; they may still be pending.
    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        let _ = order;
        Err(Error::unsupported(self.provider(), Capability::Create))
    }

    /// Starts a machine. This and all changes below return once the far side has taken the order.
    async fn start(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::Start))
    }

    /// Stops a machine in good order, where the far side knows one.
    async fn stop(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::Stop))
    }

    /// Restarts a machine in good order, where the far side knows one.
    async fn reboot(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::Reboot))
    }

    /// Destroys a machine, for ever.
    async fn destroy(&self, id: &str) -> Result<()> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::Destroy))
    }

    /// Gives a machine another name.
    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let _ = (id, name);
        Err(Error::unsupported(self.provider(), Capability::Rename))
    }

    /// Gives a machine another size.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let _ = (id, size);
        Err(Error::unsupported(self.provider(), Capability::Resize))
    }

    /// Sets the machine's tags to exactly these.
    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let _ = (id, tags);
        Err(Error::unsupported(self.provider(), Capability::Tag))
    }

    /// What the machine printed on its console, the newest at the end.
    async fn console_output(&self, id: &str) -> Result<String> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::ConsoleOutput))
    }

    /// Asks the machine itself how it is.
    async fn probe(&self, id: &str) -> Result<MachineProbe> {
        let _ = id;
        Err(Error::unsupported(self.provider(), Capability::Probe))
    }

    /// Starts a program on a machine, by a way of the backend's own. It returns once the program runs.
    async fn open(&self, id: &str, program: Program) -> Result<Remote> {
        let _ = (id, program);
        Err(Error::unsupported(self.provider(), Capability::Exec))
    }
}
