//! What the suite needs to know of a far side.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use roadstead_api::id::ProviderId;
use roadstead_providers::{AddressGuard, Driver, Pins, Setup, Timeouts, check_fields, connect};
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

    /// Connections that the far side took so far, where it counts them.
    fn connections(&self) -> Option<usize>;
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
    }
}

/// A driver for these fields.
pub fn driver(provider: &str, fields: &Given, timeouts: Timeouts) -> Arc<dyn Driver> {
    driver_of(provider, setup(provider, fields, timeouts))
}

/// A driver made from this.
pub fn driver_of(provider: &str, setup: Setup) -> Arc<dyn Driver> {
    connect(&ProviderId(provider.into()), setup).unwrap()
}
