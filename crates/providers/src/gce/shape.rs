//! What the API's words mean to us.

use std::{
    collections::{BTreeMap, HashMap},
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

use super::resources::{self, end_of, path_of};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// Labels that begin so are Google's own, and not shown as tags nor changed.
const RESERVED: &str = "goog-";
/// Characters of a label's key or value.
const LABEL_CHARS: usize = 63;

/// The images that disks were made from, by the disk.
pub(super) type Sources = HashMap<String, String>;

/// Which disk was made from which image.
pub(super) fn sources(disks: Vec<resources::Disk>) -> Sources {
    let source = |disk: resources::Disk| {
        Some((path_of(&disk.self_link).to_owned(), path_of(&disk.source_image?).to_owned()))
    };
    disks.into_iter().filter_map(source).collect()
}

/// An instance as a machine.
pub(super) fn machine(instance: resources::Instance, sources: &Sources) -> SeenMachine {
    let state = state(&instance.status);
    let mut machine = SeenMachine::new(&instance.id, &instance.name, state);
    machine.actions = actions(&instance);
    addresses(&instance).for_each(|address| machine.add_address(address));
    machine.location = Some(instance.zone().to_owned());
    machine.size = Some(end_of(&instance.machine_type).to_owned()).filter(|size| !size.is_empty());
    machine.tags = tags(&instance.labels);
    let boot = instance.disks.iter().find(|disk| disk.boot);
    let source = boot.and_then(|disk| disk.source.as_deref());
    machine.image = source.and_then(|disk| sources.get(path_of(disk)).cloned());
    let interface = instance.network_interfaces.first();
    let named = |url: Option<&String>| url.map(|url| end_of(url).to_owned());
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(instance.creation_timestamp)),
        ("status".into(), json!(instance.status)),
        ("status_message".into(), json!(instance.status_message)),
        ("image_name".into(), json!(boot.and_then(|disk| named(disk.licenses.first())))),
        ("cpu_platform".into(), json!(instance.cpu_platform)),
        ("network".into(), json!(named(interface.and_then(|interface| interface.network.as_ref())))),
        ("subnetwork".into(), json!(named(interface.and_then(|interface| interface.subnetwork.as_ref())))),
        ("provisioning_model".into(), json!(instance.scheduling.provisioning_model)),
        ("deletion_protection".into(), json!(instance.deletion_protection)),
    ]);
    machine
}

fn addresses(instance: &resources::Instance) -> impl Iterator<Item = IpAddr> {
    instance.network_interfaces.iter().flat_map(|interface| {
        let outside = interface.access_configs.iter().chain(&interface.ipv6_access_configs);
        let outside = outside.flat_map(|config| [config.nat_ip, config.external_ipv6]);
        outside.chain([interface.network_ip]).flatten()
    })
}

/// What `TERMINATED` means here can be started again: it is what others call stopped.
fn state(status: &str) -> MachineState {
    match status {
        "PROVISIONING" | "STAGING" | "PENDING" | "PENDING_STOP" | "STOPPING" | "SUSPENDING"
        | "DEPROVISIONING" => MachineState::Pending,
        "RUNNING" => MachineState::Running,
        "TERMINATED" | "STOPPED" => MachineState::Stopped,
        "SUSPENDED" => MachineState::Suspended,
        "REPAIRING" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

/// What an instance takes in this state. One that is protected is not destroyed.
pub(super) fn actions(instance: &resources::Instance) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    let whole: &[Capability] = match state(&instance.status) {
        MachineState::Running => &[Stop, Reboot, Tag, ConsoleOutput, Destroy],
        MachineState::Stopped => &[Start, Rename, Resize, Tag, ConsoleOutput, Destroy],
        MachineState::Suspended => &[Start, Tag, ConsoleOutput, Destroy],
        MachineState::Error => &[Tag, ConsoleOutput, Destroy],
        MachineState::Pending if instance.status != "DEPROVISIONING" => &[Tag, ConsoleOutput, Destroy],
        _ => &[],
    };
    let open =
        if instance.deletion_protection { whole.strip_suffix(&[Destroy]).unwrap_or(whole) } else { whole };
    Capabilities::of(open)
}

/// The labels that are not Google's, as `key` or `key=value`.
fn tags(labels: &BTreeMap<String, String>) -> Vec<String> {
    let own = labels.iter().filter(|(key, _)| !key.starts_with(RESERVED));
    own.map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") }).collect()
}

/// The labels that stand for these tags, beside Google's own of those that are there now; `None` for tags that are no
/// labels.
pub(super) fn labels(
    tags: &[String],
    present: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let mut labels: BTreeMap<_, _> = present
        .iter()
        .filter(|(key, _)| key.starts_with(RESERVED))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    for tag in tags {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        let starts_right = key.chars().next().is_some_and(char::is_lowercase);
        if !starts_right || key.starts_with(RESERVED) || !fits_label(key) || !fits_label(value) {
            return None;
        }
        labels.insert(key.to_owned(), value.to_owned());
    }
    Some(labels)
}

fn fits_label(text: &str) -> bool {
    let fits = |c: char| c.is_lowercase() || c.is_numeric() || c == '-' || c == '_';
    text.chars().count() <= LABEL_CHARS && text.chars().all(fits)
}

/// Whether a search finds the image. The API has no search over words in the middle.
pub(super) fn matches(image: &Image, search: Option<&str>) -> bool {
    let Some(search) = search.map(str::to_lowercase) else { return true };
    let words = image.extra.get("description").and_then(|words| words.as_str()).unwrap_or_default();
    [image.id.as_str(), image.name.as_str(), words].iter().any(|text| text.to_lowercase().contains(&search))
}

/// An image, unless it is not to be used any more.
pub(super) fn image(image: resources::Image) -> Option<Image> {
    let ready = image.status.as_deref().is_none_or(|status| status == "READY");
    if !ready || resources::Deprecated::is_so(image.deprecated.as_ref()) {
        return None;
    }
    let extra = Map::from_iter([
        ("description".into(), json!(image.description)),
        ("family".into(), json!(image.family)),
        ("architecture".into(), json!(image.architecture)),
        ("created_at".into(), json!(image.creation_timestamp)),
        ("min_disk_gib".into(), json!(image.disk_size_gb.and_then(|size| size.parse::<u64>().ok()))),
    ]);
    Some(Image { id: path_of(&image.self_link).to_owned(), name: image.name, extra })
}

/// A machine type, unless it is not to be used any more. The API tells no prices, and disks are no part of a type.
pub(super) fn size(kind: resources::MachineType, zone: &str) -> Option<Size> {
    if resources::Deprecated::is_so(kind.deprecated.as_ref()) {
        return None;
    }
    let described = kind.description.filter(|words| !words.is_empty());
    Some(Size {
        name: described.map_or_else(|| kind.name.clone(), |words| format!("{} ({words})", kind.name)),
        id: kind.name,
        cpus: Some(kind.guest_cpus),
        memory_bytes: kind.memory_mb.checked_mul(1 << 20),
        disk_bytes: None,
        price: None,
        extra: Map::from_iter([
            ("locations".into(), json!([zone])),
            ("architecture".into(), json!(kind.architecture)),
            ("shared_cpu".into(), json!(kind.is_shared_cpu)),
        ]),
    })
}

/// A zone that takes machines.
pub(super) fn location(zone: resources::Zone) -> Option<Location> {
    let open = zone.status.as_deref().is_none_or(|status| status == "UP");
    open.then(|| Location { id: zone.name.clone(), name: zone.name, country: None })
}

/// The networks, each with its subnetworks.
pub(super) fn networks(
    networks: Vec<resources::Network>,
    subnetworks: &[resources::Subnetwork],
) -> Vec<Network> {
    let network = |network: resources::Network| {
        let own = subnetworks.iter().filter(|subnetwork| end_of(&subnetwork.network) == network.name);
        let own = own.map(|subnetwork| Subnet {
            id: subnetwork_id(subnetwork),
            name: subnetwork.name.clone(),
            cidr: subnetwork.ip_cidr_range.clone(),
        });
        Network {
            subnets: own.collect(),
            extra: Map::from_iter([
                ("description".into(), json!(network.description)),
                ("automatic".into(), json!(network.auto_create_subnetworks)),
            ]),
            id: network.name.clone(),
            name: network.name,
        }
    };
    networks.into_iter().map(network).collect()
}

/// How a subnetwork is named within its project.
pub(super) fn subnetwork_id(subnetwork: &resources::Subnetwork) -> String {
    format!("regions/{}/subnetworks/{}", end_of(&subnetwork.region), subnetwork.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{labels, tags};

    #[test]
    fn tags_are_labels_and_googles_own_stay_out_of_it() {
        let present = BTreeMap::from([("goog-x".to_owned(), "1".to_owned()), ("old".into(), String::new())]);
        assert_eq!(tags(&present), ["old"]);
        let wanted = ["web".to_owned(), "env=prod".into()];
        let labels_now = labels(&wanted, &present).unwrap();
        assert_eq!(labels_now.keys().collect::<Vec<_>>(), ["env", "goog-x", "web"]);
        assert_eq!(tags(&labels_now), ["env=prod", "web"]);
        for odd in ["", "Web", "1st", "=x", "a b", "goog-mine", "a=B", &"x".repeat(64)] {
            assert_eq!(labels(&[odd.to_owned()], &present), None, "{odd}");
        }
    }
}
