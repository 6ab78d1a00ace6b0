//! Alarms: opened once, told to those who watch, closed when somebody has seen them; and fifty who want one token.

use std::sync::Barrier;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    agent::{AgentEnroll, Enrolment, EnrolmentTokenCreate, HostFacts, NewEnrolmentToken},
    alarm::{AlarmKind, AlarmQuery},
};
use roadstead_client::{Credentials, ErrorKind, Notice, blocking::Client};

use crate::support::{Agent, Server, roadstead, wait_until};

#[test]
fn a_cloned_agent_raises_one_alarm_until_it_is_acknowledged() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let mut events = server.client.events().unwrap();
    let clone = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(agent.folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), clone.path().join(entry.file_name())).unwrap();
        }
    }
    let second = Agent::resume(clone);
    wait_until("the alarm is there", || !server.client.alarms().unwrap().is_empty());
    let open = server.client.alarms().unwrap();
    assert_eq!(open.len(), 1, "{open:?}");
    let alarm = &open[0];
    assert_eq!((alarm.kind, alarm.noun_id.clone()), (AlarmKind::ClonedAgent, agent.id.to_string()));
    assert!(server.client.get_agent(agent.id).unwrap().connected, "the first one stays");
    let told = events.by_ref().find_map(|notice| match notice.unwrap() {
        Notice::Changed(event) if event.noun == "alarm" => Some(event),
        _ => None,
    });
    assert_eq!(told.unwrap().state.as_deref(), Some("open"));
    drop(second);

    let mut command = roadstead();
    command.args(["alarms", "acknowledge", &alarm.id.to_string(), "-o", "json"]);
    command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.api_key);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let known = server.client.get_alarm(alarm.id).unwrap();
    assert_eq!(known.acknowledged_by.as_deref(), Some("admin"));
    assert!(known.closed_at.is_some());
    let closed = AlarmQuery { open: Some(false), ..AlarmQuery::default() };
    assert!(server.client.find_alarms(closed).unwrap().iter().any(|listed| listed.id == alarm.id));
}

/// A public key that nobody has the private one of: a modulus of random bits, odd and of full length.
fn public_key(number: u8) -> String {
    let head = hex::decode("30820122300d06092a864886f70d01010105000382010f003082010a0282010100").unwrap();
    let modulus = (0..256u32).map(|at| match at {
        0 => 0xc0,
        255 => 0x01,
        _ => (at as u8).wrapping_mul(37).wrapping_add(number),
    });
    let der: Vec<u8> = head.into_iter().chain(modulus).chain([2, 3, 1, 0, 1]).collect();
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

#[test]
fn of_fifty_who_use_one_token_at_once_one_is_enrolled() {
    const MANY: u8 = 50;
    let server = Server::start();
    let token = server.call::<EnrolmentTokenCreate>(&(), &NewEnrolmentToken::default()).token;
    let enrol = |number| {
        let client = Client::new(&server.url, Credentials::ApiKey("none".into())).unwrap();
        let enrolment = Enrolment {
            token: token.clone(),
            name: format!("agent {number}"),
            public_key: public_key(number),
            host: HostFacts::default(),
        };
        client.call::<AgentEnroll>(&(), &(), &enrolment)
    };
    let together = Barrier::new(usize::from(MANY));
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..MANY)
            .map(|number| {
                let (together, enrol) = (&together, &enrol);
                scope.spawn(move || {
                    together.wait();
                    (number, enrol(number))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.is_ok());
    assert_eq!(won.len(), 1, "{won:?}");
    for (_, answer) in &lost {
        assert_eq!(answer.as_ref().unwrap_err().kind(), ErrorKind::Forbidden, "{answer:?}");
    }
    let (winner, enrolled) = (won[0].0, won[0].1.as_ref().unwrap());
    let again = enrol(winner).unwrap();
    assert_eq!(
        (again.agent_id, &again.vault_id),
        (enrolled.agent_id, &enrolled.vault_id),
        "it may ask again"
    );
    assert_eq!(server.client.agents().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(server.folder().join("vaults")).unwrap().count(), 1);
}
