//! Agents and the machines that they run on: what is only likely is left to people, what a backup says of its machine,
//! and what has happened to machines.

use std::process::Output;

use roadstead_api::{
    machine::{MachineQuery, MachineState},
    machine_history::HappenedTo,
};
use roadstead_client::ErrorKind;
use serde_json::{Value, json};

use crate::{
    machines::Cloud,
    support::{Agent, Server, roadstead, tree, wait_until},
};

fn command(server: &Server, arguments: &[&str]) -> Output {
    let mut command = roadstead();
    command.args(arguments).args(["-o", "json", "--url", &server.url]);
    command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
}

fn read(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(output: &Output) -> Vec<String> {
    let items = read(output)["items"].clone();
    items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_machine_is_attached_by_hand_and_protected_by_a_backup() {
    let server = Server::start();
    let cloud = Cloud::start();
    cloud.add_to(&server);
    let agent = Agent::start(&server);
    let id = agent.id.to_string();
    assert!(server.client.get_agent(agent.id).unwrap().machine_id.is_none(), "nothing is joined by guess");
    assert_eq!(names(&command(&server, &["machines", "list", "--unprotected"])).len(), 10);
    assert!(names(&command(&server, &["machines", "list", "--has-agent"])).is_empty());

    let attached = read(&command(&server, &["agents", "attach", &id, "web-3"]));
    let machine =
        server.client.find_machines(MachineQuery { search: Some("web-3".into()), ..MachineQuery::default() });
    let mut machine = machine.unwrap().remove(0);
    assert_eq!(attached["machine_id"], machine.id.0.as_str());
    assert_eq!((machine.agent_id, machine.protected), (Some(agent.id), false));
    assert_eq!(names(&command(&server, &["machines", "list", "--has-agent"])), ["web-3"]);
    let found = server.client.get_agent(agent.id).unwrap().machines().unwrap();
    assert_eq!((found.len(), found[0].attached, &found[0].machine_name), (1, true, &"web-3".to_owned()));

    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 1000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    machine.reload().unwrap();
    assert!(machine.protected && machine.last_good_backup_at.is_some(), "{:?}", machine.info());
    assert!(machine.last_good_backup_age_seconds.is_some_and(|age| (0..3600).contains(&age)));
    assert_eq!(names(&command(&server, &["machines", "list", "--protected"])), ["web-3"]);
    assert_eq!(names(&command(&server, &["machines", "list", "--unprotected"])).len(), 9);
    let counts = server.client.machine_counts().unwrap();
    assert_eq!((counts.machines, counts.unprotected), (10, 9));

    let mut seen = server.client.get_agent(agent.id).unwrap();
    assert!(seen.last_good_backup_at.is_some());
    seen.detach().unwrap();
    assert!(seen.machine_id.is_none());
    machine.reload().unwrap();
    assert_eq!((machine.agent_id, machine.protected), (None, false));
    let nowhere = seen.attach(&roadstead_api::id::MachineId("none".into())).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
    let told: Vec<String> = server.client.audit().unwrap().into_iter().map(|entry| entry.action).collect();
    assert!(told.contains(&"agent_machine_attach".into()) && told.contains(&"agent_machine_detach".into()));
}

#[test]
fn what_happens_to_a_machine_is_remembered_when_it_is_gone() {
    let server = Server::start();
    let cloud = Cloud::start();
    cloud.add_to(&server);
    let mut machine = server.client.machines().unwrap().remove(0);
    let first = machine.history().unwrap();
    assert_eq!((first.len(), first[0].what, first[0].state), (1, HappenedTo::Appear, MachineState::Running));
    machine.stop().unwrap();
    wait_until("the machine is stopped", || {
        machine.refresh().unwrap();
        machine.state == MachineState::Stopped
    });
    let seen = machine.history().unwrap();
    assert!(seen.len() >= 3 && seen[0].state == MachineState::Stopped, "{seen:?}");
    assert_eq!(seen.last(), first.last());
    machine.destroy().unwrap();
    let id = machine.id.0.clone();
    wait_until("the machine is gone", || {
        server.client.get_machine(&machine.id).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    });
    let gone = read(&command(&server, &["machines", "history", &id, "--limit", "1"]));
    assert_eq!(gone["items"][0]["what"], "vanish", "{gone}");
    assert_eq!(gone["items"][0]["machine_name"], json!(machine.name), "{gone}");
    let older =
        read(&command(&server, &["machines", "history", &id, "--cursor", gone["next"].as_str().unwrap()]));
    assert_eq!(older["items"].as_array().unwrap().last().unwrap()["what"], "appear", "{older}");
    assert_eq!(command(&server, &["machines", "history", "nothing"]).status.code(), Some(1));
}
