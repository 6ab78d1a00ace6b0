//! Clouds that misbehave: each fault ends in a clear state and message, and nobody else's lists wait for it.

use roadstead_api::{
    backend::{BackendState, NewBackend},
    id::ProviderId,
    machine::{MachineQuery, MachineState},
    machine_history::HappenedTo,
};
use roadstead_client::{Error, ErrorKind, blocking::Machine};
use roadstead_providers::sim::{
    FakeService, Fault,
    digitalocean::{Account, READ_ONLY, TOKEN},
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    machines::Cloud,
    support::{Server, wait_until},
};

fn backend(cloud: &FakeService<Account>, title: &str, token: &str) -> NewBackend {
    let fields = json!({"token": token, "endpoint": format!("http://{}", cloud.address())});
    NewBackend {
        provider: ProviderId("digitalocean".into()),
        title: title.into(),
        region: None,
        fields: serde_json::from_value(fields).unwrap(),
    }
}

fn named(server: &Server, name: &str) -> Option<Machine> {
    let query = MachineQuery { search: Some(name.into()), ..MachineQuery::default() };
    server.client.find_machines(query).unwrap().into_iter().find(|machine| machine.name == name)
}

fn problem(error: &Error) -> &str {
    error.problem().map_or("none", |problem| problem.kind.as_str())
}

#[test]
fn one_page_of_ten_that_fails_loses_no_machine() {
    let (server, runtime) = (Server::start(), Runtime::new().unwrap());
    let cloud = runtime.block_on(Account::with(40, 4)).unwrap();
    let mut backend = server.client.add_backend(&backend(&cloud, "large", TOKEN)).unwrap();
    assert_eq!(backend.machine_count, 40);
    let before = backend.refreshed_at;
    for fault in [Fault::Babbles, Fault::Truncates, Fault::Redirects, Fault::Busy(Some(3600))] {
        cloud.control().fail_next(6, Fault::None);
        cloud.control().fail_next(1, fault);
        backend.refresh().unwrap();
        assert_eq!(backend.state, BackendState::Offline, "{fault:?}");
        assert!(backend.reason.as_ref().is_some_and(|reason| reason.contains("DigitalOcean")), "{backend:?}");
        assert_eq!((backend.machine_count, backend.refreshed_at), (40, before), "{fault:?}");
        assert_eq!(server.client.machines().unwrap().len(), 40, "{fault:?}");
        // What is left of the fault is not for the next.
        cloud.control().set_fault(Fault::None);
    }
    // A page that fails for a moment is asked for again.
    cloud.control().fail_next(6, Fault::None);
    cloud.control().fail_next(2, Fault::Status(503));
    backend.refresh().unwrap();
    assert_eq!((backend.state, backend.reason.as_deref()), (BackendState::Online, None));
    assert!(backend.refreshed_at > before);
}

#[test]
fn an_id_that_is_listed_twice_is_one_machine() {
    let server = Server::start();
    let cloud = Cloud::start();
    let mut backend = cloud.add_to(&server);
    cloud.service.service().list_again("web-3");
    backend.refresh().unwrap();
    assert_eq!((backend.state, backend.machine_count), (BackendState::Online, 10));
    let names: Vec<_> =
        server.client.machines().unwrap().iter().map(|machine| machine.name.clone()).collect();
    assert_eq!(names.iter().filter(|name| *name == "web-3").count(), 1, "{names:?}");
}

#[test]
fn a_machine_that_vanishes_in_mid_action_is_told_and_goes() {
    let server = Server::start();
    let cloud = Cloud::start();
    cloud.add_to(&server);
    // Before the order arrives.
    let mut gone = named(&server, "web-3").unwrap();
    cloud.service.service().take_away("web-3");
    let error = gone.stop().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("DigitalOcean"), "{error}");
    wait_until("the list knows it, too", || named(&server, "web-3").is_none());
    assert_eq!(gone.history().unwrap()[0].what, HappenedTo::Vanish);

    // After it: whoever waits for its end is told that there is none.
    let mut going = named(&server, "web-4").unwrap();
    going.stop().unwrap();
    cloud.service.service().take_away("web-4");
    assert!(going.wait_for(MachineState::Stopped, |_| ()).unwrap().is_none());
    assert_eq!(going.reload().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn what_the_cloud_refuses_says_what_to_do() {
    let server = Server::start();
    let cloud = Cloud::start();
    let mut reader = server.client.add_backend(&backend(&cloud.service, "reader", READ_ONLY)).unwrap();
    assert_eq!(reader.state, BackendState::Online, "it may look");
    let mut machine = reader.machines().unwrap().remove(0);
    let error = machine.reboot().unwrap_err();
    assert_eq!(problem(&error), "missing_rights", "{error}");

    cloud.service.control().set_fault(Fault::Busy(Some(3600)));
    let error = machine.reboot().unwrap_err();
    assert_eq!(problem(&error), "rate_limited", "{error}");
    cloud.service.control().set_fault(Fault::Status(401));
    reader.refresh().unwrap();
    assert_eq!(reader.state, BackendState::Offline);
    assert_eq!(problem(&machine.reboot().unwrap_err()), "wrong_credentials");
    assert_eq!(server.client.machines().unwrap().len(), 10, "its machines are as they were");
}

#[test]
fn a_cloud_that_hangs_keeps_nobody_waiting() {
    let server = Server::start();
    let (hung, well) = (Cloud::start(), Cloud::start());
    let stuck = server.client.add_backend(&backend(&hung.service, "hung", TOKEN)).unwrap();
    let mut lively = server.client.add_backend(&backend(&well.service, "well", TOKEN)).unwrap();
    hung.service.control().set_fault(Fault::Silent);
    let asking = std::thread::spawn(move || {
        let mut stuck = stuck;
        stuck.refresh().map(|()| stuck.state)
    });
    wait_until("the hung one is being asked", || hung.service.control().calls() > 3);
    lively.refresh().unwrap();
    assert_eq!(lively.state, BackendState::Online);
    assert_eq!(server.client.machines().unwrap().len(), 20);
    assert!(!asking.is_finished(), "the other is still waited for");
    hung.service.control().set_fault(Fault::None);
    assert_eq!(asking.join().unwrap().unwrap(), BackendState::Offline);
}
