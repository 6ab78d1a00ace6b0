//! Commands on machines: over real SSH servers with associated keys, and by a backend's own login.

use std::{
    fs,
    process::{Command as Process, Output, Stdio},
};

use roadstead_api::{
    command::{CommandOutputQuery, CommandQuery, CommandState, NewCommand, OutputStream},
    id::MachineId,
    key::{NewKey, NewKeyKind},
    key_machine::{AcceptedHostKey, NewKeyMachine},
    user::{NewUser, Role},
};
use roadstead_client::{
    Credentials, ErrorKind,
    blocking::{Client, Key},
};
use serde_json::Value;

use crate::support::{Server, Sshd, roadstead, sshd, wait_until};

const PASSWORD: &str = "correct horse battery";

/// A server with two hosts as machines, `web` and `db`.
struct Fleet {
    server: Server,
    hosts: [Sshd; 2],
    machines: [MachineId; 2],
}

impl Fleet {
    fn start(addresses: [&str; 2]) -> Option<Self> {
        if !sshd::is_there() {
            return None;
        }
        let server = Server::start();
        let hosts = addresses.map(Sshd::start);
        for (host, title) in hosts.iter().zip(["web", "db"]) {
            server.client.add_backend(&host.backend(title)).unwrap();
        }
        let machines = server.client.machines().unwrap();
        let id = |name: &str| machines.iter().find(|machine| machine.name == name).unwrap().id.clone();
        let machines = ["web", "db"].map(id);
        Some(Self { server, hosts, machines })
    }

    fn client(&self) -> &Client {
        &self.server.client
    }

    fn on_all(&self, script: &str) -> NewCommand {
        NewCommand { script: script.into(), machine_ids: self.machines.to_vec(), ..NewCommand::default() }
    }

    /// A key with which `web` is logged in to from now on.
    fn associated(&self) -> Key {
        let key = self.client().add_key(&NewKey::uploaded("fleet", &self.hosts[0].key(), None)).unwrap();
        let new = NewKeyMachine {
            machine_id: self.machines[0].clone(),
            user: Some(sshd::user()),
            port: Some(self.hosts[0].address().port()),
            host: None,
        };
        key.associate(&new).unwrap();
        key
    }

    fn cli(&self, arguments: &[&str]) -> Process {
        let mut command = roadstead();
        // What stands behind `--` is for the machine.
        command.args(["--url", &self.server.url]).args(arguments);
        command.env("ROADSTEAD_API_KEY", &self.server.api_key).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.cli(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_command_runs_everywhere_and_is_seen_and_kept() {
    let Some(fleet) = Fleet::start(["127.0.0.41", "127.0.0.42"]) else { return };
    let (client, key) = (fleet.client(), fleet.associated());
    let command = client.run_command(&fleet.on_all("echo \"on $((20 + 1))\"; echo oops >&2")).unwrap();
    let mut heard = Vec::new();
    let ended = client
        .follow_command(command.id, |piece| {
            heard.push((piece.machine_id.clone(), piece.stream, piece.text.clone()));
        })
        .unwrap();
    assert_eq!((ended.state, ended.completed, ended.failed, ended.total), (CommandState::Completed, 2, 0, 2));
    for machine in &fleet.machines {
        for (stream, text) in [(OutputStream::Stdout, "on 21\n"), (OutputStream::Stderr, "oops\n")] {
            assert!(heard.contains(&(machine.clone(), stream, text.into())), "{heard:?}");
        }
    }
    let host_key = key.machines().unwrap()[0].host_key.clone();
    assert!(host_key.is_some_and(|key| key.starts_with("SHA256:")), "it is pinned by now");

    // What was printed is kept, and only some of it can be asked for.
    let only = CommandOutputQuery {
        machine_id: Some(fleet.machines[1].clone()),
        limit: Some(1),
        ..CommandOutputQuery::default()
    };
    let page = client.command_output(command.id, &only).unwrap();
    assert_eq!((page.items.len(), &page.items[0].machine_id), (1, &fleet.machines[1]));
    assert!(page.next.is_some());
    assert_eq!(client.find_commands(CommandQuery::default()).unwrap()[0].script, ended.script);

    // A status is told, and a script may be of any kind.
    let failed = client.run_command(&fleet.on_all("exit 7")).unwrap();
    assert_eq!(client.follow_command(failed.id, |_| ()).unwrap().state, CommandState::Failed);
    let machines = client.command_machines(failed.id).unwrap();
    assert!(machines.iter().all(|machine| machine.exit_code == Some(7) && machine.reason.is_none()));
    assert_eq!(client.cancel_command(failed.id).unwrap_err().kind(), ErrorKind::Conflict);

    let audit = client.audit().unwrap();
    let told = |action: &str| audit.iter().filter(|entry| entry.action == action).count();
    assert_eq!(told("command_create"), 2);
    let database = fs::read(fleet.server.folder().join("roadstead.db")).unwrap_or_default();
    let holds = |needle: &[u8]| database.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"20 + 1") && !holds(b"on 21"), "scripts and output are sealed");
}

#[test]
fn the_command_line_shows_each_machine_s_lines() {
    let Some(fleet) = Fleet::start(["127.0.0.43", "127.0.0.44"]) else { return };
    let shown = fleet.run(&["run", "--search", "e", "-m", "db", "--", "echo", "a b", "$HOME"]);
    assert!(shown.status.success(), "{shown:?}");
    let mut lines: Vec<_> = text(&shown.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["db | a b $HOME", "web | a b $HOME"], "words stay as they are");

    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(&script, "#!/bin/sh -e\nprintf 'no end of line'\nfalse\necho never\n").unwrap();
    let path = script.path().display().to_string();
    let shown = fleet.run(&["run", "-m", "web", "--script", &path]);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert_eq!(text(&shown.stdout), "web | no end of line\n");
    assert!(text(&shown.stderr).contains("web: failed with status 1"), "{shown:?}");

    let shown = fleet.run(&["run", "-m", "web", "-o", "json", "--", "echo out; echo err >&2"]);
    let document: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let machine = &document["machines"][0];
    assert_eq!(
        (&machine["stdout"], &machine["stderr"], &machine["exit_code"]),
        (&"out\n".into(), &"err\n".into(), &0.into())
    );
    let log = fleet.run(&["commands", "log", &document["id"].to_string()]);
    assert_eq!(text(&log.stdout), "web | out\n");
    let dry = fleet.run(&["run", "--tag", "none", "-m", "db", "--dry-run", "-o", "json", "--", "reboot"]);
    let document: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(document["machines"].as_array().unwrap().len(), 1, "{document}");
    for wrong in
        [&["run", "-m", "web"][..], &["run", "--", "uptime"], &["run", "-m", "no-such", "--", "uptime"]]
    {
        assert!(!fleet.run(wrong).status.success(), "{wrong:?}");
    }
    let listed = fleet.run(&["commands", "list", "-o", "json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
}

#[test]
fn what_takes_too_long_is_ended_and_so_is_what_is_cancelled() {
    let Some(fleet) = Fleet::start(["127.0.0.45", "127.0.0.46"]) else { return };
    let client = fleet.client();
    let slow = NewCommand { timeout_seconds: Some(1), ..fleet.on_all("echo begun; sleep 600") };
    let command = client.run_command(&slow).unwrap();
    assert_eq!(client.follow_command(command.id, |_| ()).unwrap().state, CommandState::Failed);
    for machine in client.command_machines(command.id).unwrap() {
        assert_eq!(machine.state, CommandState::TimedOut, "{machine:?}");
        assert!(machine.exit_code.is_none_or(|code| code == 143), "{machine:?}");
    }

    // One at a time: the second machine never begins.
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let script = format!("echo x >>'{}'; sleep 600", mark.display());
    let one = NewCommand { parallel: Some(1), ..fleet.on_all(&script) };
    let command = client.run_command(&one).unwrap();
    wait_until("the first has begun", || mark.exists());
    client.cancel_command(command.id).unwrap();
    assert_eq!(client.follow_command(command.id, |_| ()).unwrap().state, CommandState::Cancelled);
    let machines = client.command_machines(command.id).unwrap();
    assert!(machines.iter().all(|machine| machine.state == CommandState::Cancelled), "{machines:?}");
    assert_eq!(fs::read_to_string(&mark).unwrap(), "x\n");
}

#[test]
fn a_changed_host_key_is_refused_until_it_is_accepted() {
    let Some(mut fleet) = Fleet::start(["127.0.0.47", "127.0.0.48"]) else { return };
    let key = fleet.associated();
    let web = fleet.machines[0].clone();
    let run = |fleet: &Fleet| {
        let new = NewCommand {
            script: "echo hello".into(),
            machine_ids: vec![web.clone()],
            ..NewCommand::default()
        };
        let command = fleet.client().run_command(&new).unwrap();
        let ended = fleet.client().follow_command(command.id, |_| ()).unwrap();
        (ended.state, fleet.client().command_machines(command.id).unwrap().remove(0).reason)
    };
    assert_eq!(run(&fleet), (CommandState::Completed, None));
    let before = key.machines().unwrap()[0].host_key.clone().unwrap();
    fleet.hosts[0].set_up_anew();
    let (state, reason) = run(&fleet);
    let reason = reason.unwrap();
    assert_eq!(state, CommandState::Failed);
    assert!(reason.contains(&before) && reason.contains("accept-host-key"), "{reason}");

    let other = AcceptedHostKey { fingerprint: Some(before.clone()) };
    let refused = key.accept_host_key(&web, &other).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let taken = fleet.run(&["keys", "accept-host-key", "fleet", "web", "-o", "json"]);
    let taken: Value = serde_json::from_slice(&taken.stdout).unwrap();
    assert!(taken["host_key"].as_str().is_some_and(|now| now != before), "{taken}");
    assert_eq!(run(&fleet), (CommandState::Completed, None));
}

#[test]
fn only_admins_run_commands_and_only_what_can_be_run() {
    let Some(fleet) = Fleet::start(["127.0.0.49", "127.0.0.50"]) else { return };
    let user = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    fleet.client().create_user(&user).unwrap();
    let credentials = Credentials::Password { username: "ann".into(), password: PASSWORD.into() };
    let creator = Client::new(&fleet.server.url, credentials).unwrap();
    assert_eq!(creator.run_command(&fleet.on_all("id")).unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(creator.find_commands(CommandQuery::default()).unwrap_err().kind(), ErrorKind::Forbidden);
    for wrong in [
        NewCommand { script: " ".into(), ..fleet.on_all("") },
        NewCommand { script: "x".repeat(70_000), ..fleet.on_all("") },
        NewCommand { parallel: Some(0), ..fleet.on_all("id") },
        NewCommand { timeout_seconds: Some(100_000), ..fleet.on_all("id") },
        NewCommand { script: "id".into(), tag: Some("none".into()), ..NewCommand::default() },
    ] {
        assert_eq!(fleet.client().run_command(&wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    let nowhere = NewCommand { machine_ids: vec![MachineId("none".into())], ..fleet.on_all("id") };
    assert_eq!(fleet.client().run_command(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn keys_are_put_on_machines_and_taken_from_them() {
    let Some(fleet) = Fleet::start(["127.0.0.66", "127.0.0.67"]) else { return };
    let (web, host) = (fleet.machines[0].clone(), &fleet.hosts[0]);
    let port = host.address().port().to_string();
    let associate = ["keys", "associate", "new", "web", "--user", &sshd::user(), "--port", &port];
    let made = NewKey::generated("new", NewKeyKind::Ed25519, None);
    let key = fleet.client().add_key(&made).unwrap();
    let told = fleet.run(&associate);
    assert!(told.status.success() && text(&told.stderr).contains("was put there"), "{told:?}");
    let blob = key.public_key.split_whitespace().nth(1).unwrap().to_owned();
    assert!(host.deployed_keys().contains(&blob), "{}", host.deployed_keys());
    let again = key.deploy(&web).unwrap();
    assert!(!again.changed && host.deployed_keys().lines().count() == 1, "{again:?}");

    // A key that is there alone is the only way in, and stays.
    host.forget_first_key();
    let error = key.withdraw(&web).unwrap_err();
    assert!(error.to_string().contains(&blob), "{error}");
    assert!(host.deployed_keys().contains(&blob));
    let other = fleet.client().add_key(&NewKey::generated("other", NewKeyKind::Ed25519, None)).unwrap();
    let new = NewKeyMachine {
        machine_id: web.clone(),
        user: Some(sshd::user()),
        port: Some(host.address().port()),
        host: None,
    };
    other.associate(&new).unwrap();
    assert!(other.deploy(&web).unwrap().way.contains("new"), "over the one that was there");
    let told = fleet.run(&["keys", "disassociate", "new", "web"]);
    assert!(told.status.success() && text(&told.stderr).contains("does not let the key in"), "{told:?}");
    let left = host.deployed_keys();
    assert!(!left.contains(&blob) && left.lines().count() == 1, "{left}");
    let audit = fleet.client().audit().unwrap();
    let told = |action: &str| audit.iter().filter(|entry| entry.action == action).count();
    assert_eq!((told("key_machine_deploy"), told("key_machine_withdraw")), (2, 1));
}
