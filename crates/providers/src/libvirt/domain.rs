//! A domain of libvirt as a machine: its state by virsh's words, all else from its XML.
//!
//! Source: libvirt's "Domain XML format", and `virsh domstate`. The XML is read as far as it makes sense; what is
//! missing is left out, and a domain that cannot be read at all is still listed, by its id.

use std::{collections::BTreeSet, net::IpAddr};

use roadstead_api::machine::MachineState;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value, json};

use super::xml;
use crate::{
    capability::{Capabilities, Capability},
    error::{Error, ErrorKind, Result},
    machine::SeenMachine,
};

/// The most elements that are read of one document.
const MAX_NODES: u32 = 50_000;

/// What a domain's XML says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) cpus: Option<u32>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) macs: BTreeSet<String>,
    pub(super) disks: Vec<Disk>,
    /// The file in which what comes over the serial port is kept.
    pub(super) console: Option<String>,
    /// Whether an agent in the machine answers now.
    pub(super) agent: bool,
    /// What we have written into it.
    pub(super) mark: Mark,
}

/// A disk of a domain.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Disk {
    pub(super) target: String,
    pub(super) source: Option<String>,
    /// Whether it is the machine's alone, to be written to.
    pub(super) own: bool,
}

/// What Roadstead keeps in a domain's metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mark {
    pub(super) image: Option<String>,
    /// The pool and the volume of the seed for cloud-init.
    pub(super) seed: Option<(String, String)>,
    pub(super) created_at: Option<String>,
    pub(super) tags: Vec<String>,
}

/// Parses a document from the hypervisor, within bounds.
pub(super) fn document(text: &str) -> Result<Document<'_>> {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|source| Error::new(ErrorKind::Malformed, "virsh printed no sound XML").caused_by(source))
}

/// The first child of this name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text of the first child of this name.
pub(super) fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = child(node, name)?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A size with its unit, in bytes.
pub(super) fn bytes(node: Node<'_, '_>) -> Option<u64> {
    let number: u64 = node.text()?.trim().parse().ok()?;
    let unit = match node.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}

impl Domain {
    /// Reads a domain's XML.
    pub(super) fn parse(text_of_it: &str) -> Result<Self> {
        let document = document(text_of_it)?;
        let root = document.root_element();
        let mut domain = Self {
            name: text(root, "name").unwrap_or_default(),
            title: text(root, "title"),
            cpus: text(root, "vcpu").and_then(|cpus| cpus.parse().ok()),
            memory_bytes: child(root, "memory").and_then(bytes),
            mark: child(root, "metadata").map(Mark::parse).unwrap_or_default(),
            ..Self::default()
        };
        for device in child(root, "devices").into_iter().flat_map(|devices| devices.children()) {
            domain.take(device);
        }
        Ok(domain)
    }

    fn take(&mut self, device: Node<'_, '_>) {
        let attribute = |name: &str, of: &str| child(device, name)?.attribute(of).map(str::to_owned);
        match device.tag_name().name() {
            "interface" => self.macs.extend(attribute("mac", "address").map(|mac| mac.to_lowercase())),
            "disk" => {
                let volume = attribute("source", "pool").zip(attribute("source", "volume"));
                let source = volume.map(|(pool, volume)| format!("{pool}/{volume}"));
                self.disks.push(Disk {
                    target: attribute("target", "dev").unwrap_or_default(),
                    source: source
                        .or_else(|| attribute("source", "file"))
                        .or_else(|| attribute("source", "dev")),
                    own: device.attribute("device").unwrap_or("disk") == "disk"
                        && child(device, "readonly").is_none()
                        && child(device, "shareable").is_none(),
                });
            }
            "serial" | "console" if self.console.is_none() => {
                let file = device.attribute("type") == Some("file");
                let source = attribute("source", "path").filter(|_| file);
                self.console = attribute("log", "file").or(source);
            }
            "channel" => {
                let agent = attribute("target", "name").as_deref() == Some("org.qemu.guest_agent.0");
                self.agent |= agent && attribute("target", "state").as_deref() == Some("connected");
            }
            _ => {}
        }
    }

    /// The disks that are the machine's own, by their targets.
    pub(super) fn own_targets(&self) -> Vec<&str> {
        let plain = |target: &&str| !target.is_empty() && target.bytes().all(|b| b.is_ascii_alphanumeric());
        self.disks.iter().filter(|disk| disk.own).map(|disk| disk.target.as_str()).filter(plain).collect()
    }

    /// The size, as orders name it.
    pub(super) fn size(&self) -> Option<String> {
        Some(format!("{}x{}", self.cpus?, self.memory_bytes? >> 20))
    }

    /// The domain as a machine.
    pub(super) fn seen(
        self,
        id: &str,
        state: &str,
        addresses: &[IpAddr],
        snapshots: Vec<String>,
    ) -> SeenMachine {
        let (word, reason) = state.split_once('(').unwrap_or((state, ""));
        let word = word.trim();
        let name = if self.name.is_empty() { id } else { self.name.as_str() };
        let mut machine = SeenMachine::new(id, name, machine_state(word));
        machine.actions = actions(machine.state, self.console.is_some());
        machine.size = self.size();
        machine.image.clone_from(&self.mark.image);
        machine.tags.clone_from(&self.mark.tags);
        addresses.iter().for_each(|&address| machine.add_address(address));
        machine.extra = self.extra(word, reason.trim_end_matches(')'), snapshots);
        machine
    }

    fn extra(self, word: &str, reason: &str, snapshots: Vec<String>) -> Map<String, Value> {
        let disks: Vec<Value> =
            self.disks.iter().map(|disk| json!({"target": disk.target, "source": disk.source})).collect();
        let facts = [
            ("state", Some(json!(word))),
            ("reason", (!reason.is_empty()).then(|| json!(reason))),
            ("title", self.title.map(Value::from)),
            ("cpus", self.cpus.map(Value::from)),
            ("memory_bytes", self.memory_bytes.map(Value::from)),
            ("mac_addresses", (!self.macs.is_empty()).then(|| json!(self.macs))),
            ("disks", (!disks.is_empty()).then(|| json!(disks))),
            ("snapshots", (!snapshots.is_empty()).then(|| json!(snapshots))),
            ("created_at", self.mark.created_at.map(Value::from)),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl Mark {
    fn parse(metadata: Node<'_, '_>) -> Self {
        let own = |node: &Node<'_, '_>| node.tag_name().namespace() == Some(xml::NAMESPACE);
        let Some(mark) = metadata.children().find(own) else { return Self::default() };
        let seed = child(mark, "seed");
        let part = |name: &str| seed?.attribute(name).map(str::to_owned);
        let tags = mark.children().filter(|node| node.tag_name().name() == "tag");
        Self {
            image: text(mark, "image"),
            seed: part("pool").zip(part("volume")),
            created_at: text(mark, "created"),
            tags: tags.filter_map(|tag| tag.text().map(str::to_owned)).collect(),
        }
    }
}

fn machine_state(word: &str) -> MachineState {
    match word {
        // "idle" waits for something, as most machines do most of the time.
        "running" | "idle" => MachineState::Running,
        "paused" | "pmsuspended" => MachineState::Suspended,
        "in shutdown" => MachineState::Pending,
        "shut off" => MachineState::Stopped,
        "crashed" => MachineState::Error,
        _ => MachineState::Unknown,
    }
}

fn actions(state: MachineState, console: bool) -> Capabilities {
    use Capability::{ConsoleOutput, Destroy, Reboot, Rename, Resize, Start, Stop, Tag};
    match (state, console) {
        (MachineState::Running, true) => Capabilities::of(&[Stop, Reboot, Destroy, Tag, ConsoleOutput]),
        (MachineState::Running, false) => Capabilities::of(&[Stop, Reboot, Destroy, Tag]),
        (MachineState::Stopped, true) => {
            Capabilities::of(&[Start, Destroy, Rename, Resize, Tag, ConsoleOutput])
        }
        (MachineState::Stopped, false) => Capabilities::of(&[Start, Destroy, Rename, Resize, Tag]),
        (_, true) => Capabilities::of(&[Start, Destroy, Tag, ConsoleOutput]),
        (_, false) => Capabilities::of(&[Start, Destroy, Tag]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};
    use roadstead_api::machine::MachineState;

    use super::{Disk, Domain};
    use crate::{Capabilities, Capability};

    const XML: &str = "<domain type='kvm' id='7'><name>web &amp; co</name><uuid>u</uuid><title>The web</title>\
        <metadata><o:x xmlns:o='urn:other'><o:tag>not ours</o:tag></o:x>\
        <r:machine xmlns:r='https://roadstead.example/xmlns/machine/1'><r:image>images/debian.qcow2</r:image>\
        <r:seed pool='images' volume='web.seed.iso'/><r:created>2026-01-01T00:00:00Z</r:created>\
        <r:tag>blue</r:tag><r:tag>web</r:tag></r:machine></metadata>\
        <memory unit='GiB'>2</memory><vcpu placement='static'>2</vcpu><devices>\
        <disk type='file' device='disk'><source file='/a.qcow2'/><target dev='vda'/></disk>\
        <disk type='volume' device='cdrom'><source pool='p' volume='v.iso'/><target dev='sda'/><readonly/></disk>\
        <disk type='block' device='disk'><source dev='/dev/sdz'/><target dev='vdb'/><shareable/></disk>\
        <interface type='network'><mac address='52:54:00:AA:00:01'/></interface>\
        <serial type='pty'><source path='/dev/pts/1'/><log file='/log/web' append='on'/></serial>\
        <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>\
        </devices></domain>";

    #[test]
    fn a_domain_is_read_whole() {
        let domain = Domain::parse(XML).unwrap();
        assert_eq!((domain.name.as_str(), domain.size().as_deref()), ("web & co", Some("2x2048")));
        assert_eq!((domain.own_targets(), domain.agent), (vec!["vda"], true));
        let iso = Disk { target: "sda".into(), source: Some("p/v.iso".into()), own: false };
        assert_eq!((&domain.disks[1], domain.console.as_deref()), (&iso, Some("/log/web")));
        let seed = domain.mark.seed.clone().unwrap();
        assert_eq!((seed.0.as_str(), seed.1.as_str()), ("images", "web.seed.iso"));
        let seen = domain.seen("id", "paused (user)", &["10.0.0.1".parse().unwrap()], vec!["s1".into()]);
        assert_eq!((seen.state, seen.tags.len()), (MachineState::Suspended, 2));
        assert_eq!((&seen.extra["reason"], &seen.extra["snapshots"][0]), (&"user".into(), &"s1".into()));
        assert!(seen.actions.contains(Capability::Start) && !seen.actions.contains(Capability::Stop));
    }

    #[test]
    fn entities_and_depth_are_bounded() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'xxxxxxxx'>]><domain><name>&b;</name></domain>";
        assert!(Domain::parse(bomb).is_err());
        assert!(Domain::parse(&"<a/>".repeat(3)).is_err());
        let many = format!("<domain>{}</domain>", "<a/>".repeat(60_000));
        assert!(Domain::parse(&many).is_err());
        let deep = format!("<domain>{}{}</domain>", "<a>".repeat(20_000), "</a>".repeat(20_000));
        let _ = Domain::parse(&deep);
    }

    proptest! {
        #[test]
        fn no_xml_makes_it_fall_over(cut in 0usize..2000, with in any::<String>(), state in ".{0,30}") {
            let cut = (0..=cut.min(XML.len())).rev().find(|&at| XML.is_char_boundary(at)).unwrap_or(0);
            if let Ok(domain) = Domain::parse(&format!("{}{with}{}", &XML[..cut], &XML[cut..])) {
                let seen = domain.seen("id", &state, &[], Vec::new());
                prop_assert!(!seen.name.is_empty());
                prop_assert!(seen.actions.is_subset_of(Capabilities::of(&Capability::ALL)));
            }
            let _ = Domain::parse(&with);
        }
    }
}
