//! What the API's words mean to us.

use roadstead_api::{image::Image, location::Location, machine::MachineState, size::Size};
use serde_json::{Map, json};

use super::wire::{Named, Server};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// A server as a machine.
pub(super) fn machine(server: Server) -> SeenMachine {
    let state = match server.power_status.as_deref() {
        Some("on") => MachineState::Running,
        Some("off") => MachineState::Stopped,
        _ => MachineState::Unknown,
    };
    let mut machine = SeenMachine::new(server.id.to_string(), server.name, state);
    machine.actions = actions(state);
    let addresses = server.ipaddresses.unwrap_or_default();
    addresses.split(',').filter_map(|text| text.trim().parse().ok()).for_each(|a| machine.add_address(a));
    machine.location = server.zone.map(|zone| zone.id.to_string());
    machine.size = server.service_type.map(|size| size.id.to_string());
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(server.create_time)),
        ("hostname".into(), json!(server.hostname)),
        ("image_name".into(), json!(server.image.as_ref().map(name))),
    ]);
    machine.image = server.image.map(|image| image.id.to_string());
    machine
}

fn actions(state: MachineState) -> Capabilities {
    use Capability::{Destroy, Reboot, Rename, Start, Stop};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename]),
        _ => Capabilities::of(&[Destroy, Rename]),
    }
}

fn name(named: &Named) -> String {
    named.friendly_name.clone().or_else(|| named.name.clone()).unwrap_or_else(|| named.id.to_string())
}

/// An image.
pub(super) fn image(image: Named) -> Image {
    Image { id: image.id.to_string(), name: name(&image), extra: Map::new() }
}

/// A type of server. Those whose name begins with a D are whole machines.
pub(super) fn size(size: Named) -> Size {
    Size {
        id: size.id.to_string(),
        name: name(&size),
        cpus: size.pcpus,
        memory_bytes: size.ram.and_then(|mib| mib.checked_mul(1 << 20)),
        disk_bytes: size.storage.and_then(|gib| gib.checked_mul(1 << 30)),
        price: None,
        extra: Map::new(),
    }
}

/// A zone. All were in one country.
pub(super) fn location(zone: Named) -> Location {
    Location { id: zone.id.to_string(), name: name(&zone), country: Some("US".into()) }
}
