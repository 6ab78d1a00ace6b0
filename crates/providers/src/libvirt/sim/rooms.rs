//! Pools, volumes and networks of the fake hypervisor.

use super::{
    failed,
    lines::{has, option},
    said,
    state::{State, Volume},
};
use crate::{
    bare_metal::sim::Said,
    libvirt::domain::{bytes, child, document, text},
};

/// The pools: one of files, one of something else.
const POOLS: [(&str, &str, &str); 2] = [
    ("images", "dir", "11111111-1111-4111-8111-111111111111"),
    ("lvm", "logical", "22222222-2222-4222-8222-222222222222"),
];
/// The networks: the usual one, and one that is down.
const NETWORKS: [(&str, &str, &str); 2] = [
    ("default", "192.168.122", "33333333-3333-4333-8333-333333333333"),
    ("lab", "10.9.8", "44444444-4444-4444-8444-444444444444"),
];

impl State {
    /// What virsh does with pools, volumes and networks.
    pub(super) fn rooms(&mut self, verb: &str, words: &[String], input: &[u8]) -> Said {
        let pool = option(words, "pool").unwrap_or_default().to_owned();
        match verb {
            "pool-list" => said(POOLS.map(|(_, _, id)| format!("{id}\n")).concat()),
            "pool-dumpxml" => match POOLS.iter().find(|(name, _, id)| *name == pool || *id == pool) {
                Some((name, kind, _)) => said(format!(
                    "<pool type='{kind}'><name>{name}</name><target><path>/pools/{name}</path></target></pool>"
                )),
                None => failed(format!("failed to get pool '{pool}'")),
            },
            "net-list" => {
                let shown = if has(words, "--all") { &NETWORKS[..] } else { &NETWORKS[..1] };
                let line = |(name, _, id): &(&str, &str, &str)| match has(words, "--name") {
                    true => format!("{name}\n"),
                    false => format!("{id}\n"),
                };
                said(shown.iter().map(line).collect::<String>())
            }
            "net-dumpxml" => match NETWORKS.iter().find(|(_, _, id)| option(words, "network") == Some(id)) {
                Some((name, net, id)) => said(format!(
                    "<network><name>{name}</name><uuid>{id}</uuid><forward mode='nat'/><bridge name='virbr0'/>\
                     <ip address='{net}.1' netmask='255.255.255.0'/></network>"
                )),
                None => failed("network not found"),
            },
            "vol-list" => said(self.listed(&pool)),
            _ => self.volume(verb, pool, words, input),
        }
    }

    fn listed(&self, pool: &str) -> String {
        let names = self.volumes.keys().filter(|(of, _)| of == pool);
        names.map(|(_, name)| format!(" {name:<20} /pools/{pool}/{name}\n")).collect()
    }

    fn volume(&mut self, verb: &str, pool: String, words: &[String], input: &[u8]) -> Said {
        let xml = String::from_utf8_lossy(input);
        let described = document(&xml).ok().filter(|_| verb == "vol-create");
        let given = option(words, "vol").or_else(|| option(words, "name")).map(str::to_owned);
        let named = described.as_ref().and_then(|xml| text(xml.root_element(), "name"));
        let name = given.or(named).unwrap_or_default();
        let key = (pool, name);
        match (verb, self.volumes.contains_key(&key)) {
            ("vol-create" | "vol-create-as", true) => {
                failed(format!("storage volume '{}' exists already", key.1))
            }
            ("vol-create", false) => {
                let capacity =
                    described.and_then(|xml| child(xml.root_element(), "capacity").and_then(bytes));
                let bytes = capacity.unwrap_or_default();
                self.volumes.insert(key, Volume { format: "qcow2".into(), bytes, content: input.to_vec() });
                said("")
            }
            ("vol-create-as", false) => {
                let bytes = option(words, "capacity").and_then(|size| size.strip_suffix('b')?.parse().ok());
                let format = option(words, "format").unwrap_or("raw").to_owned();
                self.volumes
                    .insert(key, Volume { format, bytes: bytes.unwrap_or_default(), content: Vec::new() });
                said("")
            }
            (_, false) => failed(format!("failed to get vol '{}'", key.1)),
            ("vol-delete", true) => {
                self.volumes.remove(&key);
                said("")
            }
            ("vol-upload", true) => {
                if let Some(volume) = self.volumes.get_mut(&key) {
                    volume.content = input.to_vec();
                }
                said("")
            }
            ("vol-dumpxml", true) => {
                said(self.volumes.get(&key).map(|volume| volume.xml(&key)).unwrap_or_default())
            }
            _ => failed(format!("unknown command: '{verb}'")),
        }
    }
}

impl Volume {
    fn xml(&self, (pool, name): &(String, String)) -> String {
        format!(
            "<volume><name>{name}</name><capacity unit='bytes'>{}</capacity><target>\
             <path>/pools/{pool}/{name}</path><format type='{}'/></target></volume>",
            self.bytes, self.format
        )
    }
}
