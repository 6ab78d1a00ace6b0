//! What the API's words mean to us.

use std::net::IpAddr;

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
};
use serde_json::{Map, json};

use super::{
    size::Hardware,
    wire::{Record, end_of},
};
use crate::{
    capability::{Capabilities, Capability},
    error::{Error, Result},
    machine::SeenMachine,
};

/// The name of the metadata that holds a machine's tags, as a JSON list: values of it take any text.
pub(super) const TAGS: &str = "roadstead.tags";
/// Characters that a value of metadata takes.
const MAX_TAGS_CHARS: usize = 1000;

/// A machine's tags as its metadata holds them.
pub(super) fn tags_value(tags: &[String]) -> Result<String> {
    let value = json!(tags).to_string();
    let fits = value.chars().count() <= MAX_TAGS_CHARS;
    fits.then_some(value).ok_or_else(|| Error::invalid("tags", "have more than 1,000 characters in sum"))
}

/// The tags in a record's metadata. What somebody else wrote there is none of ours.
pub(super) fn tags(record: &Record) -> Vec<String> {
    record.value_of(TAGS).and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
}

/// A VM as a machine.
pub(super) fn machine(record: Record) -> SeenMachine {
    let state = state(record.status.as_deref());
    let mut machine = SeenMachine::new(record.id(), record.name.as_str(), state);
    machine.actions = actions(state);
    if let Some(address) = record.ip_address {
        machine.add_address(address);
    }
    let hardware = record.cpus.zip(record.memory_mib);
    machine.size = hardware.map(|(cpus, memory_mib)| Hardware { cpus, memory_mib }.id());
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
    use Capability::{Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename, Tag]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag]),
        MachineState::Suspended => Capabilities::of(&[Start, Destroy, Rename, Tag]),
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
