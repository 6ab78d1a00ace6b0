//! What the API's words mean to us.

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::{Price, Size},
};
use serde_json::{Map, Value, json};

use super::wire;
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// A virtual server as a machine.
pub(super) fn machine(guest: wire::Guest) -> SeenMachine {
    let state = state(&guest);
    let name = guest.fully_qualified_domain_name.unwrap_or(guest.hostname);
    let mut machine = SeenMachine::new(guest.id.to_string(), name, state);
    machine.actions = actions(state);
    machine.public_ips.extend(guest.primary_ip_address);
    machine.private_ips.extend(guest.primary_backend_ip_address);
    let system = &guest.operating_system["softwareLicense"]["softwareDescription"];
    let template = guest.block_device_template_group.and_then(|template| template.global_identifier);
    machine.image = template.or_else(|| text(&system["referenceCode"]));
    machine.size = text(&guest.billing_item["orderItem"]["preset"]["keyName"])
        .or_else(|| text(&guest.supplemental_create_object_options["flavorKeyName"]));
    machine.location = guest.datacenter.map(|datacenter| datacenter.name);
    machine.tags = guest.tag_references.into_iter().map(|reference| reference.tag.name).collect();
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(guest.create_date)),
        ("image_name".into(), json!(text(&system["longDescription"]))),
        ("cpus".into(), json!(guest.max_cpu)),
        ("memory_mib".into(), json!(guest.max_memory)),
    ]);
    machine
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn state(guest: &wire::Guest) -> MachineState {
    let busy = guest.active_transaction.as_ref().is_some_and(|transaction| !transaction.is_null());
    let power = guest.power_state.as_ref().map(|power| power.key_name.as_str());
    if guest.provision_date.is_none() || busy {
        return MachineState::Pending;
    }
    match (guest.status.as_ref().map(|status| status.key_name.as_str()), power) {
        (Some("ACTIVE"), Some("RUNNING")) => MachineState::Running,
        (Some("ACTIVE" | "DISCONNECTED" | "INACTIVE"), Some("HALTED")) => MachineState::Stopped,
        (Some("ACTIVE"), Some("PAUSED" | "SUSPENDED")) => MachineState::Suspended,
        _ => MachineState::Unknown,
    }
}

fn actions(state: MachineState) -> Capabilities {
    use Capability::{Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match state {
        MachineState::Running => Capabilities::of(&[Stop, Reboot, Destroy, Rename, Resize, Tag]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag]),
        // One that is being made cannot be cancelled; its order is still on its way.
        MachineState::Pending => Capabilities::of(&[Rename, Tag]),
        _ => Capabilities::of(&[Destroy, Rename, Tag]),
    }
}

/// Whether a search finds the image.
pub(super) fn matches(image: &Image, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let search = search.to_lowercase();
    [&image.id, &image.name].iter().any(|text| text.to_lowercase().contains(&search))
}

/// The operating systems that an order may name.
pub(super) fn systems(options: wire::Options) -> Vec<Image> {
    let system = |option: Value| {
        let id = text(&option["template"]["operatingSystemReferenceCode"])?;
        let name = text(&option["itemPrice"]["item"]["description"]).unwrap_or_else(|| id.clone());
        Some(Image { id, name, extra: Map::from_iter([("public".into(), json!(true))]) })
    };
    options.operating_systems.into_iter().filter_map(system).collect()
}

/// A template. One without a GUID cannot be ordered.
pub(super) fn template(template: wire::Template, public: bool) -> Image {
    let id = template.global_identifier.unwrap_or_default();
    let extra = Map::from_iter([
        ("public".into(), json!(public)),
        ("description".into(), json!(template.summary)),
        ("created_at".into(), json!(template.create_date)),
    ]);
    Image { name: template.name.unwrap_or_else(|| id.clone()), id, extra }
}

/// The flavors. Their key names tell processors, memory and disk: `B1_2X4X25`.
pub(super) fn sizes(options: wire::Options) -> Vec<Size> {
    let size = |option: Value| {
        let flavor = &option["flavor"];
        let id = text(&flavor["keyName"])
            .or_else(|| text(&option["template"]["supplementalCreateObjectOptions"]["flavorKeyName"]))?;
        let numbers: Vec<u64> =
            id.rsplit('_').next()?.split('X').filter_map(|number| number.parse().ok()).collect();
        let number = |place: usize| numbers.get(place).copied();
        let per_hour = flavor["totalMinimumHourlyFee"].as_str().and_then(|fee| fee.parse().ok());
        Some(Size {
            name: text(&flavor["name"]).unwrap_or_else(|| id.clone()),
            cpus: number(0).and_then(|cpus| u32::try_from(cpus).ok()),
            memory_bytes: number(1).and_then(|gib| gib.checked_mul(1 << 30)),
            disk_bytes: number(2).and_then(|gib| gib.checked_mul(1 << 30)),
            price: per_hour.map(|per_hour| Price { per_hour, currency: "USD".into() }),
            extra: Map::new(),
            id,
        })
    };
    let mut sizes: Vec<Size> = options.flavors.into_iter().filter_map(size).collect();
    sizes.dedup_by(|a, b| a.id == b.id);
    sizes
}

/// A data centre.
pub(super) fn location(datacenter: wire::Datacenter) -> Location {
    let name = datacenter.long_name.unwrap_or_else(|| datacenter.name.clone());
    Location { id: datacenter.name, name, country: None }
}

/// A VLAN.
pub(super) fn network(vlan: wire::Vlan) -> Network {
    let subnet = |subnet: wire::Subnet| {
        let cidr = format!("{}/{}", subnet.network_identifier, subnet.cidr);
        Subnet { id: subnet.id.to_string(), name: String::new(), cidr }
    };
    let number = vlan.vlan_number.map(|number| format!("VLAN {number}"));
    Network {
        id: vlan.id.to_string(),
        name: vlan.name.filter(|name| !name.is_empty()).or(number).unwrap_or_default(),
        subnets: vlan.subnets.into_iter().map(subnet).collect(),
        extra: Map::from_iter([
            ("space".into(), json!(vlan.network_space)),
            ("location".into(), vlan.primary_router["datacenter"]["name"].clone()),
        ]),
    }
}
