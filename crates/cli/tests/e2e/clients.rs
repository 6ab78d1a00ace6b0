//! The libraries of the services that this takes the place of, unmodified, each tell their whole story on this server.
//! `cargo xtask test --clients` runs them: Mist.io's where `PY27` names a Python 2.7 that has `mist` 1.2.1, Rackspace's where
//! `RCBU_DIR` names the folder that has `rcbu` 0.19.3. What they ask is replayed without them in `mist` and `rcbu_replay`.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use roadstead_api::{backend::NewBackend, id::ProviderId};
use roadstead_providers::sim::docker::{PASSWORD, SimEngine, USER};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    machines::Cloud,
    support::{Agent, Server, Sshd, sshd, tree},
};

const STORY: &str = include_str!("mist27.py");
const RCBU_STORY: &str = include_str!("rcbu_story.py");
/// Files that are backed up; one of them is excluded.
const FILES: u64 = 4;
/// Containers of the engine.
const CONTAINERS: usize = 3;

/// A stand-in for Amazon's EC2, on a port of its own.
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let program = std::env::var("ROADSTEAD_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process =
            command.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "true").env_remove("PYTHONPATH").spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            line.split_once("Running on http://").map(|(_, address)| address.trim().to_owned())
        });
        // It must never wait for somebody to read what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://{}", address.unwrap()) }
    }

    fn backend(&self) -> NewBackend {
        let fields = json!({"api_key": "AKIAIOSFODNN7EXAMPLE", "api_secret": "secret", "endpoint": self.url});
        let fields: BTreeMap<String, Value> = serde_json::from_value(fields).unwrap();
        let (provider, title) = (ProviderId("ec2".into()), "amazon".to_owned());
        NewBackend { provider, title, region: Some("ec2_eu_west".into()), fields }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn mistclient_tells_its_whole_story() {
    let Ok(python) = std::env::var("ROADSTEAD_PY27") else {
        eprintln!("skipped: ROADSTEAD_PY27 names no Python 2.7 with mistclient");
        return;
    };
    assert!(sshd::is_there());
    let server = Server::start();
    let (host, cloud, amazon) = (Sshd::start("127.0.0.61"), Cloud::start(), Moto::start());
    let runtime = Runtime::new().unwrap();
    let engine = runtime.block_on(SimEngine::start(CONTAINERS)).unwrap();
    cloud.add_to(&server);
    let ec2 = server.client.add_backend(&amazon.backend()).unwrap();
    let image = ec2.images(Some("ubuntu")).unwrap().remove(0);
    let admin = server.admin();
    let given = json!({
        "uri": format!("{}/mist", server.url), "email": admin["username"], "password": admin["password"],
        "host": {
            "ip": host.address().ip(), "port": host.address().port(), "user": sshd::user(), "key": host.key(),
        },
        "docker": {
            "host": engine.address().ip(), "port": engine.address().port(), "user": USER, "password": PASSWORD,
            "containers": CONTAINERS,
        },
        "clouds": {
            "cloud": {"image": "debian-12-x64", "size": "s-1vcpu-1gb", "search": "debian"},
            "amazon": {"image": image.id, "size": "t3.micro", "search": image.name},
        },
    });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("given.json"), given.to_string()).unwrap();
    fs::write(folder.path().join("story.py"), STORY).unwrap();
    let mut command = Command::new(python);
    let told = command.current_dir(folder.path()).args(["story.py", "given.json"]).output().unwrap();
    let text = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    assert!(told.status.success() && text.contains("the story is told"), "{text}");
}

#[test]
fn rcbu_tells_its_whole_story() {
    let (Ok(python), Ok(library)) = (std::env::var("ROADSTEAD_RCBU_PYTHON"), std::env::var("ROADSTEAD_RCBU"))
    else {
        eprintln!(
            "skipped: ROADSTEAD_RCBU names no folder of rcbu, and ROADSTEAD_RCBU_PYTHON no Python for it"
        );
        return;
    };
    let server = Server::start();
    let agent = Agent::start(&server);
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    tree::fill(&source, FILES, 50_000);
    fs::create_dir(&target).unwrap();
    let admin = server.admin();
    let given = json!({
        "identity": format!("{}/v2.0/tokens", server.url), "uri": server.url, "username": admin["username"],
        "password": admin["password"], "apikey": server.api_key, "agent": agent.id, "source": source,
        "target": target, "files": FILES,
    });
    fs::write(folder.path().join("given.json"), given.to_string()).unwrap();
    fs::write(folder.path().join("story.py"), RCBU_STORY).unwrap();
    let mut command = Command::new(python);
    command.current_dir(folder.path()).args(["story.py", "given.json"]).env("PYTHONPATH", library);
    let told = command.output().unwrap();
    let text = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    assert!(told.status.success() && text.contains("the story is told"), "{text}\n{}", server.log());
}
