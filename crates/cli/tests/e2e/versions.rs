//! Agents of other versions than the server's: each side says what it speaks, and nobody is sent what they do not know.

use std::net::TcpStream;

use roadstead_api::{link::PROTOCOL, run::RunState};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket, client::IntoClientRequest};

use crate::support::{Agent, Server, tree};

/// An agent's link that says what the test wants.
struct Link(WebSocket<TcpStream>);

impl Link {
    fn open(server: &Server, credential: &str) -> Self {
        let host = server.url.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{host}/agent/v1/link").into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
        Self(tungstenite::client(request, TcpStream::connect(host).unwrap()).unwrap().0)
    }

    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message of the server.
    fn next(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

/// What an agent said of itself before it was known what it can do.
fn hello(protocol: u32) -> Value {
    let host = json!({ "hostname": "old", "os": "Debian", "arch": "x86_64", "agent_version": "0.0.1" });
    json!({ "message": "hello", "protocol": protocol, "host": host, "runs": [] })
}

#[test]
fn an_agent_of_another_version_is_told_and_sent_nothing_that_it_does_not_know() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let mut known = server.client.get_agent(agent.id).unwrap();
    let vault = known.encrypt("correct horse battery staple", None).unwrap().vault_id;
    agent.back_up_well(&server, configuration);
    assert!(agent.end());

    let mut newer = Link::open(&server, &agent.credential());
    newer.send(&hello(PROTOCOL + 1));
    let refused = newer.next();
    assert_eq!(refused["message"], "refused");
    assert!(refused["reason"].as_str().unwrap().contains("update the older one"), "{refused}");

    let mut older = Link::open(&server, &agent.credential());
    older.send(&hello(PROTOCOL));
    assert_eq!(older.next()["message"], "welcome");
    let check = server.client.start_check(&vault, false).unwrap().id;
    let check = server.client.wait_for_check(check, |_| ()).unwrap();
    assert_eq!(check.state, RunState::Failed, "{check:?}");
    assert!(check.reason.unwrap().contains("update the agent"));
    // What it does know, it is given.
    server.client.start_backup(configuration).unwrap();
    let start = std::iter::repeat_with(|| older.next()).find(|message| message["message"] == "start");
    assert_eq!(start.unwrap()["run"]["kind"], "backup");
}
