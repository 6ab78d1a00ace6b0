//! What the engine says, as JSON: only what the driver reads, and every bit of it optional but ids.
//!
//! Source: the reference of the Engine API 1.41 to 1.47. Podman's compatible API leaves things out, says null for empty
//! lists and knows more states; one odd container must not hide the others, so nothing here is an enum.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use roadstead_api::{
    image::Image,
    machine::MachineState,
    network::{Network, Subnet},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    capability::{Capabilities, Capability},
    machine::SeenMachine,
};

/// The port on which a container's own SSH server listens.
const SSH_PORT: u16 = 22;

/// The only size there is.
pub(super) const SIZE: &str = "default";

/// A line of `GET /containers/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
    pub(super) id: String,
    names: Option<Vec<String>>,
    image: Option<String>,
    command: Option<Value>,
    created: Option<i64>,
    ports: Option<Vec<Port>>,
    labels: Option<BTreeMap<String, String>>,
    state: Option<String>,
    status: Option<String>,
    host_config: Option<HostConfig>,
    network_settings: Option<NetworkSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Port {
    #[serde(rename = "IP")]
    ip: Option<String>,
    private_port: Option<u16>,
    public_port: Option<u16>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    network_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Option<Attachment>>>,
}

#[derive(Debug, Deserialize)]
struct Attachment {
    #[serde(rename = "IPAddress")]
    v4: Option<String>,
    #[serde(rename = "GlobalIPv6Address")]
    v6: Option<String>,
}

/// What is read of `GET /containers/{id}/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    pub(super) id: String,
    pub(super) config: Option<Config>,
}

/// How a container was made.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Config {
    #[serde(default)]
    pub(super) tty: bool,
    pub(super) labels: Option<BTreeMap<String, String>>,
}

/// The answer to `POST /containers/create`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    pub(super) id: String,
}

/// A line of `GET /images/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LocalImage {
    id: String,
    repo_tags: Option<Vec<String>>,
    created: Option<Value>,
    size: Option<u64>,
}

/// A line of `GET /images/search`.
#[derive(Debug, Deserialize)]
pub(super) struct FoundImage {
    name: String,
    description: Option<String>,
    star_count: Option<i64>,
    is_official: Option<bool>,
}

/// A line of `GET /networks`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EngineNetwork {
    name: String,
    id: Option<String>,
    driver: Option<String>,
    scope: Option<String>,
    #[serde(rename = "IPAM")]
    ipam: Option<Ipam>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    config: Option<Vec<IpamRange>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpamRange {
    subnet: Option<String>,
}

impl Container {
    /// The container as a machine. `host` is the engine's, with its addresses: what a container publishes is there.
    pub(super) fn seen(&self, host: Option<&str>, addresses: &[IpAddr]) -> SeenMachine {
        let word = self.state.as_deref().unwrap_or_default();
        let short = self.id.get(..12).unwrap_or(&self.id);
        let name =
            self.names.iter().flatten().map(|name| name.trim_start_matches('/')).find(|n| !n.is_empty());
        let mut machine = SeenMachine::new(self.id.as_str(), name.unwrap_or(short), state(word));
        machine.actions = actions(word);
        machine.image = self.image.clone();
        machine.size = Some(SIZE.to_owned());
        if machine.state == MachineState::Running && self.is_on_the_host() {
            addresses.iter().for_each(|&address| machine.add_address(address));
        }
        for address in self.own_addresses() {
            if !machine.private_ips.contains(&address) {
                machine.private_ips.push(address);
            }
        }
        machine.extra = self.extra(host);
        machine
    }

    /// Whether the container can be reached at its host's address.
    fn is_on_the_host(&self) -> bool {
        let mode = self.host_config.as_ref().and_then(|config| config.network_mode.as_deref());
        mode == Some("host") || self.ports.iter().flatten().any(|port| port.public_port.is_some())
    }

    /// Addresses in networks of the engine.
    fn own_addresses(&self) -> impl Iterator<Item = IpAddr> {
        let networks = self.network_settings.iter().filter_map(|settings| settings.networks.as_ref());
        let attachments = networks.flat_map(BTreeMap::values).flatten();
        attachments.flat_map(|attachment| [&attachment.v4, &attachment.v6]).flatten().filter_map(|text| {
            let address: IpAddr = text.parse().ok()?;
            (!address.is_unspecified()).then_some(address)
        })
    }

    fn extra(&self, host: Option<&str>) -> Map<String, Value> {
        let ports: Vec<Value> = self.ports.iter().flatten().map(Port::shown).collect();
        let ssh = self.ports.iter().flatten().find_map(|port| {
            port.public_port
                .filter(|_| port.private_port == Some(SSH_PORT) && port.kind.as_deref() != Some("udp"))
        });
        let created = self.created.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let facts = [
            ("host", host.map(Value::from)),
            ("ssh_port", ssh.map(Value::from)),
            ("ports", (!ports.is_empty()).then_some(Value::from(ports))),
            ("image", self.image.as_deref().map(Value::from)),
            ("command", self.command.clone()),
            ("status", self.status.as_deref().map(Value::from)),
            ("created_at", created.map(|time| Value::from(time.to_string()))),
            ("labels", self.labels.as_ref().filter(|labels| !labels.is_empty()).map(|labels| json!(labels))),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Port {
    fn shown(&self) -> Value {
        json!({"address": self.ip, "port": self.public_port, "container_port": self.private_port, "protocol": self.kind})
    }
}

/// A container's state, by the word of Docker or Podman.
fn state(word: &str) -> MachineState {
    match word {
        "running" => MachineState::Running,
        "created" | "exited" | "configured" | "initialized" | "stopped" => MachineState::Stopped,
        "restarting" => MachineState::Rebooting,
        "paused" => MachineState::Suspended,
        "removing" | "stopping" => MachineState::Pending,
        "dead" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

/// What the engine takes in this state.
fn actions(word: &str) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Rename, Start, Stop};
    match word {
        "running" | "restarting" => Capabilities::of(&[Stop, Reboot, Destroy, Rename, ConsoleOutput]),
        "paused" => Capabilities::of(&[Start, Destroy, Rename, ConsoleOutput]),
        "removing" | "stopping" => Capabilities::NONE,
        "dead" => Capabilities::of(&[Destroy]),
        _ => Capabilities::of(&[Start, Destroy, Rename, ConsoleOutput]),
    }
}

impl LocalImage {
    /// The image under each of its names.
    pub(super) fn images(self) -> Vec<Image> {
        let mut extra =
            Map::from_iter([("image_id".to_owned(), json!(self.id)), ("local".to_owned(), json!(true))]);
        extra.extend(self.size.map(|bytes| ("size_bytes".to_owned(), json!(bytes))));
        extra.extend(self.created.map(|created| ("created".to_owned(), created)));
        let named: Vec<String> =
            self.repo_tags.into_iter().flatten().filter(|tag| !tag.contains("<none>")).collect();
        if named.is_empty() {
            return vec![Image { id: self.id.clone(), name: self.id, extra }];
        }
        named.into_iter().map(|tag| Image { id: tag.clone(), name: tag, extra: extra.clone() }).collect()
    }
}

impl FoundImage {
    /// The image of a registry.
    pub(super) fn image(self) -> Image {
        let extra = json!({"local": false, "description": self.description, "stars": self.star_count,
            "official": self.is_official});
        let extra = extra.as_object().cloned().unwrap_or_default();
        Image { id: self.name.clone(), name: self.name, extra }
    }
}

impl EngineNetwork {
    /// The network. Its id is its name: so the engine takes its own three, too.
    pub(super) fn network(self) -> Network {
        let ranges =
            self.ipam.and_then(|ipam| ipam.config).into_iter().flatten().filter_map(|range| range.subnet);
        let subnets =
            ranges.map(|cidr| Subnet { id: cidr.clone(), name: cidr.clone(), cidr }).collect::<Vec<_>>();
        let extra = json!({"engine_id": self.id, "driver": self.driver, "scope": self.scope});
        let extra = extra.as_object().cloned().unwrap_or_default();
        Network { id: self.name.clone(), name: self.name, subnets, extra }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, any, prop, prop_assert, prop_oneof, proptest};
    use roadstead_api::machine::MachineState;
    use serde_json::{Value, json};

    use super::{Container, EngineNetwork, LocalImage};
    use crate::{Capabilities, Capability};

    fn container(json: Value) -> Container {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_container_is_a_machine_with_its_ports_and_addresses() {
        let seen = container(json!({"Id": "0123456789abcdef", "Names": ["/web"], "Image": "nginx:1", "ImageID": "x",
            "Command": "nginx", "Created": 1_700_000_000, "State": "running", "Status": "Up 3 minutes",
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 22, "PublicPort": 49153, "Type": "tcp"},
                      {"PrivatePort": 80, "Type": "tcp"}],
            "Labels": {"a": "b"}, "HostConfig": {"NetworkMode": "default"},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": ""}}}}))
        .seen(Some("docker-1"), &["203.0.113.9".parse().unwrap()]);
        assert_eq!((seen.name.as_str(), seen.state), ("web", MachineState::Running));
        assert_eq!((seen.public_ips.len(), seen.private_ips.len()), (1, 1));
        assert_eq!(seen.extra["ssh_port"], 49153);
        assert_eq!(
            (&seen.extra["host"], &seen.extra["created_at"]),
            (&json!("docker-1"), &json!("2023-11-14T22:13:20Z"))
        );
        assert!(seen.actions.contains(Capability::Stop) && !seen.actions.contains(Capability::Start));
    }

    #[test]
    fn what_podman_leaves_out_hides_nothing() {
        let seen =
            container(json!({"Id": "0123456789abcdef", "Names": null, "Ports": null, "State": "initialized",
            "Command": ["sh"], "NetworkSettings": {"Networks": {"podman": null}}}))
            .seen(None, &["203.0.113.9".parse().unwrap()]);
        assert_eq!((seen.name.as_str(), seen.state), ("0123456789ab", MachineState::Stopped));
        assert!(seen.public_ips.is_empty() && seen.actions.contains(Capability::Start));
        let odd = container(json!({"Id": "é", "State": "levitating"})).seen(None, &[]);
        assert_eq!((odd.name.as_str(), odd.state), ("é", MachineState::Unknown));
    }

    #[test]
    fn images_have_a_line_for_each_name_and_networks_their_ranges() {
        let image = |json| serde_json::from_value::<LocalImage>(json).unwrap().images();
        let both = image(json!({"Id": "sha256:1", "RepoTags": ["a:1", "b:2", "<none>:<none>"], "Size": 5}));
        assert_eq!(both.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), ["a:1", "b:2"]);
        assert_eq!(both[0].extra["size_bytes"], 5);
        assert_eq!(image(json!({"Id": "sha256:1", "RepoTags": null}))[0].id, "sha256:1");
        let network: EngineNetwork =
            serde_json::from_value(json!({"Name": "n", "Id": "1", "Driver": "bridge",
            "IPAM": {"Config": [{"Subnet": "10.1.0.0/16"}, {"Gateway": "10.1.0.1"}]}}))
            .unwrap();
        assert_eq!(network.network().subnets[0].cidr, "10.1.0.0/16");
    }

    fn any_json() -> impl prop::strategy::Strategy<Value = Value> {
        use prop::strategy::Strategy;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-z0-9./:]{0,12}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![
                Just("Id"),
                Just("Names"),
                Just("Ports"),
                Just("State"),
                Just("PublicPort"),
                Just("PrivatePort"),
                Just("Created"),
                Just("Labels"),
                Just("NetworkSettings"),
                Just("Networks"),
                Just("IPAddress")
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..8)
                    .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>())
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall_over(json in any_json()) {
            if let Ok(container) = serde_json::from_value::<Container>(json) {
                let seen = container.seen(Some("h"), &[]);
                prop_assert!(seen.actions.is_subset_of(Capabilities::of(&Capability::ALL)));
            }
        }
    }
}
