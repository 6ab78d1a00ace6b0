//! What the API's words mean to us.

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::{Price, Size},
};
use serde_json::{Map, json};

use super::wire;
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// A Linode as a machine.
pub(super) fn machine(linode: wire::Linode) -> SeenMachine {
    let state = state(&linode.status);
    let mut machine = SeenMachine::new(linode.id.to_string(), linode.label, state);
    machine.actions = actions(state);
    for address in linode.ipv4 {
        machine.add_address(address);
    }
    let ipv6 = linode.ipv6.as_deref().and_then(|range| range.split('/').next()?.parse().ok());
    if let Some(address) = ipv6 {
        machine.add_address(address);
    }
    machine.image = linode.image;
    machine.size = linode.kind;
    machine.location = linode.region;
    machine.tags = linode.tags;
    machine.extra = Map::from_iter([
        // The API writes times in UTC, and does not say so.
        ("created_at".into(), json!(linode.created.map(|time| format!("{}Z", time.trim_end_matches('Z'))))),
        ("image_name".into(), json!(machine.image)),
        ("status".into(), json!(linode.status)),
        ("cpus".into(), json!(linode.specs.vcpus)),
        ("memory_mib".into(), json!(linode.specs.memory)),
        ("disk_mib".into(), json!(linode.specs.disk)),
        ("host".into(), json!(linode.host_uuid)),
    ]);
    machine
}

fn state(status: &str) -> MachineState {
    match status {
        "running" => MachineState::Running,
        "offline" | "stopped" => MachineState::Stopped,
        "rebooting" => MachineState::Rebooting,
        "billing_suspension" => MachineState::Suspended,
        "booting" | "busy" | "shutting_down" | "provisioning" | "deleting" | "migrating" | "rebuilding"
        | "cloning" | "restoring" | "resizing" => MachineState::Pending,
        _ => MachineState::Unknown,
    }
}

fn actions(state: MachineState) -> Capabilities {
    use Capability::{Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename, Resize, Tag]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag]),
        _ => Capabilities::of(&[Destroy, Rename, Tag]),
    }
}

/// Whether a search finds the image.
pub(super) fn matches(image: &wire::Image, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let search = search.to_lowercase();
    [&image.id, &image.label].iter().any(|text| text.to_lowercase().contains(&search))
}

/// An image.
pub(super) fn image(image: wire::Image) -> Image {
    let extra = Map::from_iter([
        ("public".into(), json!(image.is_public)),
        ("deprecated".into(), json!(image.deprecated)),
        ("vendor".into(), json!(image.vendor)),
        ("description".into(), json!(image.description)),
        ("size_mib".into(), json!(image.size)),
    ]);
    Image { id: image.id, name: image.label, extra }
}

/// A type.
pub(super) fn size(size: wire::Type) -> Size {
    let per_hour = size.price.and_then(|price| price.hourly);
    Size {
        id: size.id,
        name: size.label,
        cpus: Some(size.vcpus),
        memory_bytes: size.memory.checked_mul(1 << 20),
        disk_bytes: size.disk.checked_mul(1 << 20),
        price: per_hour.map(|per_hour| Price { per_hour, currency: "USD".into() }),
        extra: Map::from_iter([("class".into(), json!(size.class)), ("gpus".into(), json!(size.gpus))]),
    }
}

/// A region.
pub(super) fn location(region: wire::Region) -> Location {
    Location { id: region.id, name: region.label, country: region.country.map(|code| code.to_uppercase()) }
}

/// A VPC.
pub(super) fn network(vpc: wire::Vpc) -> Network {
    let subnet = |subnet: wire::Subnet| {
        Some(Subnet { id: subnet.id.to_string(), name: subnet.label, cidr: subnet.ipv4? })
    };
    Network {
        id: vpc.id.to_string(),
        name: vpc.label,
        subnets: vpc.subnets.into_iter().filter_map(subnet).collect(),
        extra: Map::from_iter([("location".into(), json!(vpc.region))]),
    }
}
