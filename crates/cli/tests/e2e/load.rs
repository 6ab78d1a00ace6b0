//! The server is killed again and again while many write: what it acknowledged is there afterwards.

use std::{
    collections::HashSet,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use crate::support::Server;

const ROUNDS: usize = 20;
const WRITERS: usize = 4;
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
