//! What the agent tells of its machine.
//!
//! The server finds the machine of a backend by it, so the ids are those that clouds and hypervisors give: cloud-init's,
//! the firmware's, a container engine's. All are read from files; no metadata service is asked.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use roadstead_api::agent::HostFacts;

/// How many addresses are told.
const MAX_ADDRESSES: usize = 64;
/// How many ids are told.
const MAX_IDS: usize = 16;
/// How long an id may be, in bytes.
const MAX_ID: usize = 100;
/// Files that hold an id and nothing else: cloud-init's, the firmware's as hypervisors fill them, systemd's.
const ID_FILES: [&str; 6] = [
    "/var/lib/cloud/data/instance-id",
    "/sys/class/dmi/id/product_uuid",
    "/sys/class/dmi/id/product_serial",
    "/sys/class/dmi/id/board_asset_tag",
    "/sys/class/dmi/id/chassis_asset_tag",
    "/etc/machine-id",
];
/// What firmware says where nobody filled it in, in small letters.
const FILLERS: [&str; 9] = [
    "none",
    "not specified",
    "to be filled by o.e.m.",
    "default string",
    "system serial number",
    "unknown",
    "no asset tag",
    "iid-datasource-none",
    "nocloud",
];

/// Looks at the machine. What cannot be learnt is left empty: no fact is worth a failure.
pub(crate) fn facts() -> HostFacts {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    HostFacts {
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        os: os_name(),
        arch: std::env::consts::ARCH.to_owned(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        addresses: addresses(&read("/proc/net/fib_trie"), &read("/proc/net/if_inet6")),
        instance_ids: instance_ids(ID_FILES.map(read).into_iter(), &read("/proc/self/mountinfo")),
    }
}

fn os_name() -> String {
    // The two places that os-release(5) names, in its order.
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .and_then(|text| pretty_name(&text))
        .unwrap_or_else(|| std::env::consts::OS.to_owned())
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
    let value = value.trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

/// The machine's addresses: of IPv4 the local ones of the routing table, which shows each before what it is.
fn addresses(fib_trie: &str, if_inet6: &str) -> Vec<IpAddr> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for line in fib_trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL" {
            found.extend(last.filter(|v4| !v4.is_loopback() && !v4.is_link_local()).map(IpAddr::V4));
        }
    }
    let of_v6 = |line: &str| u128::from_str_radix(line.split_whitespace().next()?, 16).ok();
    let v6 = if_inet6.lines().filter_map(of_v6).map(Ipv6Addr::from);
    found.extend(v6.filter(|v6| !v6.is_loopback() && !v6.is_unicast_link_local()).map(IpAddr::V6));
    found.into_iter().take(MAX_ADDRESSES).collect()
}

fn instance_ids(files: impl Iterator<Item = String>, mountinfo: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in files.chain(container_id(mountinfo)) {
        let id = id.trim().to_lowercase();
        let printable = id.bytes().all(|b| b.is_ascii_graphic());
        if (4..=MAX_ID).contains(&id.len())
            && printable
            && !FILLERS.contains(&id.as_str())
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids.truncate(MAX_IDS);
    ids
}

/// The id of the container that this is: engines mount `/etc/hostname` from a folder called by it.
fn container_id(mountinfo: &str) -> Option<String> {
    let line = mountinfo.lines().find(|line| line.split(' ').nth(4) == Some("/etc/hostname"))?;
    let root = line.split(' ').nth(3)?;
    let is_id = |part: &&str| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
    root.split('/').find(is_id).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{addresses, container_id, facts, instance_ids, pretty_name};

    #[test]
    fn the_pretty_name_is_found_quoted_or_not() {
        assert_eq!(pretty_name("NAME=x\nPRETTY_NAME=\"A B 12 (c)\"\n").as_deref(), Some("A B 12 (c)"));
        assert_eq!(pretty_name("PRETTY_NAME='One'").as_deref(), Some("One"));
        assert_eq!(pretty_name("PRETTY_NAME=Two").as_deref(), Some("Two"));
        assert_eq!(pretty_name("PRETTY_NAME=\"\"\nID=x"), None);
    }

    #[test]
    fn this_machine_has_a_name() {
        let facts = facts();
        assert!(!facts.hostname.is_empty() && !facts.os.is_empty() && !facts.arch.is_empty());
        assert!(facts.addresses.iter().all(|address| !address.is_loopback()), "{facts:?}");
    }

    #[test]
    fn addresses_are_the_hosts_own_and_neither_networks_nor_loopback() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n\
                    |-- 127.0.0.1\n              /32 host LOCAL\n     |-- 203.0.113.0\n       /24 link UNICAST\n\
                    |-- 203.0.113.7\n   /32 host LOCAL\n |-- 203.0.113.255\n   /32 link BROADCAST\n\
                    |-- 169.254.1.1\n /32 host LOCAL\n |-- 203.0.113.7\n   /32 host LOCAL\n";
        let v6 = "20010db8000000000000000000000007 04 40 00 82     eth0\n\
                  fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n\
                  00000000000000000000000000000001 01 80 10 80       lo\nnonsense\n";
        let found: Vec<String> = addresses(trie, v6).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["203.0.113.7", "2001:db8::7"]);
    }

    #[test]
    fn ids_are_told_once_and_fillers_not_at_all() {
        let files = [
            "i-0ABC123def4567890\n",
            "",
            "To be filled by O.E.M.",
            "none\n",
            "i-0abc123def4567890",
            "a b c d",
        ];
        let ids = instance_ids(files.into_iter().map(str::to_owned), "");
        assert_eq!(ids, ["i-0abc123def4567890"]);
        let long = vec!["x".repeat(200); 30].into_iter().enumerate().map(|(n, x)| format!("{n}{x}"));
        assert!(instance_ids(long, "").is_empty());
    }

    #[test]
    fn a_container_knows_its_id() {
        let id = "4f".repeat(32);
        let line = format!(
            "612 600 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
        );
        assert_eq!(container_id(&line), Some(id));
        assert_eq!(container_id("1 2 8:1 / / rw - ext4 /dev/sda1 rw\n"), None);
    }
}
