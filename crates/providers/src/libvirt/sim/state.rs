//! The machines of the fake hypervisor, and what virsh does with them.

use std::collections::BTreeMap;

use super::{
    failed,
    lines::{self, has, option},
    said,
};
use crate::{
    bare_metal::sim::Said,
    libvirt::{
        domain::{Domain, document, text},
        xml,
    },
};

/// Looks that a machine takes to go down.
const LOOKS_TO_GO_DOWN: u32 = 2;

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) stubborn: bool,
    pub(super) complaint: Option<&'static str>,
    pub(super) breaks_off: bool,
    /// The verb that fails, or the machine that nothing is told of.
    pub(super) mute: Option<String>,
    pub(super) calls: usize,
    pub(super) domains: BTreeMap<String, Machine>,
    pub(super) volumes: BTreeMap<(String, String), Volume>,
}

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) word: &'static str,
    domain: Domain,
    /// Looks until it is down.
    going_down: Option<u32>,
    address: u8,
}

/// A volume.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) format: String,
    pub(super) bytes: u64,
    pub(super) content: Vec<u8>,
}

impl State {
    /// A hypervisor with this many machines, every third of which is off, and two images.
    pub(super) fn new(machines: usize) -> Self {
        let mut state = Self {
            stubborn: false,
            complaint: None,
            breaks_off: false,
            mute: None,
            calls: 0,
            domains: BTreeMap::new(),
            volumes: BTreeMap::new(),
        };
        for (name, format, bytes) in [("debian 12.qcow2", "qcow2", 2 << 30), ("tiny.img", "raw", 1 << 20)] {
            let volume = Volume { format: format.into(), bytes, content: Vec::new() };
            state.volumes.insert(("images".into(), name.into()), volume);
        }
        for number in 0..machines {
            let xml = format!(
                "<domain><name>machine {number}</name><memory unit='MiB'>1024</memory><vcpu>1</vcpu><devices>\
                 <disk><source file='/pool/machine-{number}.img'/><target dev='vda'/></disk>\
                 <interface><mac address='52:54:00:00:00:01'/></interface></devices></domain>"
            );
            let domain = Domain::parse(&xml).unwrap_or_default();
            let word = if number % 3 == 2 { "shut off" } else { "running" };
            let address = u8::try_from(number % 250).unwrap_or_default();
            let id = format!("00000000-0000-4000-8000-{number:012x}");
            state.domains.insert(id, Machine { word, domain, going_down: None, address });
        }
        state
    }

    /// What a shell would answer to a command.
    pub(super) fn run(&mut self, command: &str, input: &[u8]) -> Option<Said> {
        if let Some(rest) = command.strip_prefix("tail -c ") {
            let file = rest.split(" -- ").nth(1)?;
            return Some(said(format!("a line of {file}\n")));
        }
        let commands = lines::commands(command)?;
        self.calls += 1;
        if let Some(complaint) = self.complaint {
            return Some(failed(complaint));
        }
        let mut whole = said("");
        for words in commands {
            let (verb, words) = words.split_first()?;
            let one = self.virsh(verb, words, input);
            whole.stdout += &one.stdout;
            whole.stderr += &one.stderr;
            whole.status = one.status;
        }
        if self.breaks_off {
            whole.stdout.truncate(whole.stdout.floor_char_boundary(whole.stdout.len() / 2));
        }
        Some(whole)
    }

    fn virsh(&mut self, verb: &str, words: &[String], input: &[u8]) -> Said {
        if self.mute.as_deref().is_some_and(|mute| mute == verb || option(words, "domain") == Some(mute)) {
            return failed("Disconnected from qemu:///system due to end of file");
        }
        match verb {
            "echo" => said(words.join(" ")),
            "hostname" => said("sim-hypervisor\n"),
            "nodeinfo" => said("CPU model:           x86_64\nCPU(s):              16\n"),
            "version" => said("Running hypervisor: QEMU 7.2.22\n"),
            "list" => said(self.domains.keys().map(|id| format!("{id}\n")).collect::<String>()),
            "define" => self.define(input),
            _ if verb.starts_with("pool-") || verb.starts_with("vol-") || verb.starts_with("net-") => {
                self.rooms(verb, words, input)
            }
            "domcapabilities" => {
                said("<domainCapabilities><domain>kvm</domain><arch>x86_64</arch></domainCapabilities>")
            }
            _ => match option(words, "domain").filter(|id| self.domains.contains_key(*id)).map(str::to_owned)
            {
                Some(id) => self.with(&id, verb, words),
                None => failed(format!("failed to get domain '{}'", option(words, "domain").unwrap_or("?"))),
            },
        }
    }

    fn define(&mut self, input: &[u8]) -> Said {
        let xml = String::from_utf8_lossy(input);
        let (Ok(domain), Ok(document)) = (Domain::parse(&xml), document(&xml)) else {
            return failed("bad XML");
        };
        let Some(id) = text(document.root_element(), "uuid") else { return failed("no uuid") };
        if self.domains.values().any(|machine| machine.domain.name == domain.name) {
            return failed(format!("operation failed: domain '{}' already exists with uuid x", domain.name));
        }
        self.domains.insert(id, Machine { word: "shut off", domain, going_down: None, address: 251 });
        said("")
    }

    fn with(&mut self, id: &str, verb: &str, words: &[String]) -> Said {
        let stubborn = self.stubborn;
        let taken: Vec<String> = self.domains.values().map(|machine| machine.domain.name.clone()).collect();
        let Some(machine) = self.domains.get_mut(id) else { return failed("failed to get domain") };
        let off = machine.word == "shut off";
        match (verb, off) {
            ("domstate", _) => said(machine.look(has(words, "--reason"))),
            ("dumpxml", _) => said(machine.xml(id)),
            ("domifaddr", false) if option(words, "source") == Some("lease") => said(machine.lease()),
            ("domifaddr", _) | ("snapshot-list", _) => said(""),
            ("start", true) => machine.turns("running"),
            ("start", false) => failed("Requested operation is not valid: domain is already running"),
            ("resume", false) => machine.turns("running"),
            ("shutdown", false) => {
                machine.going_down = (!stubborn).then_some(LOOKS_TO_GO_DOWN);
                said("")
            }
            ("reboot", false) => said(""),
            ("destroy", false) => machine.turns("shut off"),
            ("shutdown" | "reboot" | "destroy" | "resume", true) => {
                failed("Requested operation is not valid: domain is not running")
            }
            ("undefine", _) => self.undefine(id, words),
            ("domrename" | "setvcpus" | "setmaxmem" | "setmem", false) => {
                failed("Requested operation is not valid: domain is active")
            }
            ("domrename", true) => match option(words, "new-name") {
                Some(name) if taken.iter().any(|taken| taken == name) => {
                    failed(format!("operation failed: domain with name '{name}' already exists"))
                }
                name => {
                    machine.domain.name = name.unwrap_or_default().to_owned();
                    said("")
                }
            },
            ("setvcpus", true) => {
                machine.domain.cpus = option(words, "count").and_then(|count| count.parse().ok());
                said("")
            }
            ("setmaxmem" | "setmem", true) => {
                let kib =
                    option(words, "size").and_then(|size| size.strip_suffix("KiB")?.parse::<u64>().ok());
                machine.domain.memory_bytes = kib.map(|kib| kib << 10);
                said("")
            }
            ("metadata", _) if has(words, "--live") == off => failed("domain is not running"),
            ("metadata", _) => machine.mark(option(words, "set").unwrap_or_default()),
            _ => failed(format!("unknown command: '{verb}'")),
        }
    }

    fn undefine(&mut self, id: &str, words: &[String]) -> Said {
        let Some(machine) = self.domains.remove(id) else { return failed("failed to get domain") };
        for target in option(words, "storage").unwrap_or_default().split(',') {
            let disk = machine.domain.disks.iter().find(|disk| disk.target == target);
            if let Some((pool, volume)) = disk.and_then(|disk| disk.source.as_deref()?.split_once('/')) {
                self.volumes.remove(&(pool.to_owned(), volume.to_owned()));
            }
        }
        said("")
    }
}

impl Machine {
    fn turns(&mut self, word: &'static str) -> Said {
        self.word = word;
        self.going_down = None;
        said("")
    }

    fn look(&mut self, reason: bool) -> String {
        self.going_down = self.going_down.map(|looks| looks.saturating_sub(1));
        if self.going_down == Some(0) {
            self.turns("shut off");
        }
        format!("{}{}\n\n", self.word, if reason { " (unknown)" } else { "" })
    }

    fn lease(&self) -> String {
        format!(" vnet0      52:54:00:00:00:01    ipv4         192.168.122.{}/24\n", self.address)
    }

    fn mark(&mut self, set: &str) -> Said {
        let xml = format!("<domain><metadata>{set}</metadata></domain>");
        match Domain::parse(&xml) {
            Ok(domain) => {
                self.domain.mark = domain.mark;
                said("")
            }
            Err(error) => failed(error),
        }
    }

    fn xml(&self, id: &str) -> String {
        let domain = &self.domain;
        let disks: String = domain
            .disks
            .iter()
            .map(|disk| {
                let source = disk.source.as_deref().unwrap_or_default();
                let source = match source.split_once('/').filter(|(pool, _)| !pool.is_empty()) {
                    Some((pool, volume)) => format!("pool='{pool}' volume='{volume}'"),
                    None => format!("file='{source}'"),
                };
                let readonly = if disk.own { "" } else { "<readonly/>" };
                format!(
                    "<disk device='disk'><source {source}/><target dev='{}'/>{readonly}</disk>",
                    disk.target
                )
            })
            .collect();
        let log =
            domain.console.as_deref().map(|file| format!("<serial type='pty'><log file='{file}'/></serial>"));
        format!(
            "<domain type='kvm'><name>{}</name><uuid>{id}</uuid><metadata>{}</metadata>\
             <memory unit='b'>{}</memory><vcpu>{}</vcpu><devices>{disks}{}</devices></domain>",
            xml::escaped(&domain.name),
            xml::mark(&domain.mark),
            domain.memory_bytes.unwrap_or_default(),
            domain.cpus.unwrap_or_default(),
            log.unwrap_or_default(),
        )
    }
}
