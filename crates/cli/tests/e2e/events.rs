//! The event stream: whoever watches is told of every change they may see, and of no other.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    process::Stdio,
};

use roadstead_api::{
    agent::AgentDisable,
    api_key::{ApiKeyCreate, NewApiKey},
    event::{Event, EventQuery},
    metric::MetricQuery,
    user::{NewUser, Role},
};
use roadstead_client::{
    Notice,
    blocking::{Client, Events},
};

use crate::support::{Agent, Server, roadstead, server::client, tree, wait_until};

const PASSWORD: &str = "correct horse battery";

/// Reads on to the first event that is wanted.
fn until(events: &mut Events, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
    for notice in events.by_ref() {
        match notice.unwrap_or_else(|error| panic!("waiting for {what}: {error}")) {
            Notice::Changed(event) if wanted(&event) => return event,
            _ => {}
        }
    }
    panic!("the stream has ended before {what}");
}

/// A client with a key of its own, as this user.
fn user(server: &Server, username: &str, role: Role) -> Client {
    let new = NewUser { username: username.to_owned(), password: PASSWORD.to_owned(), role };
    server.client.create_user(&new).unwrap();
    let (username, password) = (username.to_owned(), PASSWORD.to_owned());
    let own = roadstead_client::Credentials::Password { username, password };
    let own = Client::new(&server.url, own).unwrap();
    let key = own.call::<ApiKeyCreate>(&(), &(), &NewApiKey { name: "k".into() }).unwrap().secret;
    client(&server.url, &key, None)
}

#[test]
fn whoever_watches_a_machine_is_told_when_it_was_measured() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let mut events = server.client.find_events(EventQuery { noun: Some("agent".into()) }).unwrap();
    let watch = MetricQuery { watch: Some(true), ..MetricQuery::default() };
    server.client.get_agent(agent.id).unwrap().metrics(&watch).unwrap();
    let told = until(&mut events, "a measurement", |event| event.what == "measure");
    assert_eq!((told.noun.as_str(), told.id), ("agent", agent.id.to_string()));
    // A second sample within half a second of another is told, and not kept.
    let seen = server.client.get_agent(agent.id).unwrap();
    wait_until("a measurement is kept", || !seen.metrics(&watch).unwrap().points.is_empty());
}

#[test]
fn a_backup_is_seen_from_its_queue_to_its_end() {
    let server = Server::start();
    let mut events = server.client.events().unwrap();
    let agent = Agent::start(&server);
    until(&mut events, "the agent's link", |event| event.noun == "agent" && event.what == "connect");
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 20, 4 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let created = until(&mut events, "the configuration", |event| event.noun == "backup_configuration");
    assert_eq!((created.id, created.what.as_str()), (configuration.to_string(), "create"));

    let backup = agent.back_up(&server, configuration);
    let mut states = Vec::new();
    let mut progressed = false;
    while states.last().is_none_or(|state| state != "completed") {
        let event = until(&mut events, "the backup", |event| event.noun == "backup");
        assert_eq!(event.id, backup.id.to_string());
        progressed |= event.progress.is_some();
        let state = event.state.unwrap_or(event.what);
        if states.last() != Some(&state) {
            states.push(state);
        }
    }
    assert_eq!(states[..3], ["queued", "start_requested", "searching"], "{states:?}");
    assert!(progressed);
}

#[test]
fn each_sees_what_they_may_and_nobody_hears_of_others_keys() {
    let server = Server::start();
    let ann = user(&server, "ann", Role::Observer);
    let mut seen_by_ann = ann.events().unwrap();
    let mut seen_by_admin = server.client.events().unwrap();
    let agent = Agent::start(&server);
    server.client.create_api_key("of the admin").unwrap();
    let id = user(&server, "bob", Role::Creator).user().unwrap().id;
    server.call::<AgentDisable>(&agent.id, &());

    let gather = |events: &mut Events| {
        let mut nouns = Vec::new();
        loop {
            let event = until(events, "an agent disabled", |_| true);
            if event.what == "disable" {
                return nouns;
            }
            nouns.push((event.noun, event.what));
        }
    };
    let pair = |noun: &str, what: &str| (noun.to_owned(), what.to_owned());
    let (ann_saw, admin_saw) = (gather(&mut seen_by_ann), gather(&mut seen_by_admin));
    assert!(ann_saw.contains(&pair("agent", "enroll")) && ann_saw.contains(&pair("vault", "create")));
    assert!(ann_saw.iter().all(|(noun, _)| noun == "agent" || noun == "vault"), "{ann_saw:?}");
    assert!(admin_saw.contains(&pair("user", "create")), "{admin_saw:?}");
    let keys = admin_saw.iter().filter(|(noun, _)| noun == "api_key").count();
    assert_eq!(keys, 1, "bob's key is his own: {admin_saw:?}");

    server.client.delete_user(id).unwrap();
    server.client.delete_user(ann.user().unwrap().id).unwrap();
    let end = seen_by_ann.by_ref().find_map(Result::err).unwrap();
    assert_eq!(end.kind(), roadstead_client::ErrorKind::Unauthorized, "whoever is gone hears nothing more");
    assert!(seen_by_ann.next().is_none());
}

#[test]
fn a_stream_goes_on_where_it_broke_off_and_says_what_it_missed() {
    let mut server = Server::start();
    let mut events = server.client.find_events(EventQuery { noun: Some("api_key".into()) }).unwrap();
    let key = server.client.create_api_key("first").unwrap();
    assert_eq!(until(&mut events, "the key", |_| true).id, key.id.to_string());
    server.kill_and_restart();
    let missed = events.next().unwrap().unwrap();
    assert_eq!(missed, Notice::Resync);
    let key = server.client.create_api_key("second").unwrap();
    assert_eq!(until(&mut events, "the second key", |_| true).id, key.id.to_string());

    let error = server.client.find_events(EventQuery { noun: Some("No Noun".into()) }).err().unwrap();
    assert_eq!(error.problem().unwrap().status, 400);
}

/// Reads the stream as a browser would, from this place on.
fn read_raw(server: &Server, last: Option<&str>) -> BufReader<TcpStream> {
    use std::io::Write;
    let host = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
    let key = &server.api_key;
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n{last}\r\n"
    )
    .unwrap();
    BufReader::new(stream)
}

/// The next line that begins so, without its beginning.
fn line(stream: &mut BufReader<TcpStream>, start: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended before {start}");
        if let Some(rest) = line.trim_end().strip_prefix(start) {
            return rest.to_owned();
        }
    }
}

#[test]
fn a_browser_goes_on_by_its_last_event_and_a_stale_one_reads_again() {
    let server = Server::start();
    let mut stream = read_raw(&server, None);
    assert_eq!(line(&mut stream, "content-type: "), "text/event-stream");
    assert_eq!(line(&mut stream, "event: "), "ready");
    server.client.create_api_key("one").unwrap();
    let place = line(&mut stream, "id: ");
    assert_eq!(line(&mut stream, "event: "), "api_key.changed");
    drop(stream);
    let second = server.client.create_api_key("two").unwrap();

    let mut stream = read_raw(&server, Some(&place));
    assert_eq!(line(&mut stream, "event: "), "ready");
    assert_eq!(line(&mut stream, "event: "), "api_key.changed");
    let event: Event = serde_json::from_str(&line(&mut stream, "data: ")).unwrap();
    assert_eq!(event.id, second.id.to_string());
    for stale in ["x", "another-1", &"9".repeat(3000)] {
        assert_eq!(line(&mut read_raw(&server, Some(stale)), "event: "), "resync", "{stale:.20}");
    }
    // An open stream does not keep the server from ending.
    assert!(server.end());
    stream.read_to_string(&mut String::new()).unwrap();
}

#[test]
fn the_command_prints_a_line_for_each_event() {
    let server = Server::start();
    let mut command = roadstead();
    command.args(["events", "--noun", "api_key", "--limit", "2", "-o", "json"]);
    command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.api_key);
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    // Nobody says when the command listens: keys are made until it tells of one.
    let (told, heard) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let first = lines.next().unwrap().unwrap();
        told.send(()).unwrap();
        vec![first, lines.next().unwrap().unwrap()]
    });
    while heard.try_recv().is_err() {
        server.client.create_api_key("key").unwrap();
    }
    server.client.create_api_key("last").unwrap();
    for text in reading.join().unwrap() {
        let event: Event = serde_json::from_str(&text).unwrap();
        assert_eq!((event.noun.as_str(), event.what.as_str()), ("api_key", "create"));
    }
    assert!(process.wait().unwrap().success());
}

#[test]
fn what_happens_at_one_server_is_told_at_another() {
    let near = Server::start();
    let Some(far) = near.beside() else { return };
    let mut events = far.client.events().unwrap();
    let agent = Agent::start(&near);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 10, 1 << 20);
    let configuration = agent.configure(&near, &[source.path()], &[]);
    let backup = agent.back_up(&near, configuration);
    let done = |event: &Event| event.noun == "backup" && event.state.as_deref() == Some("completed");
    // A server that has just begun may have missed some; who is told so looks for himself.
    let ended = |notice| match notice {
        Notice::Changed(event) => done(&event) && event.id == backup.id.to_string(),
        Notice::Resync => {
            let seen = far.call::<roadstead_api::backup::BackupShow>(&backup.id, &());
            seen.state == roadstead_api::run::RunState::Completed
        }
    };
    while !ended(events.next().unwrap().unwrap()) {}
}
