//! Backends and their machines, on real SSH servers.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use roadstead_api::{
    backend::{BackendChange, BackendQuery, BackendState, NewBackend},
    id::{BackendId, ProviderId},
    key::NewKey,
    machine::{MachineQuery, MachineState},
};
use roadstead_client::{Error, ErrorKind, blocking::Client};
use serde_json::{Value, json};

use crate::support::{Server, Sshd, sshd, wait_until};

fn titles(client: &Client, query: BackendQuery) -> Vec<String> {
    client.find_backends(query).unwrap().iter().map(|backend| backend.title.clone()).collect()
}

fn names(client: &Client, query: MachineQuery) -> Vec<String> {
    client.find_machines(query).unwrap().iter().map(|machine| machine.name.clone()).collect()
}

fn problem(error: &Error) -> &str {
    error.problem().map_or("none", |problem| problem.kind.as_str())
}

#[test]
fn hosts_are_added_listed_driven_and_deleted() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let client = &server.client;
    let hosts: Vec<_> = ["127.0.0.11", "127.0.0.12", "127.0.0.13"].map(Sshd::start).into();
    let mut backends: Vec<_> = hosts
        .iter()
        .zip(["web", "db", "Web 2"])
        .map(|(host, title)| client.add_backend(&host.backend(title)).unwrap())
        .collect();
    assert_eq!(backends[0].to_string(), format!("Backend => web, bare_metal, {}", backends[0].id));
    assert_eq!((backends[0].state, backends[0].machine_count), (BackendState::Online, 1));

    let query = BackendQuery::default();
    assert_eq!(titles(client, query.clone()), ["web", "db", "Web 2"]);
    assert_eq!(
        titles(client, BackendQuery { search: Some("WEB".into()), ..query.clone() }),
        ["web", "Web 2"]
    );
    assert_eq!(titles(client, BackendQuery { search: Some("%".into()), ..query.clone() }), [""; 0]);
    assert_eq!(titles(client, BackendQuery { name: Some("web".into()), ..query.clone() }), ["web"]);
    assert_eq!(titles(client, BackendQuery { id: Some(backends[1].id.clone()), ..query.clone() }), ["db"]);
    let none = BackendQuery { provider: Some(ProviderId("ec2".into())), ..query.clone() };
    assert_eq!(titles(client, none), [""; 0]);
    let first = BackendQuery { limit: Some(2), ..query };
    let page = client.call::<roadstead_api::backend::BackendList>(&(), &first, &()).unwrap();
    let rest = BackendQuery { cursor: page.next, ..first };
    let rest = client.call::<roadstead_api::backend::BackendList>(&(), &rest, &()).unwrap();
    assert_eq!((page.items.len(), rest.items.len(), rest.next), (2, 1, None));

    let machines = client.machines().unwrap();
    assert_eq!(machines.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["web", "db", "Web 2"]);
    let query = MachineQuery::default();
    assert_eq!(names(client, MachineQuery { search: Some("0.0.12".into()), ..query.clone() }), ["db"]);
    assert_eq!(names(client, MachineQuery { state: Some(MachineState::Stopped), ..query.clone() }), [""; 0]);
    assert_eq!(names(client, MachineQuery { tag: Some("x".into()), ..query }), [""; 0]);
    let mut machine = backends[0].machines().unwrap().remove(0);
    assert_eq!((machine.state, machine.can_reboot, machine.can_start), (MachineState::Running, true, false));
    let probe = machine.probe().unwrap();
    assert!(probe.uptime_seconds.is_some() && !probe.disks.is_empty(), "{probe:?}");
    machine.reboot().unwrap();
    assert_eq!(machine.state, MachineState::Rebooting);
    assert_eq!(machine.wait(|_| ()).unwrap().unwrap().state, MachineState::Running);
    assert_eq!((hosts[0].reboots(), hosts[1].reboots()), (1, 0));
    let refused = machine.destroy().unwrap_err();
    assert_eq!(problem(&refused), "unsupported");
    assert!(refused.to_string().contains("bare_metal"), "{refused}");
    assert_eq!(problem(&backends[0].images(None).unwrap_err()), "unsupported");

    let id = machine.id.clone();
    backends[0].rename("front").unwrap();
    assert_eq!(
        (backends[0].title.as_str(), client.get_machine(&id).unwrap().name.as_str()),
        ("front", "front")
    );
    backends[0].disable().unwrap();
    assert_eq!((backends[0].enabled, backends[0].state), (false, BackendState::Unknown));
    assert_eq!(machine.probe().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(backends[0].refresh().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(client.machines().unwrap().len(), 3, "its machine stays listed");
    backends[0].enable().unwrap();
    assert_eq!((backends[0].enabled, backends[0].state), (true, BackendState::Online));

    let gone = backends.remove(0);
    let gone_id = gone.id.clone();
    gone.delete().unwrap();
    assert_eq!(client.get_backend(&gone_id).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(client.get_machine(&id).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(names(client, MachineQuery::default()), ["db", "Web 2"]);
    client.add_backend(&hosts[0].backend("web")).unwrap();
    assert!(!std::fs::read_to_string(server.folder().join("server.log")).unwrap().contains("PRIVATE KEY"));
}

#[test]
fn what_cannot_be_reached_is_refused_and_nothing_is_stored() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let client = &server.client;
    let host = Sshd::start("127.0.0.14");
    let good = host.backend("host");
    let with = |field: &str, value: Value| {
        let mut new = good.clone();
        new.fields.insert(field.into(), value);
        new
    };
    let closed = TcpListener::bind("127.0.0.15:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.16:0").unwrap();
    let mut hanging = with("machine_ip", json!("127.0.0.16"));
    hanging.fields.insert("machine_port".into(), json!(silent.local_addr().unwrap().port()));
    let mut away = with("machine_ip", json!("127.0.0.15"));
    away.fields.insert("machine_port".into(), json!(closed.port()));
    let mut missing = good.clone();
    missing.fields.remove("machine_ip");
    for (new, kind, word) in [
        (with("machine_key", json!(host.other_key())), "wrong_credentials", "127.0.0.14"),
        (away, "unreachable", "127.0.0.15"),
        (hanging, "timeout", "127.0.0.16"),
        (with("machine_ip", json!("169.254.169.254")), "forbidden_address", "169.254.169.254"),
        (with("machine_key", json!("/root/.ssh/id_ed25519")), "invalid", "machine_key"),
        (with("colour", json!("red")), "invalid", "machine_ip"),
        (with("hostname", json!("twice")), "invalid", "twice"),
        (missing, "invalid", "machine_ip"),
        (NewBackend { title: " ".into(), ..good.clone() }, "invalid", "title"),
        (NewBackend { provider: ProviderId("abacus".into()), ..good.clone() }, "invalid", "abacus"),
    ] {
        let error = client.add_backend(&new).unwrap_err();
        assert_eq!(problem(&error), kind, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(client.backends().unwrap().is_empty() && client.machines().unwrap().is_empty());

    let kept = client.add_backend(&good).unwrap();
    let again = client.add_backend(&NewBackend { title: "other".into(), ..good.clone() }).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    // The same under other names, and with a default said aloud.
    let mut same = good.clone();
    let user = same.fields.remove("machine_user").unwrap();
    same.fields.insert("user".into(), user);
    same.fields.insert("jump_port".into(), json!("22"));
    assert_eq!(client.add_backend(&same).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(client.backends().unwrap().len(), 1);
    let log = server.log();
    assert!(!log.contains("PRIVATE KEY") && !log.contains("ERROR"), "{log}");
    kept.delete().unwrap();
    let key = client.add_key(&NewKey::uploaded("mine", &host.key(), None)).unwrap();
    let by_id = client.add_backend(&with("machine_key", json!(key.id))).unwrap();
    assert!(by_id.machines().unwrap()[0].probe().is_ok());
}

#[test]
fn a_host_that_is_set_up_anew_is_trusted_when_somebody_says_so() {
    if !sshd::is_there() {
        return;
    }
    let mut server = Server::start();
    let mut host = Sshd::start("127.0.0.17");
    let mut backend = server.client.add_backend(&host.backend("host")).unwrap();
    let machine = backend.machines().unwrap().remove(0);
    // The key is pinned on disk: a new process knows it, too.
    server.kill_and_restart();
    backend.reload().unwrap();
    machine.probe().unwrap();
    host.set_up_anew();
    let error = machine.probe().unwrap_err();
    assert_eq!(problem(&error), "host_key_changed", "{error}");
    let wrong = BackendChange {
        fields: [("machine_key".into(), json!(host.other_key()))].into(),
        forget_host_keys: true,
        ..BackendChange::default()
    };
    assert_eq!(problem(&backend.update(&wrong).unwrap_err()), "wrong_credentials");
    assert_eq!(problem(&machine.probe().unwrap_err()), "host_key_changed", "nothing was kept");
    backend.update(&BackendChange { forget_host_keys: true, ..BackendChange::default() }).unwrap();
    assert!(machine.probe().is_ok());
    host.stop();
    assert_eq!(problem(&machine.probe().unwrap_err()), "unreachable");
}

#[test]
fn a_host_that_is_away_keeps_nobody_waiting() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let client = &server.client;
    let (mut dead, well) = (Sshd::start("127.0.0.18"), Sshd::start("127.0.0.19"));
    let dead_backend = client.add_backend(&dead.backend("dead")).unwrap();
    client.add_backend(&well.backend("well")).unwrap();
    dead.stop();
    // Takes connections and says nothing.
    let _silent = TcpListener::bind(dead.address()).unwrap();
    let hung = std::thread::spawn({
        let machine = dead_backend.machines().unwrap().remove(0);
        move || machine.probe()
    });
    let begun = Instant::now();
    let query = MachineQuery { refresh: Some(true), ..MachineQuery::default() };
    let machines = client.find_machines(query).unwrap();
    assert_eq!(machines.len(), 2);
    assert!(machines[1].probe().is_ok());
    assert!(!hung.is_finished() || begun.elapsed() > Duration::from_secs(4));
    assert_eq!(problem(&hung.join().unwrap().unwrap_err()), "timeout");
}

#[test]
fn the_command_line_does_all_of_it() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let host = Sshd::start("127.0.0.20");
    let address = host.address();
    let ip = format!("machine_ip={}", address.ip());
    let port = format!("machine_port={}", address.port());
    let user = format!("machine_user={}", sshd::user());
    let key = format!("machine_key=@{}", host.key_file());
    let add = ["backends", "add", "--provider", "bare_metal", "--title", "one"];
    let sets = ["--set", &ip, "--set", &port, "--set", &user, "--set", &key];
    let added = server.printed(&[&add[..], &sets[..]].concat());
    let id = added["id"].as_str().unwrap();
    assert_eq!((&added["state"], &added["machine_count"]), (&json!("online"), &json!(1)));
    let twice = server.run(&[&add[..], &sets[..], &["-o", "json"]].concat());
    assert_eq!(twice.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&twice.stderr).unwrap();
    assert_eq!(told["type"], "conflict");
    assert_eq!(server.printed(&["backends", "list", "--search", "on"])["items"][0]["id"], id);
    assert_eq!(server.printed(&["backends", "list", "--name", "two"])["items"], json!([]));
    assert_eq!(server.printed(&["backends", "show", "one"])["id"], id);
    assert_eq!(server.printed(&["backends", "rename", id, "two"])["title"], "two");
    let machine = server.printed(&["machines", "list", "--backend", "two"])["items"][0].clone();
    assert_eq!((&machine["name"], &machine["external_id"]), (&json!("two"), &json!("127.0.0.20")));
    let machine = machine["id"].as_str().unwrap();
    assert!(server.printed(&["machines", "probe", "two"])["load"].is_array());
    assert_eq!(server.printed(&["machines", "reboot", machine, "--wait"])["state"], "running");
    assert_eq!(host.reboots(), 1);
    let refused = server.run(&["machines", "destroy", machine]);
    assert_eq!(refused.status.code(), Some(2), "it needs --yes");
    let refused = server.run(&["machines", "destroy", machine, "--yes"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("bare_metal"), "{refused:?}");
    assert_eq!(server.printed(&["backends", "disable", "two"])["enabled"], false);
    assert_eq!(server.run(&["backends", "refresh", "two"]).status.code(), Some(1));
    assert_eq!(server.printed(&["backends", "enable", "two"])["state"], "online");
    assert_eq!(server.printed(&["backends", "refresh", "two"])["state"], "online");
    assert!(server.run(&["images", "list", "--backend", "two"]).status.code() == Some(1));
    assert_eq!(server.run(&["backends", "delete", "two"]).status.code(), Some(2));
    server.printed(&["backends", "delete", "two", "--dry-run"]);
    assert!(server.run(&["backends", "delete", "two", "--yes"]).status.success());
    assert_eq!(server.printed(&["machines", "list"])["items"], json!([]));
}

#[test]
fn machines_are_asked_for_by_themselves_and_forgotten_with_nobody() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let host = Sshd::start("127.0.0.21");
    let mut backend = server.client.add_backend(&host.backend("host")).unwrap();
    let before = backend.refreshed_at.unwrap();
    // An order has it asked soon.
    backend.machines().unwrap().remove(0).reboot().unwrap();
    wait_until("the backend is asked by itself", || {
        backend.reload().unwrap();
        backend.refreshed_at.unwrap() > before
    });
    assert_eq!(
        server.client.get_backend(&BackendId("nobody".into())).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
