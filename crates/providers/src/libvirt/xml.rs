//! XML that is written for libvirt. Every value in it is escaped, so no name gets out of its element.

use std::fmt::Write;

use super::domain::Mark;

/// The namespace of what Roadstead keeps in a domain's metadata.
pub(super) const NAMESPACE: &str = "https://roadstead.example/xmlns/machine/1";

/// A value for an element or for an attribute in double quotes. Beside what XML wants, the signs that shells read even
/// between quotes are written as numbers.
pub(super) fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' | '\\' | '!' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            // XML has no way to say these.
            character if character.is_control() => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

/// The element that is kept in a domain's metadata, without a prefix: virsh puts one.
pub(super) fn mark(mark: &Mark) -> String {
    let mut out = format!("<machine xmlns=\"{NAMESPACE}\">");
    for (name, value) in [("image", &mark.image), ("created", &mark.created_at)] {
        if let Some(value) = value {
            let _ = write!(out, "<{name}>{}</{name}>", escaped(value));
        }
    }
    if let Some((pool, volume)) = &mark.seed {
        let _ = write!(out, "<seed pool=\"{}\" volume=\"{}\"/>", escaped(pool), escaped(volume));
    }
    for tag in &mark.tags {
        let _ = write!(out, "<tag>{}</tag>", escaped(tag));
    }
    out + "</machine>"
}

/// A volume that holds only what differs from another.
pub(super) fn overlay(name: &str, bytes: u64, base: &str, base_format: &str) -> String {
    format!(
        "<volume><name>{}</name><capacity unit=\"bytes\">{bytes}</capacity><allocation>0</allocation>\
         <target><format type=\"qcow2\"/></target><backingStore><path>{}</path><format type=\"{}\"/></backingStore>\
         </volume>",
        escaped(name),
        escaped(base),
        escaped(base_format)
    )
}

/// A domain to be.
pub(super) struct NewDomain<'a> {
    pub(super) uuid: &'a str,
    pub(super) name: &'a str,
    /// Whether the processor's own virtualization is used.
    pub(super) kvm: bool,
    pub(super) architecture: &'a str,
    pub(super) cpus: u32,
    pub(super) memory_mib: u64,
    pub(super) pool: &'a str,
    pub(super) disk: &'a str,
    pub(super) seed: Option<&'a str>,
    pub(super) networks: &'a [String],
    /// The file in which what comes over the serial port is kept.
    pub(super) console: &'a str,
    pub(super) mark: &'a Mark,
}

impl NewDomain<'_> {
    /// The domain's XML.
    pub(super) fn xml(&self) -> String {
        let (kind, cpu) = if self.kvm { ("kvm", "<cpu mode=\"host-passthrough\"/>") } else { ("qemu", "") };
        let mut out = format!(
            "<domain type=\"{kind}\"><name>{}</name><uuid>{}</uuid><metadata>{}</metadata>\
             <memory unit=\"MiB\">{}</memory><vcpu>{}</vcpu>\
             <os><type arch=\"{}\">hvm</type><boot dev=\"hd\"/></os><features><acpi/><apic/></features>{cpu}\
             <clock offset=\"utc\"/><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>\
             <on_crash>destroy</on_crash><devices>",
            escaped(self.name),
            escaped(self.uuid),
            mark(self.mark),
            self.memory_mib,
            self.cpus,
            escaped(self.architecture),
        );
        out += &disk(self.pool, self.disk, "qcow2", "vda", "");
        if let Some(seed) = self.seed {
            out += &disk(self.pool, seed, "raw", "vdb", "<readonly/>");
        }
        for network in self.networks {
            let name = escaped(network);
            let _ = write!(
                out,
                "<interface type=\"network\"><source network=\"{name}\"/><model type=\"virtio\"/></interface>"
            );
        }
        let _ = write!(
            out,
            "<serial type=\"pty\"><log file=\"{}\" append=\"on\"/><target port=\"0\"/></serial>\
             <console type=\"pty\"><target type=\"serial\" port=\"0\"/></console>\
             <channel type=\"unix\"><target type=\"virtio\" name=\"org.qemu.guest_agent.0\"/></channel>\
             <rng model=\"virtio\"><backend model=\"random\">/dev/urandom</backend></rng>\
             </devices></domain>",
            escaped(self.console)
        );
        out
    }
}

fn disk(pool: &str, volume: &str, format: &str, target: &str, rest: &str) -> String {
    format!(
        "<disk type=\"volume\" device=\"disk\"><driver name=\"qemu\" type=\"{format}\"/>\
         <source pool=\"{}\" volume=\"{}\"/><target dev=\"{target}\" bus=\"virtio\"/>{rest}</disk>",
        escaped(pool),
        escaped(volume)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Mark, NewDomain, escaped, mark};
    use crate::{
        libvirt::domain::{Domain, document},
        ssh::CommandLine,
    };

    fn new<'a>(name: &'a str, networks: &'a [String], mark: &'a Mark) -> NewDomain<'a> {
        NewDomain {
            uuid: "u",
            name,
            kvm: true,
            architecture: "x86_64",
            cpus: 2,
            memory_mib: 512,
            pool: name,
            disk: "d",
            seed: Some("s"),
            networks,
            console: "/log",
            mark,
        }
    }

    proptest! {
        #[test]
        fn values_come_back_as_they_were(value in "[ -~äß€]{1,40}", tags in proptest::collection::vec("[!-~]{1,20}", 0..4)) {
            let all = Mark { image: Some("i".into()), seed: Some(("p".into(), value.trim().into())), created_at: None, tags };
            let networks = [value.clone()];
            let text = new(&value, &networks, &all).xml();
            let domain = Domain::parse(&text).unwrap();
            prop_assert_eq!(domain.name.as_str(), value.trim());
            prop_assert_eq!(domain.mark, all.clone());
            prop_assert_eq!((domain.cpus, domain.memory_bytes), (Some(2), Some(512 << 20)));
            prop_assert_eq!(domain.disks.len(), 2);
            prop_assert!(CommandLine::new("virsh").word(&mark(&all)).is_ok());
        }

        #[test]
        fn no_value_gets_out_of_its_element(value in any::<String>()) {
            let text = format!("<a b=\"{0}\">{0}</a>", escaped(&value));
            let document = document(&text).unwrap();
            prop_assert_eq!(document.root_element().children().filter(|child| child.is_element()).count(), 0);
        }
    }
}
