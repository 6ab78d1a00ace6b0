//! What the suite needs to know of a far side.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use roadstead_api::id::ProviderId;
use roadstead_providers::{
    AddressGuard, Capability, ContainerOrder, Driver, LocalAccess, MachineOrder, Pins, Progress, Setup,
    Timeouts, check_fields, connect, sim::Control,
};
use serde_json::Value;

/// Generous, for machines that do much else; only what must run into a limit sets a shorter one.
pub const PATIENT: Timeouts = Timeouts { connect: Duration::from_secs(30), call: Duration::from_secs(60) };

/// Short, for far sides that never answer.
pub const HASTY: Timeouts =
    Timeouts { connect: Duration::from_millis(700), call: Duration::from_millis(700) };

/// The values of a backend's fields.
pub type Given = BTreeMap<String, Value>;

/// One far side, and how to get at it.
pub trait Stage {
    /// The provider.
    fn provider(&self) -> &'static str;

    /// Fields that work.
    fn fields(&self) -> Given;

    /// Fields that the far side takes for somebody else's.
    fn wrong_credentials(&self) -> Given;

    /// The same fields with the far side's address put in another place.
    fn moved_to(&self, host: &str, port: u16) -> Given;

    /// Reboots that the far side was told so far.
    fn reboots(&self) -> usize;

    /// Connections, or calls, that the far side took so far, where it counts them.
    fn connections(&self) -> Option<usize>;

    /// The handle by which a fake that speaks REST is made to misbehave.
    fn control(&self) -> Option<&Control> {
        None
    }

    /// The region that is added, for providers that have regions.
    fn region(&self) -> Option<&'static str> {
        None
    }

    /// Whether machines come in pages.
    fn has_pages(&self) -> bool {
        true
    }

    /// Lists that the far side gives whole, for its API has no pages for them.
    fn whole(&self) -> &'static [Capability] {
        &[]
    }

    /// An order that the far side takes, where machines can be made.
    fn order(&self) -> Option<Order> {
        None
    }
}

/// An order that a far side takes.
pub struct Order {
    /// The order: one machine.
    pub order: MachineOrder,
    /// Another size that it can be given.
    pub other_size: &'static str,
    /// The method and the end of the path of the call that makes the machine.
    pub call: (&'static str, &'static str),
}

/// An order without anything that can be left out.
pub fn order(name: &str, image: &str, size: &str) -> MachineOrder {
    MachineOrder {
        name: name.into(),
        quantity: 1,
        image: image.into(),
        size: size.into(),
        location: None,
        networks: Vec::new(),
        public_key: None,
        user_data: None,
        token: format!("token-of-{name}"),
        container: ContainerOrder::default(),
        progress: Progress::default(),
    }
}

/// What a driver is made from.
pub fn setup(provider: &str, fields: &Given, timeouts: Timeouts) -> Setup {
    Setup {
        title: "web 1".into(),
        region: None,
        credentials: check_fields(&ProviderId(provider.into()), fields).unwrap(),
        pins: Pins::default(),
        guard: AddressGuard::default(),
        timeouts,
        local: LocalAccess::default(),
    }
}

/// A driver for these fields.
pub fn driver(provider: &str, fields: &Given, timeouts: Timeouts) -> Arc<dyn Driver> {
    driver_of(provider, setup(provider, fields, timeouts))
}

/// A driver for a stage's own fields, in its region.
pub fn driver_at(stage: &impl Stage, fields: &Given, timeouts: Timeouts) -> Arc<dyn Driver> {
    let region = stage.region().map(str::to_owned);
    driver_of(stage.provider(), Setup { region, ..setup(stage.provider(), fields, timeouts) })
}

/// A driver made from this.
pub fn driver_of(provider: &str, setup: Setup) -> Arc<dyn Driver> {
    connect(&ProviderId(provider.into()), setup).unwrap()
}

/// The URL of a service there.
pub fn url(host: &str, port: u16) -> String {
    if host.contains(':') { format!("http://[{host}]:{port}") } else { format!("http://{host}:{port}") }
}
