//! The kinds of backend that Roadstead knows: the catalogue, the kit that drivers are built from, and a folder for each
//! driver.
//!
//! | part | what it is |
//! |---|---|
//! | [`providers`], [`provider`] | the static catalogue |
//! | [`Driver`] | what a driver does; its documentation is the contract |
//! | [`Capability`], [`Limits`] | what it can do, and how much |
//! | [`Field`], [`Credentials`] | what it asks for, and what it was given |
//! | [`Error`] | why it failed, told apart by what a person has to do about it |
//! | [`SshKey`] | SSH key pairs, read and made |
//! | [`AddressGuard`], [`Pins`] | which addresses it talks to, and which host keys it takes |
//! | [`registration`], [`connect`] | the registry: one line a provider |
//!
//! A driver is a folder: `mod.rs` (fields, capabilities, the [`Driver`]), `wire.rs` (the far side's protocol), `sim.rs`
//! (a fake far side on a real socket, behind the feature `sim`). The behaviour suite in `tests/behaviour` runs on every
//! fake and, where it can, on the real thing. What speaks REST is built on the client in `http`, its fake on `fake`.

mod azure;
mod bare_metal;
mod capability;
mod catalogue;
mod container;
mod credentials;
mod digitalocean;
mod docker;
mod driver;
mod ec2;
mod error;
#[cfg(feature = "sim")]
mod fake;
mod field;
mod gce;
mod guard;
mod hpcloud;
mod http;
mod indonesian_vcloud;
mod libvirt;
mod linode;
mod machine;
mod nephoscale;
mod openstack;
mod pins;
mod rackspace;
mod registry;
mod remote;
mod softlayer;
mod ssh;
mod tcp;
mod vcloud;

pub use capability::{Capabilities, Capability, Limits};
pub use catalogue::{provider, providers};
pub use container::{ContainerOrder, Progress, PublishedPort, Volume};
pub use credentials::{Credentials, Secret};
pub use driver::{Driver, LocalAccess, LocalAws, Registration, Setup, Timeouts};
pub use error::{Error, ErrorKind, Result};
pub use field::{Field, FieldKind, Fields, MAX_VALUE_BYTES};
pub use guard::{AddressGuard, is_private};
pub use machine::{MachineOrder, SeenMachine};
pub use pins::Pins;
pub use registry::{check_fields, connect, registration};
pub use remote::{Feed, Program, Remote, Said, TerminalSize};
pub use ssh::key::{SshKey, SshKeyKind};
pub use ssh::target::{HostKey, SshTarget};

/// The fake far sides, for tests and benchmarks.
#[cfg(feature = "sim")]
pub mod sim {
    pub use crate::azure::sim as azure;
    pub use crate::bare_metal::sim as bare_metal;
    pub use crate::digitalocean::sim as digitalocean;
    pub use crate::docker::sim as docker;
    pub use crate::ec2::sim as ec2;
    pub use crate::fake::{Control, FakeService, Fault, KeyPair, Service};
    pub use crate::gce::sim as gce;
    pub use crate::libvirt::sim as libvirt;
    pub use crate::linode::sim as linode;
    pub use crate::nephoscale::sim as nephoscale;
    pub use crate::openstack::sim as openstack;
    pub use crate::softlayer::sim as softlayer;
    pub use crate::vcloud::sim as vcloud;
}
