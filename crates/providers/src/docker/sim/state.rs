//! What the fake engine holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fault;

/// Images that the fake registry has, beside those that are there.
pub(super) const REGISTRY: [&str; 2] = ["registry.example/web:2", "busybox:latest"];

/// Everything.
#[derive(Debug)]
pub(super) struct State {
    pub(super) fault: Fault,
    pub(super) connections: usize,
    pub(super) restarts: usize,
    pub(super) pulls: usize,
    pub(super) images: Vec<String>,
    pub(super) containers: BTreeMap<String, Container>,
    made: usize,
}

/// One container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) order: Value,
}

impl State {
    /// An engine with this many containers, every third of which has ended.
    pub(super) fn new(containers: usize) -> Self {
        let mut state = Self {
            fault: Fault::None,
            connections: 0,
            restarts: 0,
            pulls: 0,
            images: vec!["alpine:3".into(), "nginx:1".into()],
            containers: BTreeMap::new(),
            made: 0,
        };
        for number in 0..containers {
            let id =
                state.make(format!("machine-{number}"), json!({"Image": "nginx:1", "Tty": number % 2 == 0}));
            state.set_state(&id, if number % 3 == 2 { "exited" } else { "running" });
        }
        state
    }

    /// Makes a container, and returns its id.
    pub(super) fn make(&mut self, name: String, order: Value) -> String {
        self.made += 1;
        let id = format!("{:064x}", self.made);
        self.containers.insert(id.clone(), Container { name, state: "created", order });
        id
    }

    /// Puts a container into a state.
    pub(super) fn set_state(&mut self, id: &str, word: &'static str) {
        if let Some(container) = self.containers.get_mut(id) {
            container.state = word;
        }
    }

    /// What a container was made with.
    pub(super) fn ordered(&self, id: &str) -> Option<Value> {
        self.containers.get(id).map(|container| container.order.clone())
    }

    /// The id of the container with this id or name.
    pub(super) fn find(&self, word: &str) -> Option<String> {
        let mut all = self.containers.iter();
        all.find(|(id, container)| *id == word || container.name == word).map(|(id, _)| id.clone())
    }
}

impl Container {
    /// As `GET /containers/json` shows it.
    pub(super) fn listed(&self, id: &str) -> Value {
        let runs = self.state == "running";
        // As the order has it, else any.
        let wanted = &self.order["HostConfig"]["PortBindings"]["22/tcp"][0]["HostPort"];
        let port = wanted.as_str().and_then(|port| port.parse().ok()).unwrap_or(49_153_u16);
        let ports = match runs {
            true => json!([{"IP": "0.0.0.0", "PrivatePort": 22, "PublicPort": port, "Type": "tcp"}]),
            false => json!([]),
        };
        json!({"Id": id, "Names": [format!("/{}", self.name)], "Image": self.order["Image"], "ImageID": "sha256:0",
            "Command": "sh", "Created": 1_700_000_000, "State": self.state, "Ports": ports,
            "Status": if runs { "Up 2 hours" } else { "Exited (0) 1 hour ago" },
            "Labels": self.order["Labels"], "HostConfig": {"NetworkMode": "default"},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": if runs { "172.17.0.2" } else { "" }}}}})
    }
}
