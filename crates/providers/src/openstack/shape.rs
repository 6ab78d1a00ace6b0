//! What OpenStack's words mean to us.

use std::collections::HashMap;

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::Size,
};
use serde_json::{Map, json};

use super::{compute, lists};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// A server as a machine. `able` is what its driver can do at all.
pub(super) fn machine(server: compute::Server, able: Capabilities) -> SeenMachine {
    let state = state(&server.status, server.task.as_deref());
    let name = if server.name.is_empty() { &server.id } else { &server.name };
    let mut machine = SeenMachine::new(server.id.as_str(), name.as_str(), state);
    machine.tags = server.all_tags();
    machine.actions = within(actions(state), able);
    for address in server.addresses.values().flatten() {
        if address.kind.as_deref() == Some("floating") && !machine.public_ips.contains(&address.addr) {
            machine.public_ips.push(address.addr);
        } else {
            machine.add_address(address.addr);
        }
    }
    machine.image = server.image["id"].as_str().map(str::to_owned);
    machine.size = server.flavor["id"].as_str().map(str::to_owned);
    machine.location = server.zone.filter(|zone| !zone.is_empty());
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(server.created)),
        ("status".into(), json!(server.status)),
        ("task".into(), json!(server.task)),
        ("key".into(), json!(server.key_name)),
        ("networks".into(), json!(server.addresses.keys().collect::<Vec<_>>())),
        ("metadata".into(), json!(server.metadata)),
    ]);
    machine
}

/// The state of a server with this status, while Nova does this with it.
fn state(status: &str, task: Option<&str>) -> MachineState {
    match (status, task) {
        ("REBOOT" | "HARD_REBOOT", _) => MachineState::Rebooting,
        ("ACTIVE", Some(task)) if task.starts_with("reboot") => MachineState::Rebooting,
        // Snapshots and migrations go on beside it.
        (
            "ACTIVE",
            Some("powering-off" | "suspending" | "pausing" | "deleting" | "shelving" | "resize_prep"),
        )
        | ("SHUTOFF", Some("powering-on" | "deleting")) => MachineState::Pending,
        ("ACTIVE" | "VERIFY_RESIZE" | "PASSWORD" | "RESCUE" | "MIGRATING", _) => MachineState::Running,
        ("SHUTOFF" | "SHELVED" | "SHELVED_OFFLOADED", _) => MachineState::Stopped,
        ("PAUSED" | "SUSPENDED", _) => MachineState::Suspended,
        ("BUILD" | "REBUILD" | "RESIZE" | "REVERT_RESIZE", _) => MachineState::Pending,
        ("ERROR", _) => MachineState::Error,
        ("DELETED" | "SOFT_DELETED", _) => MachineState::Terminated,
        _ => MachineState::Unknown,
    }
}

fn actions(state: MachineState) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match state {
        MachineState::Running => {
            Capabilities::of(&[Stop, Reboot, Destroy, Rename, Resize, Tag, ConsoleOutput])
        }
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag, ConsoleOutput]),
        MachineState::Terminated => Capabilities::NONE,
        MachineState::Error => Capabilities::of(&[Reboot, Destroy, Rename, Tag, ConsoleOutput]),
        _ => Capabilities::of(&[Destroy, Rename, Tag]),
    }
}

fn within(actions: Capabilities, able: Capabilities) -> Capabilities {
    let both: Vec<_> = actions.iter().filter(|&action| able.contains(action)).collect();
    Capabilities::of(&both)
}

/// Whether a search finds the image. Glance finds whole names only.
pub(super) fn matches(image: &lists::Image, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let search = search.to_lowercase();
    let name = image.name.as_deref().unwrap_or_default();
    [name, &image.id].iter().any(|text| text.to_lowercase().contains(&search))
}

/// An image.
pub(super) fn image(image: lists::Image) -> Image {
    Image {
        name: image.name.filter(|name| !name.is_empty()).unwrap_or_else(|| image.id.clone()),
        extra: Map::from_iter([
            ("visibility".into(), json!(image.visibility)),
            ("size_bytes".into(), json!(image.size)),
            ("min_disk_gib".into(), json!(image.min_disk)),
            ("min_memory_mib".into(), json!(image.min_ram)),
            ("created_at".into(), json!(image.created_at)),
            ("distribution".into(), json!(image.os_distro)),
        ]),
        id: image.id,
    }
}

/// A flavor. What it costs the API does not tell.
pub(super) fn size(flavor: compute::Flavor) -> Size {
    Size {
        id: flavor.id,
        name: flavor.name,
        cpus: Some(flavor.vcpus),
        memory_bytes: flavor.ram.checked_mul(1 << 20),
        disk_bytes: flavor.disk.checked_mul(1 << 30),
        price: None,
        extra: Map::new(),
    }
}

/// An availability zone.
pub(super) fn location(zone: compute::Zone) -> Location {
    Location { id: zone.name.clone(), name: zone.name, country: None }
}

/// Networks, with their subnets.
pub(super) fn networks(networks: Vec<lists::Network>, subnets: Vec<lists::Subnet>) -> Vec<Network> {
    let mut by_network: HashMap<String, Vec<Subnet>> = HashMap::new();
    for subnet in subnets {
        let shown = Subnet { id: subnet.id, name: subnet.name, cidr: subnet.cidr };
        by_network.entry(subnet.network_id).or_default().push(shown);
    }
    let network = |network: lists::Network| Network {
        subnets: by_network.remove(&network.id).unwrap_or_default(),
        extra: Map::from_iter([
            ("shared".into(), json!(network.shared)),
            ("external".into(), json!(network.external)),
        ]),
        id: network.id,
        name: network.name,
    };
    networks.into_iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use roadstead_api::machine::MachineState;

    use super::state;

    #[test]
    fn a_task_tells_more_than_the_status() {
        for (status, task, expected) in [
            ("ACTIVE", None, MachineState::Running),
            ("ACTIVE", Some("powering-off"), MachineState::Pending),
            ("ACTIVE", Some("image_snapshot"), MachineState::Running),
            ("SHUTOFF", Some("powering-on"), MachineState::Pending),
            ("REBOOT", Some("rebooting"), MachineState::Rebooting),
            ("VERIFY_RESIZE", None, MachineState::Running),
            ("NEW_IN_2030", None, MachineState::Unknown),
        ] {
            assert_eq!(state(status, task), expected, "{status} {task:?}");
        }
    }
}
