//! What the API's words mean to us.

use std::net::IpAddr;

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::Size,
};
use serde_json::{Map, json};

use super::wire::{Record, end_of};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// The id of the only size.
pub(super) const TEMPLATE_SIZE: &str = "template";

/// The only size.
pub(super) fn only_size() -> Size {
    Size {
        id: TEMPLATE_SIZE.into(),
        name: "As large as the template".into(),
        cpus: None,
        memory_bytes: None,
        disk_bytes: None,
        price: None,
        extra: Map::new(),
    }
}

/// A VM as a machine.
pub(super) fn machine(record: Record) -> SeenMachine {
    let state = state(record.status.as_deref());
    let mut machine = SeenMachine::new(record.id(), record.name.as_str(), state);
    machine.actions = actions(state);
    if let Some(address) = record.ip_address {
        machine.add_address(address);
    }
    machine.size = Some(TEMPLATE_SIZE.into());
    machine.location = record.vdc.as_deref().map(|vdc| end_of(vdc).to_owned());
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(record.created)),
        ("status".into(), json!(record.status)),
        ("image_name".into(), json!(record.guest_os)),
        ("vapp".into(), json!(record.container_name)),
        ("vapp_id".into(), json!(record.container_id())),
        ("cpus".into(), json!(record.cpus)),
        ("memory_mib".into(), json!(record.memory_mib)),
    ]);
    machine
}

fn state(status: Option<&str>) -> MachineState {
    match status.unwrap_or_default() {
        "POWERED_ON" | "DEPLOYED" => MachineState::Running,
        "POWERED_OFF" | "PARTIALLY_POWERED_OFF" => MachineState::Stopped,
        "SUSPENDED" | "PARTIALLY_SUSPENDED" => MachineState::Suspended,
        "UNRESOLVED" | "RESOLVED" | "WAITING_FOR_INPUT" => MachineState::Pending,
        "FAILED_CREATION" | "UNRECOGNIZED" | "INCONSISTENT_STATE" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

fn actions(state: MachineState) -> Capabilities {
    use Capability::{Destroy, Reboot, Rename, Start, Stop};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename]),
        MachineState::Stopped | MachineState::Suspended => Capabilities::of(&[Start, Destroy, Rename]),
        // While it is being made its vApp is busy.
        MachineState::Pending => Capabilities::NONE,
        _ => Capabilities::of(&[Destroy]),
    }
}

/// A template.
pub(super) fn image(record: Record) -> Image {
    let name = match &record.catalog {
        Some(catalog) => format!("{} ({catalog})", record.name),
        None => record.name.clone(),
    };
    let extra = Map::from_iter([
        ("catalog".into(), json!(record.catalog)),
        ("created_at".into(), json!(record.created)),
    ]);
    Image { id: record.id().to_owned(), name, extra }
}

/// A virtual data centre.
pub(super) fn location(record: Record) -> Location {
    Location { id: record.id().to_owned(), name: record.name, country: None }
}

/// A network of the organization.
pub(super) fn network(record: Record) -> Network {
    let cidr = record.gateway.zip(record.netmask).and_then(|(gateway, mask)| cidr(gateway, mask));
    let subnet = cidr.map(|cidr| Subnet { id: cidr.clone(), name: record.name.clone(), cidr });
    Network {
        id: record.id().to_owned(),
        subnets: subnet.into_iter().collect(),
        extra: Map::from_iter([("gateway".into(), json!(record.gateway))]),
        name: record.name,
    }
}

/// The range that a gateway is in.
fn cidr(gateway: IpAddr, mask: IpAddr) -> Option<String> {
    let (IpAddr::V4(gateway), IpAddr::V4(mask)) = (gateway, mask) else { return None };
    let mask = u32::from(mask);
    let length = mask.leading_ones();
    let first = std::net::Ipv4Addr::from(u32::from(gateway) & mask);
    (mask.count_ones() == length).then(|| format!("{first}/{length}"))
}

#[cfg(test)]
mod tests {
    use super::cidr;

    #[test]
    fn a_gateway_and_a_mask_make_a_range() {
        let range = |gateway: &str, mask: &str| cidr(gateway.parse().unwrap(), mask.parse().unwrap());
        assert_eq!(range("10.1.2.1", "255.255.255.0").as_deref(), Some("10.1.2.0/24"));
        assert_eq!(range("10.1.2.1", "0.0.0.0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(range("10.1.2.1", "255.0.255.0"), None);
        assert_eq!(range("fd00::1", "255.0.0.0"), None);
    }
}
