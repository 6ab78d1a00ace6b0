//! The machines for other programs: a dynamic inventory for Ansible, a part of an SSH configuration.
//!
//! Names and tags come from clouds, where anybody may have chosen them. What goes into a file that another program
//! acts on is quoted by that file's rules, or reduced to letters that mean nothing there.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, ValueEnum};
use roadstead_client::api::machine::{Machine, MachineList};
use serde_json::{Value, json};

use super::FilterArgs;
use crate::{
    error::{Exit, Result},
    session::Session,
};

/// Which machines, and for whom.
#[derive(Args, Debug)]
pub struct InventoryArgs {
    /// For which program.
    #[arg(long, value_enum)]
    format: Program,
    /// Answer as Ansible asks: the whole inventory. It is what is printed anyway.
    #[arg(long, hide = true)]
    list: bool,
    #[command(flatten)]
    which: FilterArgs,
}

/// A program that takes an inventory.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Program {
    /// Ansible's dynamic inventory, in JSON.
    Ansible,
    /// A part of an SSH configuration.
    SshConfig,
}

/// Prints the machines that the filters leave, all of them.
pub async fn run(session: &Session, args: InventoryArgs) -> Result<Exit> {
    let query = args.which.query(session).await?;
    let machines = session.client.list_all::<MachineList, _>((), query).await?;
    match args.format {
        Program::Ansible => session.output.text(&format!("{:#}", ansible(&machines)))?,
        Program::SshConfig => session.output.text(&ssh_config(&machines))?,
    }
    Ok(Exit::Done)
}

/// The host names of machines: their names, with the end of the id where several have the same.
fn host_names(machines: &[Machine]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for machine in machines {
        *seen.entry(word(&machine.name)).or_default() += 1;
    }
    let name = |machine: &Machine| match word(&machine.name) {
        name if seen.get(&name) == Some(&1) && !name.is_empty() => name,
        name => format!("{name}-{}", machine.id),
    };
    machines.iter().map(name).collect()
}

/// A name as a word of letters, digits, `.`, `_` and `-` that does not begin with `-`.
fn word(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    text.chars().map(plain).collect::<String>().trim_start_matches('-').to_owned()
}

/// The address that is likely to be reached.
fn address(machine: &Machine) -> Option<String> {
    machine.public_ips.first().or(machine.private_ips.first()).map(ToString::to_string)
}

fn ssh_port(machine: &Machine) -> Option<u64> {
    machine.extra.get("ssh_port").and_then(Value::as_u64).filter(|&port| (1..=65_535).contains(&port))
}

fn ssh_user(machine: &Machine) -> Option<String> {
    let user = machine.extra.get("user").and_then(Value::as_str)?;
    (!user.is_empty() && word(user) == user).then(|| user.to_owned())
}

/// Ansible's dynamic inventory: hosts with their facts, and a group for each backend, state and tag.
fn ansible(machines: &[Machine]) -> Value {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (machine, host) in machines.iter().zip(host_names(machines)) {
        let group = |text: &str| word(text).replace(['-', '.'], "_");
        let mut names =
            vec![format!("backend_{}", group(&machine.backend_id.0)), format!("state_{}", machine.state)];
        names.extend(machine.tags.iter().map(|tag| format!("tag_{}", group(tag))));
        for name in names {
            groups.entry(name).or_default().insert(host.clone());
        }
        let mut facts = json!({
            "roadstead_id": machine.id, "roadstead_state": machine.state, "roadstead_tags": machine.tags,
            "roadstead_public_ips": machine.public_ips, "roadstead_private_ips": machine.private_ips,
        });
        if let Some(address) = address(machine) {
            facts["ansible_host"] = address.into();
        }
        if let Some(port) = ssh_port(machine) {
            facts["ansible_port"] = port.into();
        }
        if let Some(user) = ssh_user(machine) {
            facts["ansible_user"] = user.into();
        }
        // Ansible evaluates templates in variables, and names come from clouds: the name is left out for that.
        variables.insert(host, facts);
    }
    let hosts: Vec<_> = variables.keys().cloned().collect();
    let mut inventory = json!({ "_meta": { "hostvars": variables }, "all": { "hosts": hosts } });
    for (name, hosts) in groups {
        inventory[name] = json!({ "hosts": hosts });
    }
    inventory
}

/// A block for each machine that has an address.
fn ssh_config(machines: &[Machine]) -> String {
    let mut text = String::from("# Written by `roadstead machines inventory --format ssh-config`.\n");
    for (machine, host) in machines.iter().zip(host_names(machines)) {
        let Some(address) = address(machine) else { continue };
        text += &format!("\nHost {host}\n    HostName {address}\n");
        if let Some(port) = ssh_port(machine) {
            text += &format!("    Port {port}\n");
        }
        if let Some(user) = ssh_user(machine) {
            text += &format!("    User {user}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(id: &str, name: &str, tags: &[&str]) -> Machine {
        let json = json!({
            "id": id, "external_id": "i-1", "backend_id": "b-1", "name": name, "state": "running",
            "public_ips": ["203.0.113.7"], "private_ips": [], "image": null, "size": null, "location": null,
            "tags": tags, "can_start": false, "can_stop": true, "can_reboot": true, "can_destroy": true,
            "can_rename": true, "can_resize": true, "can_tag": true,
            "extra": { "ssh_port": 2222, "user": "root" }, "refreshed_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn names_cannot_break_out_of_a_file() {
        let machines = [machine("m1", "web\nProxyCommand rm", &[]), machine("m2", "-oX", &[])];
        let text = ssh_config(&machines);
        assert!(
            text.contains(
                "Host web_ProxyCommand_rm\n    HostName 203.0.113.7\n    Port 2222\n    User root\n"
            )
        );
        assert!(text.contains("Host oX\n"), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("ProxyCommand")), "{text}");
    }

    #[test]
    fn ansible_finds_groups_and_addresses_and_doubles_are_told_apart() {
        let machines =
            [machine("m1", "web", &["env=prod"]), machine("m2", "web", &[]), machine("m3", "db", &[])];
        let inventory = ansible(&machines);
        assert_eq!(inventory["_meta"]["hostvars"]["db"]["ansible_host"], "203.0.113.7");
        assert_eq!(inventory["_meta"]["hostvars"]["db"]["ansible_port"], 2222);
        assert_eq!(inventory["tag_env_prod"]["hosts"], json!(["web-m1"]));
        assert_eq!(inventory["backend_b_1"]["hosts"], json!(["db", "web-m1", "web-m2"]));
        assert_eq!(inventory["state_running"]["hosts"].as_array().unwrap().len(), 3);
    }
}
