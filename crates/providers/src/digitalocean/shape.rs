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

/// A droplet as a machine.
pub(super) fn machine(droplet: wire::Droplet) -> SeenMachine {
    let state = state(&droplet.status);
    let mut machine = SeenMachine::new(droplet.id.to_string(), droplet.name, state);
    machine.actions = if droplet.locked { WHILE_LOCKED } else { actions(state) };
    for address in droplet.networks.v4.iter().chain(&droplet.networks.v6) {
        let private = address.kind == "private";
        let list = if private { &mut machine.private_ips } else { &mut machine.public_ips };
        if !list.contains(&address.ip_address) {
            list.push(address.ip_address);
        }
    }
    machine.extra.insert("image_name".into(), json!(droplet.image.as_ref().map(|image| &image.name)));
    machine.image = droplet.image.map(|image| image_id(&image));
    machine.size = droplet.size_slug;
    machine.location = droplet.region.map(|region| region.slug);
    machine.tags = droplet.tags;
    machine.extra.extend(Map::from_iter([
        ("created_at".into(), json!(droplet.created_at)),
        ("status".into(), json!(droplet.status)),
        ("locked".into(), json!(droplet.locked)),
        ("cpus".into(), json!(droplet.vcpus)),
        ("memory_mib".into(), json!(droplet.memory)),
        ("disk_gib".into(), json!(droplet.disk)),
        ("vpc".into(), json!(droplet.vpc_uuid)),
    ]));
    machine
}

fn state(status: &str) -> MachineState {
    match status {
        "new" => MachineState::Pending,
        "active" => MachineState::Running,
        "off" => MachineState::Stopped,
        "archive" => MachineState::Terminated,
        _ => MachineState::Unknown,
    }
}

/// A droplet with something going on takes nothing else that concerns its disk or power.
const WHILE_LOCKED: Capabilities = Capabilities::of(&[Capability::Tag]);

fn actions(state: MachineState) -> Capabilities {
    use Capability::{Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename, Tag]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag]),
        MachineState::Terminated => Capabilities::NONE,
        _ => Capabilities::of(&[Destroy, Tag]),
    }
}

/// Public images go by their word, which outlives a build; one's own by number.
fn image_id(image: &wire::Image) -> String {
    image.slug.clone().unwrap_or_else(|| image.id.to_string())
}

fn image_name(image: &wire::Image) -> String {
    match &image.distribution {
        Some(distribution) if image.public => format!("{distribution} {}", image.name),
        _ => image.name.clone(),
    }
}

/// Whether a search finds the image. The API has no search by text.
pub(super) fn matches(image: &wire::Image, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let search = search.to_lowercase();
    [image_name(image), image_id(image)].iter().any(|text| text.to_lowercase().contains(&search))
}

/// An image.
pub(super) fn image(image: wire::Image) -> Image {
    let extra = Map::from_iter([
        ("public".into(), json!(image.public)),
        ("distribution".into(), json!(image.distribution)),
        ("locations".into(), json!(image.regions)),
        ("min_disk_gib".into(), json!(image.min_disk_size)),
    ]);
    Image { id: image_id(&image), name: image_name(&image), extra }
}

/// A size.
pub(super) fn size(size: wire::Size) -> Size {
    Size {
        name: size.description.map_or_else(|| size.slug.clone(), |words| format!("{words} {}", size.slug)),
        cpus: Some(size.vcpus),
        memory_bytes: size.memory.checked_mul(1 << 20),
        disk_bytes: size.disk.checked_mul(1 << 30),
        price: size.price_hourly.map(|per_hour| Price { per_hour, currency: "USD".into() }),
        extra: Map::from_iter([
            ("available".into(), json!(size.available)),
            ("locations".into(), json!(size.regions)),
        ]),
        id: size.slug,
    }
}

/// A region.
pub(super) fn location(region: wire::Region) -> Location {
    Location { id: region.slug, name: region.name, country: None }
}

/// A VPC. It is a single range.
pub(super) fn network(vpc: wire::Vpc) -> Network {
    let subnets = vpc.ip_range.map(|cidr| Subnet { id: cidr.clone(), name: vpc.name.clone(), cidr });
    Network {
        id: vpc.id,
        subnets: subnets.into_iter().collect(),
        extra: Map::from_iter([
            ("location".into(), json!(vpc.region)),
            ("default".into(), json!(vpc.default)),
        ]),
        name: vpc.name,
    }
}
