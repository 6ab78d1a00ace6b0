//! The server is killed again and again while many write: what it acknowledged is there afterwards.

use std::{
    collections::HashSet,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use ureq::http::StatusCode;

use crate::support::{Agent, Server};

const ROUNDS: usize = 20;
const WRITERS: usize = 4;
/// Agents that write to their vaults.
const AGENTS: usize = 5;
/// Writes that a round waits for before it kills the server.
const WRITES: usize = 25;

#[test]
fn twenty_kills_under_load_lose_no_acknowledged_row() {
    let mut server = Server::start();
    let mut acknowledged = HashSet::new();
    for round in 0..ROUNDS {
        let written = Mutex::new(Vec::new());
        let client = server.client.clone();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (client, written) = (&client, &written);
                scope.spawn(move || {
                    // Ends when the server is gone: the write in hand then was never acknowledged.
                    for number in 0.. {
                        let name = format!("{round} {writer} {number}");
                        let Ok(key) = client.create_api_key(&name) else { return };
                        written.lock().unwrap().push((key.id, name));
                    }
                });
            }
            let begun = Instant::now();
            while written.lock().unwrap().len() < WRITES {
                assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written in round {round}");
                thread::sleep(Duration::from_millis(1));
            }
            server.kill();
        });
        server.restart();
        acknowledged.extend(written.into_inner().unwrap());
        let listed: HashSet<_> =
            server.client.api_keys().unwrap().into_iter().map(|key| (key.id, key.name)).collect();
        let lost: Vec<_> = acknowledged.difference(&listed).collect();
        assert!(lost.is_empty(), "lost in round {round}: {lost:?}");
    }
    assert!(acknowledged.len() >= ROUNDS * WRITES);
}

/// A file of a vault as its agent reaches it.
struct Door {
    url: String,
    credential: String,
    agent: ureq::Agent,
}

impl Door {
    fn new(server: &Server, agent: &Agent) -> Self {
        Self {
            url: format!("{}/vaults/{}/locks", server.url, agent.vault),
            credential: format!("Bearer {}", agent.credential()),
            agent: ureq::Agent::config_builder().http_status_as_error(false).build().into(),
        }
    }

    fn ask(&self, method: &str, name: &str, body: &[u8]) -> Option<StatusCode> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}/{name}", self.url));
        let request = request.header("authorization", &self.credential).body(body).unwrap();
        self.agent.run(request).ok().map(|reply| reply.status())
    }

    fn listed(&self) -> HashSet<String> {
        let request = self.agent.get(format!("{}/", self.url)).header("authorization", &self.credential);
        let text = request.call().unwrap().body_mut().read_to_string().unwrap();
        let names: Vec<String> = serde_json::from_str(&text).unwrap();
        names.into_iter().collect()
    }
}

/// The files are locks: of each the database keeps who made it, and that agent alone can take it away again.
#[test]
fn twenty_kills_while_five_agents_write_lose_no_acknowledged_file_nor_its_row() {
    let mut server = Server::start();
    let mut agents: Vec<_> = (0..AGENTS).map(|_| Agent::start(&server)).collect();
    let doors: Vec<_> = agents.iter().map(|agent| Door::new(&server, agent)).collect();
    // What a connected agent has no run for is taken away as a leftover.
    agents.iter_mut().for_each(|agent| assert!(agent.end()));
    let mut acknowledged = vec![Vec::new(); AGENTS];
    for round in 0..ROUNDS {
        let written = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (number, door) in doors.iter().enumerate() {
                let written = &written;
                scope.spawn(move || {
                    for count in 0.. {
                        let body = format!("{round} {number} {count}");
                        let name = hex::encode(Sha256::digest(&body));
                        // Ends when the server is gone: the write in hand then was never acknowledged.
                        let Some(StatusCode::OK) = door.ask("POST", &name, body.as_bytes()) else { return };
                        written.lock().unwrap().push((number, name));
                    }
                });
            }
            let begun = Instant::now();
            while written.lock().unwrap().len() < WRITES {
                assert!(begun.elapsed() < Duration::from_secs(60), "nothing is written in round {round}");
                thread::sleep(Duration::from_millis(1));
            }
            server.kill();
        });
        server.restart();
        for (number, name) in written.into_inner().unwrap() {
            acknowledged[number].push(name);
        }
        for (door, names) in doors.iter().zip(&acknowledged) {
            let listed = door.listed();
            assert!(names.iter().all(|name| listed.contains(name)), "a file is lost in round {round}");
        }
    }
    assert!(acknowledged.iter().map(Vec::len).sum::<usize>() >= ROUNDS * WRITES);
    for (door, names) in doors.iter().zip(&acknowledged) {
        for name in names.iter().step_by(5) {
            assert_eq!(
                door.ask("DELETE", name, b""),
                Some(StatusCode::OK),
                "the maker of a lock is forgotten"
            );
        }
    }
}
