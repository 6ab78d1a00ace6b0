//! What the Resource Manager's words mean to us.

use std::collections::{BTreeMap, HashMap};

use roadstead_api::{
    image::Image,
    location::Location,
    machine::MachineState,
    network::{Network, Subnet},
    size::Size,
};
use serde_json::{Map, json};

use super::resources::{ImageReference, Named, Nic, Place, PublicIp, Sku, VirtualNetwork, Vm, part};
use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// The tag by which an order is known again. It is none of the machine's tags as people see them.
pub(super) const ORDER_TAG: &str = "roadstead-order";
/// Characters in a tag's key and in its value.
const KEY_CHARS: usize = 512;
const VALUE_CHARS: usize = 256;
/// Characters that no key has.
const FORBIDDEN: &str = "<>%&\\?/";

/// The addresses of network interfaces, by the interface's id in lower case.
pub(super) type Addresses = HashMap<String, Vec<std::net::IpAddr>>;

/// Which network interface has which addresses.
pub(super) fn addresses(nics: Vec<Nic>, public_ips: Vec<PublicIp>) -> Addresses {
    let public: HashMap<_, _> =
        public_ips.iter().filter_map(|ip| Some((ip.key(), ip.properties.address?))).collect();
    let of_nic = |nic: &Nic| {
        let parts = nic.properties.ip_configurations.iter().map(|configuration| &configuration.properties);
        parts
            .flat_map(|part| {
                let outside = part.public.as_ref().and_then(|ip| public.get(&ip.id.to_lowercase()).copied());
                [outside, part.private]
            })
            .flatten()
            .collect()
    };
    nics.iter().map(|nic| (nic.key(), of_nic(nic))).collect()
}

/// A virtual machine as a machine.
pub(super) fn machine(vm: &Vm, addresses: &Addresses) -> SeenMachine {
    let state = state(vm);
    let properties = &vm.properties;
    let mut machine = SeenMachine::new(properties.vm_id.to_lowercase(), &vm.name, state);
    machine.actions = actions(vm);
    let nics = properties.network_profile.network_interfaces.iter();
    for address in nics.filter_map(|nic| addresses.get(&nic.id.to_lowercase())).flatten() {
        machine.add_address(*address);
    }
    machine.image = properties.storage_profile.image_reference.as_ref().and_then(image_id);
    machine.size.clone_from(&properties.hardware_profile.vm_size);
    machine.location = Some(vm.location.clone());
    machine.tags = tags(&vm.tags);
    machine.extra = Map::from_iter([
        ("created_at".into(), json!(properties.time_created)),
        ("status".into(), json!(vm.power())),
        ("provisioning_state".into(), json!(properties.provisioning_state)),
        ("resource_group".into(), json!(part(&vm.id, "resourceGroups"))),
        ("resource_id".into(), json!(vm.id)),
        ("os_type".into(), json!(properties.storage_profile.os_disk.os_type)),
        ("priority".into(), json!(properties.priority)),
    ]);
    machine
}

fn image_id(image: &ImageReference) -> Option<String> {
    let named = || {
        let words = [&image.publisher, &image.offer, &image.sku, &image.version];
        let words: Option<Vec<_>> = words.into_iter().map(Option::as_deref).collect();
        words.map(|words| words.join(":"))
    };
    image.id.clone().or_else(named)
}

/// What a machine is doing: what is being done to it as a whole first, then whether it is on.
fn state(vm: &Vm) -> MachineState {
    let provisioning = vm.properties.provisioning_state.as_deref().unwrap_or_default();
    if matches!(provisioning, "Creating" | "Deleting") {
        return MachineState::Pending;
    }
    match vm.power() {
        Some("running") => MachineState::Running,
        Some("stopped" | "deallocated") => MachineState::Stopped,
        Some("starting" | "stopping" | "deallocating") => MachineState::Pending,
        _ if provisioning == "Failed" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

/// What a machine takes in this state. One whose disk lies on its host would lose it, so it is not stopped.
pub(super) fn actions(vm: &Vm) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Resize, Start, Stop, Tag};
    let properties = &vm.properties;
    let mut actions = match state(vm) {
        MachineState::Running => vec![Stop, Reboot, Destroy, Resize, Tag],
        MachineState::Stopped => vec![Start, Destroy, Resize, Tag],
        MachineState::Pending if properties.provisioning_state.as_deref() == Some("Deleting") => vec![],
        _ => vec![Destroy, Tag],
    };
    if properties.storage_profile.os_disk.diff_disk_settings.is_some() {
        actions.retain(|action| *action != Stop);
    }
    if properties.diagnostics_profile.boot_diagnostics.enabled && !actions.is_empty() {
        actions.push(ConsoleOutput);
    }
    Capabilities::of(&actions)
}

/// The tags as `key` or `key=value`, but for ours.
fn tags(tags: &BTreeMap<String, String>) -> Vec<String> {
    let shown = tags.iter().filter(|(key, _)| *key != ORDER_TAG);
    shown.map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") }).collect()
}

/// Azure's tags that stand for these, beside ours of those that are there now; `None` for what is no tag there.
pub(super) fn wanted_tags(
    tags: &[String],
    now: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let ours = now.get_key_value(ORDER_TAG).map(|(key, value)| (key.clone(), value.clone()));
    let mut wanted: BTreeMap<_, _> = ours.into_iter().collect();
    for tag in tags {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        let fits = (1..=KEY_CHARS).contains(&key.chars().count()) && value.chars().count() <= VALUE_CHARS;
        if !fits || key == ORDER_TAG || key.chars().any(|c| c.is_control() || FORBIDDEN.contains(c)) {
            return None;
        }
        wanted.insert(key.to_owned(), value.to_owned());
    }
    Some(wanted)
}

/// An image of one's own.
pub(super) fn own_image(image: Named) -> Image {
    let extra = Map::from_iter([
        ("description".into(), json!(image.properties.description)),
        ("os_type".into(), json!(image.properties.os_type)),
        ("location".into(), json!(image.location)),
    ]);
    Image { id: image.id, name: image.name, extra }
}

/// An image of an offer, in its newest version.
pub(super) fn image(publisher: &str, offer: &str, sku: &str) -> Image {
    let extra = Map::from_iter([("publisher".into(), json!(publisher)), ("offer".into(), json!(offer))]);
    Image { id: format!("{publisher}:{offer}:{sku}:latest"), name: format!("{offer} {sku}"), extra }
}

/// Whether a search finds the image.
pub(super) fn matches(image: &Image, search: Option<&str>) -> bool {
    let Some(search) = search.map(str::to_lowercase) else { return true };
    [&image.id, &image.name].iter().any(|text| text.to_lowercase().contains(&search))
}

/// A size, if the subscription may have it. The API tells no prices.
pub(super) fn size(sku: &Sku, location: &str) -> Option<Size> {
    let closed = sku.restrictions.iter().any(|restriction| restriction.kind == "Location");
    if sku.resource_type != "virtualMachines" || closed {
        return None;
    }
    let value = |name: &str| {
        sku.capabilities.iter().find(|capability| capability.name == name).map(|found| found.value.as_str())
    };
    let scaled = |name, unit: f64| {
        let number = value(name)?.parse::<f64>().ok().filter(|number| (0.0..1e9).contains(number))?;
        Some((number * unit) as u64)
    };
    Some(Size {
        id: sku.name.clone(),
        name: sku.name.clone(),
        cpus: value("vCPUs").and_then(|count| count.parse().ok()),
        memory_bytes: scaled("MemoryGB", f64::from(1 << 30)),
        disk_bytes: scaled("MaxResourceVolumeMB", f64::from(1 << 20)),
        price: None,
        extra: Map::from_iter([
            ("locations".into(), json!([location])),
            ("architecture".into(), json!(value("CpuArchitectureType"))),
        ]),
    })
}

/// A location, unless it is a group of them.
pub(super) fn location(place: Place) -> Option<Location> {
    let physical = place.metadata.region_type.as_deref().is_none_or(|kind| kind == "Physical");
    let name = place.display_name.unwrap_or_else(|| place.name.clone());
    physical.then_some(Location { id: place.name, name, country: None })
}

/// A virtual network, with its subnets.
pub(super) fn network(network: VirtualNetwork) -> Network {
    let subnets = network.properties.subnets.into_iter().map(|subnet| {
        let several = subnet.properties.address_prefixes.into_iter().next();
        Subnet {
            id: subnet.id,
            name: subnet.name,
            cidr: subnet.properties.address_prefix.or(several).unwrap_or_default(),
        }
    });
    Network {
        subnets: subnets.collect(),
        extra: Map::from_iter([
            ("location".into(), json!(network.location)),
            ("resource_group".into(), json!(part(&network.id, "resourceGroups"))),
            ("ranges".into(), json!(network.properties.address_space.address_prefixes)),
        ]),
        id: network.id,
        name: network.name,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use roadstead_api::machine::MachineState;
    use serde_json::{Value, json};

    use super::{actions, state, tags, wanted_tags};
    use crate::{Capability, azure::resources::Vm};

    fn vm(properties: Value) -> Vm {
        serde_json::from_value(json!({"id": "/x", "properties": properties})).unwrap()
    }

    #[test]
    fn what_is_done_as_a_whole_goes_before_power() {
        let on = json!({"statuses": [{"code": "ProvisioningState/x"}, {"code": "PowerState/running"}]});
        let of = |provisioning: &str| vm(json!({"provisioningState": provisioning, "instanceView": on}));
        assert_eq!(state(&of("Creating")), MachineState::Pending);
        assert_eq!(state(&of("Succeeded")), MachineState::Running);
        assert_eq!(state(&of("Failed")), MachineState::Running, "the last change failed, not the machine");
        assert_eq!(state(&vm(json!({"provisioningState": "Failed"}))), MachineState::Error);
        assert_eq!(state(&vm(json!({}))), MachineState::Unknown);
        assert_eq!(actions(&of("Deleting")).iter().count(), 0);
        assert!(actions(&of("Succeeded")).contains(Capability::Stop));
        let lost = json!({"instanceView": on, "storageProfile": {"osDisk": {"diffDiskSettings": {"option": "Local"}}}});
        assert!(!actions(&vm(lost)).contains(Capability::Stop));
    }

    #[test]
    fn tags_are_pairs_and_ours_stays_out_of_it() {
        let now = BTreeMap::from([("roadstead-order".to_owned(), "1".to_owned()), ("old".into(), "".into())]);
        assert_eq!(tags(&now), ["old"]);
        let wanted = wanted_tags(&["web".into(), "env=prod".into()], &now).unwrap();
        assert_eq!(wanted.keys().collect::<Vec<_>>(), ["env", "roadstead-order", "web"]);
        for odd in ["", "=x", "a/b", "roadstead-order=2", &"x".repeat(513)] {
            assert_eq!(wanted_tags(&[odd.to_owned()], &now), None, "{odd:.20}");
        }
    }
}
