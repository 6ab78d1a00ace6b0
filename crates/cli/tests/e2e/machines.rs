//! Machines of a cloud that is not there: a fake of DigitalOcean on a real socket, with pages, delays and faults.

use roadstead_api::{
    backend::{BackendState, NewBackend},
    event::Event,
    id::ProviderId,
    job::JobState,
    machine::{MachineQuery, MachineState, NewContainer, NewMachine},
};
use roadstead_client::{
    ErrorKind, Notice,
    blocking::{Backend, Events, Machine},
};
use roadstead_providers::sim::{
    FakeService, Fault,
    digitalocean::{Account, TOKEN},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Server, wait_until};

/// The fake, and what keeps it running.
pub struct Cloud {
    pub service: FakeService<Account>,
    _runtime: Runtime,
}

impl Cloud {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let service = runtime.block_on(Account::start()).unwrap();
        Self { service, _runtime: runtime }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.service.address())
    }

    fn backend(&self, token: &str) -> NewBackend {
        let fields = json!({"token": token, "endpoint": self.endpoint()});
        NewBackend {
            provider: ProviderId("digitalocean".into()),
            title: "cloud".into(),
            region: None,
            fields: serde_json::from_value(fields).unwrap(),
        }
    }

    pub fn add_to(&self, server: &Server) -> Backend {
        server.client.add_backend(&self.backend(TOKEN)).unwrap()
    }
}

fn come_to(machine: &mut Machine, state: MachineState) {
    wait_until("the machine comes to rest", || {
        machine.refresh().unwrap();
        machine.state == state
    });
}

fn named(server: &Server, name: &str) -> Machine {
    let query = MachineQuery { search: Some(name.into()), ..MachineQuery::default() };
    server.client.find_machines(query).unwrap().into_iter().find(|machine| machine.name == name).unwrap()
}

#[test]
fn a_machine_s_whole_life() {
    let server = Server::start();
    let cloud = Cloud::start();
    let refused = server.client.add_backend(&cloud.backend("dop_v1_wrong")).unwrap_err();
    assert_eq!(refused.problem().unwrap().kind, "wrong_credentials");
    let backend = cloud.add_to(&server);
    assert_eq!((backend.machine_count, server.client.machines().unwrap().len()), (10, 10));
    assert!(!backend.images(None).unwrap().is_empty() && !backend.networks().unwrap().is_empty());
    let sizes = backend.sizes().unwrap();
    assert!(sizes.iter().any(|size| size.id == "s-1vcpu-1gb" && size.price.is_some()), "{sizes:?}");

    let new = NewMachine {
        backend_id: backend.id.clone(),
        name: "new".into(),
        image: "debian-12-x64".into(),
        size: "s-1vcpu-1gb".into(),
        location: Some("fra1".into()),
        networks: Vec::new(),
        key_id: None,
        cloud_init: Some("#cloud-config\npassword: hunter2\n".into()),
        quantity: Some(2),
        container: None,
    };
    let plan = server.client.plan_machine(&new).unwrap();
    assert_eq!(
        (plan.names.as_slice(), plan.cloud_init),
        (["new-1".to_owned(), "new-2".to_owned()].as_slice(), true)
    );
    assert!(plan.price.is_some_and(|price| price.per_hour > 0.0));
    for wrong in [
        NewMachine { size: "huge".into(), ..new.clone() },
        NewMachine { location: Some("moon".into()), ..new.clone() },
        NewMachine { networks: vec!["none".into()], ..new.clone() },
        NewMachine { quantity: Some(0), ..new.clone() },
        NewMachine { cloud_init: Some("x".repeat(70_000)), ..new.clone() },
        NewMachine { container: Some(NewContainer::default()), ..new.clone() },
    ] {
        assert_eq!(server.client.create_machine(&wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    assert!(cloud.service.service().orders.is_empty(), "nothing was ordered yet");
    let job = server.client.create_machine(&new).unwrap();
    let ended = server.client.wait_for_job(job.id, |_| ()).unwrap();
    assert_eq!((ended.state, ended.done, ended.total), (JobState::Completed, 2, 2), "{ended:?}");
    assert!(ended.log.len() >= 4 && ended.log[1].text.contains("new-1"), "{ended:?}");
    assert_eq!(cloud.service.service().orders.len(), 1);
    assert_eq!(cloud.service.service().orders[0]["user_data"], new.cloud_init.unwrap());

    let mut machine = server.client.get_machine(&ended.machine_ids[0]).unwrap();
    assert_eq!((machine.name.as_str(), machine.state), ("new-1", MachineState::Running));
    let id = machine.id.clone();
    machine.reboot().unwrap();
    come_to(&mut machine, MachineState::Running);
    machine.stop().unwrap();
    come_to(&mut machine, MachineState::Stopped);
    assert_eq!(machine.stop().unwrap_err().kind(), ErrorKind::Conflict, "it is down");
    machine.resize("s-2vcpu-2gb").unwrap();
    wait_until("it has its new size", || {
        machine.refresh().unwrap();
        machine.size.as_deref() == Some("s-2vcpu-2gb") && machine.can_start
    });
    machine.start().unwrap();
    come_to(&mut machine, MachineState::Running);
    machine.rename("renamed").unwrap();
    machine.tag(&["env", "web"]).unwrap();
    machine.untag(&["web"]).unwrap();
    machine.refresh().unwrap();
    assert_eq!((machine.name.as_str(), machine.tags.as_slice()), ("renamed", ["env".to_owned()].as_slice()));
    let tagged = MachineQuery { tag: Some("env".into()), ..MachineQuery::default() };
    assert_eq!(server.client.find_machines(tagged).unwrap().len(), 1);
    assert_eq!(machine.id, id, "it stays the same machine");
    machine.destroy().unwrap();
    wait_until("it is gone", || {
        machine.refresh().is_err_and(|error| error.kind() == ErrorKind::NotFound)
            || machine.state == MachineState::Terminated
    });
    let log = server.log();
    assert!(!log.contains("hunter2") && !log.contains(TOKEN), "{log}");
}

#[test]
fn a_cloud_that_fails_is_told_and_its_machines_stay() {
    let server = Server::start();
    let cloud = Cloud::start();
    let mut backend = cloud.add_to(&server);
    let before = backend.refreshed_at;
    for (fault, words) in [
        (Fault::Status(401), "authenticate"),
        (Fault::Status(500), ""),
        (Fault::Truncates, ""),
        (Fault::Slams, ""),
    ] {
        cloud.service.control().set_fault(fault);
        backend.refresh().unwrap();
        assert_eq!(backend.state, BackendState::Offline, "{fault:?}");
        assert!(
            backend.reason.as_deref().is_some_and(|reason| reason.contains(words)),
            "{:?}",
            backend.reason
        );
        assert_eq!((backend.machine_count, backend.refreshed_at), (10, before), "{fault:?}");
        assert_eq!(server.client.machines().unwrap().len(), 10);
    }
    // One page of three that goes wrong is no reason to forget what stood on it.
    cloud.service.control().set_fault(Fault::None);
    cloud.service.control().fail_next(1, Fault::Babbles);
    backend.refresh().unwrap();
    assert_eq!(server.client.machines().unwrap().len(), 10);
    backend.refresh().unwrap();
    assert_eq!((backend.state, backend.reason.as_deref()), (BackendState::Online, None));
    assert!(backend.refreshed_at > before);

    // An order that fails is not sent again.
    let new = NewMachine {
        backend_id: backend.id.clone(),
        name: "new".into(),
        image: "no-such-image".into(),
        size: "s-1vcpu-1gb".into(),
        location: None,
        networks: Vec::new(),
        key_id: None,
        cloud_init: None,
        quantity: None,
        container: None,
    };
    let job = server.client.create_machine(&new).unwrap();
    let ended = server.client.wait_for_job(job.id, |_| ()).unwrap();
    assert_eq!(ended.state, JobState::Failed);
    assert!(ended.reason.is_some_and(|reason| reason.contains("image")));
    assert_eq!(cloud.service.service().orders.len(), 1);
}

#[test]
fn the_command_line_orders_machines_and_hands_them_on() {
    let server = Server::start();
    let cloud = Cloud::start();
    let backend = cloud.add_to(&server);
    let order = ["machines", "create", "--backend", "cloud", "--name", "cli", "--image", "debian-12-x64"];
    let fleet = server.printed(&["keys", "add", "--name", "fleet", "--generate", "ed25519"]);
    let order = [&order[..], &["--size", "s-1vcpu-1gb", "--key", "fleet"]].concat();
    assert_eq!(server.run(&order).status.code(), Some(2), "it costs: it needs --yes");
    let plan = server.printed(&[&order[..], &["--dry-run"]].concat());
    assert_eq!((&plan["names"], &plan["key_id"]), (&json!(["cli"]), &fleet["id"]));
    assert!(cloud.service.service().orders.is_empty());
    let job = server.printed(&[&order[..], &["--yes", "--wait"]].concat());
    assert_eq!((&job["state"], &job["done"]), (&json!("completed"), &json!(1)));
    assert_eq!(server.printed(&["jobs", "list"])["items"][0]["id"], job["id"]);
    assert_eq!(server.printed(&["jobs", "list", "--state", "failed"])["items"], json!([]));
    assert_eq!(server.printed(&["jobs", "show", &job["id"].to_string()])["kind"], "machine_create");
    let machine = named(&server, "cli");
    assert_eq!(job["machine_ids"], json!([machine.id]));
    assert_eq!(server.printed(&["machines", "tag", "cli", "a", "b"])["tags"], json!(["a", "b"]));
    assert_eq!(server.printed(&["machines", "untag", "cli", "a"])["tags"], json!(["b"]));
    let stopped = server.printed(&["machines", "stop", &machine.id.0, "--wait"]);
    assert_eq!(stopped["state"], "stopped");

    let ansible = server.run(&["machines", "inventory", "--format", "ansible", "--tag", "b"]);
    let ansible: Value = serde_json::from_slice(&ansible.stdout).unwrap();
    assert_eq!(ansible["all"]["hosts"], json!(["cli"]));
    let ssh = server.run(&["machines", "inventory", "--format", "ssh-config"]);
    assert_eq!(String::from_utf8(ssh.stdout).unwrap().matches("\nHost ").count(), 11);
    let csv = server.run(&["machines", "list", "--all", "-o", "csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert_eq!((csv.lines().count(), csv.starts_with("id,name,state,")), (12, true), "{csv}");
    let sizes = server.printed(&["sizes", "list", "--backend", &backend.id.0, "--search", "2VCPU"]);
    assert!(
        sizes["items"].as_array().unwrap().iter().all(|size| size["id"].as_str().unwrap().contains("2vcpu"))
    );
    for noun in ["images", "locations", "networks"] {
        assert!(
            !server.printed(&[noun, "list", "--backend", "cloud"])["items"].as_array().unwrap().is_empty()
        );
    }
    let gone = server.printed(&["machines", "destroy", "cli", "--yes", "--wait"]);
    assert_eq!((&gone["state"], &gone["can_destroy"]), (&json!("terminated"), &json!(false)));
}

#[test]
fn what_happens_to_machines_is_told_to_those_who_watch() {
    let server = Server::start();
    let cloud = Cloud::start();
    let mut events = server.client.events().unwrap();
    cloud.add_to(&server);
    let mut seen = std::collections::HashSet::new();
    while seen.len() < 10 {
        let event = next_event(&mut events);
        if (event.noun.as_str(), event.what.as_str()) == ("machine", "appear") {
            assert!(event.state.is_some());
            seen.insert(event.id);
        }
    }
    let mut machine = named(&server, "web-1");
    machine.stop().unwrap();
    let stopped = std::iter::repeat_with(|| next_event(&mut events))
        .find(|event| event.id == machine.id.0 && event.state.as_deref() == Some("stopped"));
    assert_eq!(stopped.unwrap().what, "state");
}

fn next_event(events: &mut Events) -> Event {
    loop {
        if let Notice::Changed(event) = events.next().unwrap().unwrap() {
            return event;
        }
    }
}
