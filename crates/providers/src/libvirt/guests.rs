//! The machines of a hypervisor, asked for in as few calls as can be: one for the list, one for each forty machines, and
//! one more for the addresses that agents in them know.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{
    domain::Domain,
    inventory::{is_uuid, uuids},
    virsh::{Virsh, answers, marked},
};
use crate::{
    error::{Error, ErrorKind, Result},
    machine::SeenMachine,
};

/// Machines in one call.
const BATCH: usize = 40;
/// The most addresses and snapshots of a machine.
const MAX_LIST: usize = 256;

/// One machine, as far as it has answered.
#[derive(Default)]
struct Guest<'a> {
    state: &'a str,
    xml: &'a str,
    addresses: Vec<IpAddr>,
    snapshots: Vec<String>,
}

/// The ids of all machines, and what the hypervisor says of itself.
pub(super) async fn ids_and_facts(virsh: &Virsh) -> Result<(Vec<String>, Vec<(String, String)>)> {
    let questions = [
        marked("ids"),
        "list --all --uuid".to_owned(),
        marked("hostname"),
        "hostname".to_owned(),
        marked("node"),
        "nodeinfo".to_owned(),
        marked("version"),
        "version".to_owned(),
    ];
    let text = virsh.ask(&questions).await?;
    let (mut ids, mut facts) = (Vec::new(), Vec::new());
    for (name, answer) in answers(&text) {
        match name {
            "ids" => ids = uuids(answer),
            "hostname" => facts.extend(plain(answer).map(|name| ("hostname".to_owned(), name))),
            _ => facts.extend(answer.lines().filter_map(fact)),
        }
    }
    if ids.is_empty() {
        // None, or a question that failed.
        ids = listed(virsh).await?;
    }
    Ok((ids, facts))
}

/// The ids of all machines; an error where they cannot be told.
async fn listed(virsh: &Virsh) -> Result<Vec<String>> {
    Ok(uuids(&virsh.run(&["list", "--all", "--uuid"]).await?))
}

/// A line of `nodeinfo` or `version` that is worth showing.
fn fact(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let name = match name.trim() {
        "CPU model" => "cpu_model",
        "CPU(s)" => "cpus",
        "Memory size" => "memory",
        "Running hypervisor" => "hypervisor",
        "Using library" => "libvirt",
        _ => return None,
    };
    Some((name.to_owned(), plain(value)?))
}

/// The first line of a text, fit to be shown.
fn plain(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?;
    let line: String = line.trim().chars().filter(|character| !character.is_control()).take(200).collect();
    (!line.is_empty()).then_some(line)
}

/// The machines with these ids, in this order. One that went away meanwhile is left out; that of one nothing is told
/// which is still there is an error.
pub(super) async fn seen(virsh: &Virsh, ids: &[String]) -> Result<Vec<SeenMachine>> {
    let mut machines = Vec::with_capacity(ids.len());
    let mut untold = Vec::new();
    for ids in ids.chunks(BATCH) {
        let text = virsh.ask(&questions(ids)).await?;
        let mut guests = read(&text);
        let with_agent: Vec<&str> =
            guests.iter().filter(|(_, guest)| has_agent(guest)).map(|(id, _)| *id).collect();
        let told = by_agents(virsh, &with_agent).await?;
        for id in ids {
            let told_of = |guest: &Guest<'_>| !guest.state.is_empty() || !guest.xml.is_empty();
            let Some(mut guest) = guests.remove(id.as_str()).filter(told_of) else {
                untold.push(id);
                continue;
            };
            guest.addresses.extend(told.get(id).into_iter().flatten());
            // What cannot be read is listed all the same.
            let domain = Domain::parse(guest.xml).unwrap_or_default();
            machines.push(domain.seen(id, guest.state, &guest.addresses, guest.snapshots));
        }
    }
    let there = if untold.is_empty() { Vec::new() } else { listed(virsh).await? };
    match untold.into_iter().find(|id| there.contains(id)) {
        Some(id) => {
            Err(Error::new(ErrorKind::Unreachable, format!("virsh lists {id} and tells nothing of it")))
        }
        None => Ok(machines),
    }
}

fn questions(ids: &[String]) -> Vec<String> {
    let mut questions = vec![marked("begin")];
    for id in ids {
        questions.extend([
            marked(&format!("state {id}")),
            format!("domstate --domain={id} --reason"),
            marked(&format!("xml {id}")),
            format!("dumpxml --domain={id}"),
            marked(&format!("addresses {id}")),
            format!("domifaddr --domain={id} --source=lease"),
            format!("domifaddr --domain={id} --source=arp"),
            marked(&format!("snapshots {id}")),
            format!("snapshot-list --domain={id} --name"),
        ]);
    }
    questions
}

fn read(text: &str) -> BTreeMap<&str, Guest<'_>> {
    let mut guests: BTreeMap<&str, Guest<'_>> = BTreeMap::new();
    for (name, answer) in answers(text) {
        let Some((what, id)) = name.split_once(' ').filter(|(_, id)| is_uuid(id)) else { continue };
        let guest = guests.entry(id).or_default();
        match what {
            "state" => guest.state = answer.lines().next().unwrap_or_default().trim(),
            "xml" => guest.xml = answer,
            "addresses" => guest.addresses = addresses(answer),
            "snapshots" => guest.snapshots = answer.lines().filter_map(plain).take(MAX_LIST).collect(),
            _ => {}
        }
    }
    guests
}

fn has_agent(guest: &Guest<'_>) -> bool {
    guest.state.starts_with("running") && Domain::parse(guest.xml).is_ok_and(|domain| domain.agent)
}

/// The addresses that agents know. Asked for apart, and only of those that answer, for one that hangs takes its time.
async fn by_agents(virsh: &Virsh, ids: &[&str]) -> Result<BTreeMap<String, Vec<IpAddr>>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut questions = vec![marked("begin")];
    for id in ids {
        questions.extend([marked(id), format!("domifaddr --domain={id} --source=agent")]);
    }
    let text = virsh.ask(&questions).await?;
    Ok(answers(&text).map(|(id, answer)| (id.to_owned(), addresses(answer))).collect())
}

/// The addresses in a table of `domifaddr`: the last word of a line, with its prefix. Loopback and link-local ones are
/// of no use to anybody else.
fn addresses(table: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in table.lines() {
        let word = line.split_whitespace().last().unwrap_or_default();
        let Some((address, prefix)) = word.split_once('/') else { continue };
        let (Ok(address), Ok(_)) = (address.parse::<IpAddr>(), prefix.parse::<u8>()) else { continue };
        let local = match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
        };
        if !local && !found.contains(&address) && found.len() < MAX_LIST {
            found.push(address);
        }
    }
    found
}

/// What machines have for disks of their own, by path and by `pool/volume`.
pub(super) async fn own_disks(virsh: &Virsh) -> Result<BTreeSet<String>> {
    let (ids, _) = ids_and_facts(virsh).await?;
    let mut own = BTreeSet::new();
    for ids in ids.chunks(BATCH) {
        let mut questions = vec![marked("begin")];
        for id in ids {
            questions.extend([marked(id), format!("dumpxml --domain={id}")]);
        }
        let text = virsh.ask(&questions).await?;
        let domains = answers(&text).filter_map(|(_, xml)| Domain::parse(xml).ok());
        own.extend(
            domains.flat_map(|domain| domain.disks).filter(|disk| disk.own).filter_map(|disk| disk.source),
        );
    }
    Ok(own)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{MAX_LIST, addresses, fact, read};

    const ID: &str = "6695eb01-f6a4-8304-79aa-97f2502e193f";

    #[test]
    fn answers_are_put_together_by_id() {
        let text = format!(
            "<<<begin><<<state {ID}>running (booted)\n\n<<<xml {ID}><domain><name>n</name></domain>\n\
             <<<addresses {ID}> Name MAC Protocol Address\n vnet0 52:54:00:00:00:01 ipv4 192.168.122.7/24\n \
             vnet0 52:54:00:00:00:01 ipv4 192.168.122.7/0\n lo 00:00 ipv4 127.0.0.1/8\n - - ipv6 fe80::1/64\n\
             <<<snapshots {ID}>one\ntwo words\n\n"
        );
        let guests = read(&text);
        let guest = &guests[ID];
        assert_eq!((guest.state, guest.snapshots.len()), ("running (booted)", 2));
        assert_eq!(guest.addresses, ["192.168.122.7".parse::<std::net::IpAddr>().unwrap()]);
        assert_eq!(fact("CPU(s):              16").unwrap(), ("cpus".to_owned(), "16".to_owned()));
        assert_eq!(fact("NUMA cell(s):        2"), None);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall_over(text in any::<String>(), lines in proptest::collection::vec("[0-9a-f.:/ ]{0,30}", 0..400)) {
            let _ = read(&format!("<<<state {ID}>{text}<<<{text}"));
            prop_assert!(addresses(&lines.join("\n")).len() <= MAX_LIST);
            let _ = fact(&text);
        }
    }
}
