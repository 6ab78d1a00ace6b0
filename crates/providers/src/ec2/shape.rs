//! What the API's words mean to us.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::Size,
};
use serde_json::{Map, json};

use super::xml::{self, Set, Tag};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// The tag that holds an instance's name.
pub(super) const NAME: &str = "Name";
/// Tags that begin so are Amazon's own, and nobody else may set them.
const RESERVED: &str = "aws:";

/// An instance as a machine.
pub(super) fn machine(instance: xml::Instance) -> SeenMachine {
    let state = state(&instance.instance_state.name);
    let name = instance.tag_set.value(NAME).filter(|name| !name.is_empty()).unwrap_or(&instance.instance_id);
    let mut machine = SeenMachine::new(&instance.instance_id, name, state);
    machine.actions = actions(&instance, state);
    addresses(&instance).for_each(|address| machine.add_address(address));
    machine.tags = tags(&instance.tag_set);
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(instance.launch_time)),
        ("status".into(), json!(instance.instance_state.name)),
        ("key_name".into(), json!(instance.key_name)),
        ("architecture".into(), json!(instance.architecture)),
        ("platform".into(), json!(instance.platform)),
        ("lifecycle".into(), json!(instance.instance_lifecycle)),
        ("vpc".into(), json!(instance.vpc_id)),
        ("subnet".into(), json!(instance.subnet_id)),
    ]);
    machine.image = instance.image_id;
    machine.size = instance.instance_type;
    machine.location = instance.placement.availability_zone;
    machine
}

/// The addresses of an instance. Those that cannot be read are left out.
fn addresses(instance: &xml::Instance) -> impl Iterator<Item = IpAddr> {
    let interfaces = instance.network_interface_set.items.iter().flat_map(|interface| {
        let v4 = interface.private_ip_addresses_set.items.iter();
        let v4 = v4.flat_map(|address| [&address.association.public_ip, &address.private_ip_address]);
        v4.chain(interface.ipv6_addresses_set.items.iter().map(|address| &address.ipv6_address))
    });
    let own = [&instance.ip_address, &instance.private_ip_address];
    own.into_iter().chain(interfaces).filter_map(|address| address.as_deref()?.parse().ok())
}

fn state(status: &str) -> MachineState {
    match status {
        "pending" | "stopping" | "shutting-down" => MachineState::Pending,
        "running" => MachineState::Running,
        "stopped" => MachineState::Stopped,
        "terminated" => MachineState::Terminated,
        _ => MachineState::Unknown,
    }
}

/// What an instance takes in this state. Those whose disk goes with them cannot be stopped, nor can most spot instances.
fn actions(instance: &xml::Instance, state: MachineState) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    let keeps_disk = instance.root_device_type.as_deref() != Some("instance-store");
    let spot = instance.instance_lifecycle.as_deref() == Some("spot");
    match state {
        MachineState::Running if keeps_disk && !spot => {
            Capabilities::of(&[Stop, Reboot, Destroy, Rename, Tag, ConsoleOutput])
        }
        MachineState::Running => Capabilities::of(&[Reboot, Destroy, Rename, Tag, ConsoleOutput]),
        MachineState::Stopped => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag, ConsoleOutput]),
        MachineState::Pending if instance.instance_state.name != "shutting-down" => {
            Capabilities::of(&[Destroy, Rename, Tag])
        }
        _ => Capabilities::NONE,
    }
}

/// The tags that are neither the name nor Amazon's, as `key` or `key=value`.
pub(super) fn tags(tags: &Set<Tag>) -> Vec<String> {
    let own = tags.items.iter().filter(|tag| tag.key != NAME && !tag.key.starts_with(RESERVED));
    own.map(|tag| if tag.value.is_empty() { tag.key.clone() } else { format!("{}={}", tag.key, tag.value) })
        .collect()
}

/// A tag of ours as key and value; `None` for what the API does not take.
pub(super) fn pair(tag: &str) -> Option<(&str, &str)> {
    let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
    let fits = (1..=127).contains(&key.chars().count()) && value.chars().count() <= 255;
    (fits && key != NAME && !key.starts_with(RESERVED)).then_some((key, value))
}

/// An image.
pub(super) fn image(image: xml::Image) -> Image {
    let name = image.name.filter(|name| !name.is_empty()).unwrap_or_else(|| image.image_id.clone());
    let extra = Map::from_iter([
        ("description".into(), json!(image.description)),
        ("architecture".into(), json!(image.architecture)),
        ("created_at".into(), json!(image.creation_date)),
        ("owner".into(), json!(image.image_owner_id)),
        ("root_device".into(), json!(image.root_device_type)),
    ]);
    Image { id: image.image_id, name, extra }
}

/// An instance type, and the zones where it is to be had. The API tells no prices.
fn size(kind: xml::InstanceType, zones: BTreeSet<String>) -> Size {
    let architectures = kind.processor_info.map(|processor| processor.supported_architectures.items);
    Size {
        name: kind.instance_type.clone(),
        id: kind.instance_type,
        cpus: kind.v_cpu_info.map(|cpus| cpus.count),
        memory_bytes: kind.memory_info.and_then(|memory| memory.mib.checked_mul(1 << 20)),
        disk_bytes: kind.instance_storage_info.and_then(|disk| disk.gb?.checked_mul(1_000_000_000)),
        price: None,
        extra: Map::from_iter([
            ("locations".into(), json!(zones)),
            ("architectures".into(), json!(architectures)),
            ("current_generation".into(), json!(kind.current_generation)),
        ]),
    }
}

/// Every instance type with the zones that offer it.
pub(super) fn sizes(kinds: Vec<xml::InstanceType>, offerings: Vec<xml::Offering>) -> Vec<Size> {
    let mut zones = BTreeMap::<String, BTreeSet<String>>::new();
    for offering in offerings {
        zones.entry(offering.instance_type).or_default().insert(offering.location);
    }
    let whole = |kind: xml::InstanceType| {
        let zones = zones.remove(&kind.instance_type).unwrap_or_default();
        size(kind, zones)
    };
    kinds.into_iter().map(whole).collect()
}

/// A zone.
pub(super) fn location(zone: xml::Zone) -> Location {
    let name = zone.zone_id.map_or_else(|| zone.zone_name.clone(), |id| format!("{} ({id})", zone.zone_name));
    Location { id: zone.zone_name, name, country: None }
}

/// The VPCs, each with its subnets.
pub(super) fn networks(vpcs: Vec<xml::Vpc>, subnets: &[xml::Subnet]) -> Vec<Network> {
    let named =
        |tags: &Set<Tag>, id: &str| tags.value(NAME).filter(|name| !name.is_empty()).unwrap_or(id).to_owned();
    let network = |vpc: xml::Vpc| {
        let own: Vec<_> = subnets.iter().filter(|subnet| subnet.vpc_id == vpc.vpc_id).collect();
        let zones: BTreeMap<_, _> =
            own.iter().map(|s| (s.subnet_id.clone(), s.availability_zone.clone())).collect();
        Network {
            name: named(&vpc.tag_set, &vpc.vpc_id),
            subnets: own
                .into_iter()
                .map(|subnet| Subnet {
                    id: subnet.subnet_id.clone(),
                    name: named(&subnet.tag_set, &subnet.subnet_id),
                    cidr: subnet.cidr_block.clone(),
                })
                .collect(),
            extra: Map::from_iter([
                ("default".into(), json!(vpc.is_default)),
                ("locations".into(), json!(zones)),
            ]),
            id: vpc.vpc_id,
        }
    };
    vpcs.into_iter().map(network).collect()
}
