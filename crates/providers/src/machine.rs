//! A machine as a driver sees it, before the server gives it an id.

use std::net::IpAddr;

use jiff::Timestamp;
use roadstead_api::{
    id::{BackendId, MachineId},
    machine::{Machine, MachineState},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    capability::{Capabilities, Capability, Limits},
    container::{ContainerOrder, Progress},
    error::{Error, Result},
    guard::is_private,
};

/// A machine as its cloud shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenMachine {
    /// The cloud's id of it: the same for as long as the machine lives, and never empty.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: MachineState,
    /// Addresses that can be reached from anywhere.
    pub public_ips: Vec<IpAddr>,
    /// Addresses of private networks.
    pub private_ips: Vec<IpAddr>,
    /// The cloud's id of the image it was made from.
    pub image: Option<String>,
    /// The cloud's id of its size.
    pub size: Option<String>,
    /// The cloud's id of its location.
    pub location: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What can be done with it in this state; never more than its driver can.
    pub actions: Capabilities,
    /// What else the cloud says of it. Nothing secret.
    pub extra: Map<String, Value>,
}

impl SeenMachine {
    /// A machine of which nothing but this is known.
    pub fn new(external_id: impl Into<String>, name: impl Into<String>, state: MachineState) -> Self {
        Self {
            external_id: external_id.into(),
            name: name.into(),
            state,
            public_ips: Vec::new(),
            private_ips: Vec::new(),
            image: None,
            size: None,
            location: None,
            tags: Vec::new(),
            actions: Capabilities::NONE,
            extra: Map::new(),
        }
    }

    /// Files an address under public or private, once. Loopback counts as private.
    pub fn add_address(&mut self, address: IpAddr) {
        let list = if is_private(address) { &mut self.private_ips } else { &mut self.public_ips };
        if !list.contains(&address) {
            list.push(address);
        }
    }

    /// The machine as the API shows it.
    pub fn into_machine(self, id: MachineId, backend_id: BackendId, refreshed_at: Timestamp) -> Machine {
        let can = |capability| self.actions.contains(capability);
        Machine {
            id,
            backend_id,
            can_start: can(Capability::Start),
            can_stop: can(Capability::Stop),
            can_reboot: can(Capability::Reboot),
            can_destroy: can(Capability::Destroy),
            can_rename: can(Capability::Rename),
            can_resize: can(Capability::Resize),
            can_tag: can(Capability::Tag),
            external_id: self.external_id,
            name: self.name,
            state: self.state,
            public_ips: self.public_ips,
            private_ips: self.private_ips,
            image: self.image,
            size: self.size,
            location: self.location,
            tags: self.tags,
            extra: self.extra,
            refreshed_at,
            agent_id: None,
            protected: false,
            last_good_backup_at: None,
            last_good_backup_age_seconds: None,
        }
    }
}

/// Machines to be made. Written down, it is without its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineOrder {
    /// The name; with a number behind it where there are several.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// The cloud's id of the image.
    pub image: String,
    /// The cloud's id of the size.
    pub size: String,
    /// The cloud's id of the location; the cloud's choice when absent.
    pub location: Option<String>,
    /// The cloud's ids of the networks.
    pub networks: Vec<String>,
    /// The public key that may log in, in OpenSSH's one-line form.
    pub public_key: Option<String>,
    /// What cloud-init runs at the first start.
    pub user_data: Option<String>,
    /// Different for each order, and the same when one is sent again: clouds that take it make the machines once.
    pub token: String,
    /// What else is said of a container; for providers that have any.
    #[serde(default)]
    pub container: ContainerOrder,
    /// Where to tell how far the order is.
    #[serde(skip)]
    pub progress: Progress,
}

impl MachineOrder {
    /// The names of the machines: the order's own for one, `NAME-1`, `NAME-2` and so on for several.
    pub fn names(&self) -> Vec<String> {
        match self.quantity {
            1 => vec![self.name.clone()],
            quantity => (1..=quantity).map(|number| format!("{}-{number}", self.name)).collect(),
        }
    }

    /// The failure of an order of which `made` machines were made before: whoever reads it has to know of those.
    pub(crate) fn cut_short(&self, made: usize, error: Error) -> Error {
        if made == 0 {
            return error;
        }
        let message = format!("{made} of {} machines were made, and the next could not be", self.quantity);
        Error::new(error.kind(), message).caused_by(error)
    }

    /// Checks the order against what the provider takes, before any call.
    pub fn check(&self, limits: &Limits) -> Result<()> {
        let length = self.name.chars().count();
        if length == 0 || length > limits.name_chars {
            return Err(Error::invalid("name", format!("has to have 1 to {} characters", limits.name_chars)));
        }
        if self.quantity == 0 || self.quantity > limits.machines_per_order {
            return Err(Error::invalid("quantity", format!("has to be 1 to {}", limits.machines_per_order)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use roadstead_api::{
        id::{BackendId, MachineId},
        machine::MachineState,
    };

    use super::{MachineOrder, SeenMachine};
    use crate::{Capabilities, Capability, ContainerOrder, Limits, Progress};

    #[test]
    fn addresses_are_filed_once_and_actions_become_flags() {
        let mut seen = SeenMachine::new("i-1", "web", MachineState::Running);
        for address in ["10.0.0.1", "1.1.1.1", "10.0.0.1", "fd00::1", "2606:4700::1"] {
            seen.add_address(address.parse().unwrap());
        }
        seen.actions = Capabilities::of(&[Capability::Reboot, Capability::Tag]);
        let machine = seen.into_machine(MachineId("m".into()), BackendId("b".into()), Timestamp::UNIX_EPOCH);
        assert_eq!((machine.public_ips.len(), machine.private_ips.len()), (2, 2));
        assert!(machine.can_reboot && machine.can_tag);
        assert!(!machine.can_start && !machine.can_stop && !machine.can_destroy && !machine.can_resize);
    }

    #[test]
    fn an_order_beyond_the_limits_is_refused() {
        let limits = Limits { name_chars: 5, machines_per_order: 2, ..Limits::default() };
        let order = |name: &str, quantity| MachineOrder {
            name: name.into(),
            quantity,
            image: "i".into(),
            size: "s".into(),
            location: None,
            networks: Vec::new(),
            public_key: None,
            user_data: None,
            token: "t".into(),
            container: ContainerOrder::default(),
            progress: Progress::default(),
        };
        assert!(order("seven", 2).check(&limits).is_ok());
        for (name, quantity, field) in
            [("", 1, "name"), ("eleven", 1, "name"), ("a", 0, "quantity"), ("a", 3, "quantity")]
        {
            assert_eq!(order(name, quantity).check(&limits).unwrap_err().field(), Some(field));
        }
    }
}
