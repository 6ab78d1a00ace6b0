//! A machine is made anew from a backup: a container of a fake engine, behind whose published port is a real SSH host.

use std::{fs, path::Path, process::Command};

use roadstead_api::{
    backend::NewBackend,
    id::{BackupId, ProviderId},
    job::JobState,
    key::NewKey,
    machine::{NewContainer, NewMachine},
    rebuild::NewRebuild,
};
use roadstead_client::ErrorKind;
use roadstead_providers::sim::docker::{PASSWORD, SimEngine, USER};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Agent, Sshd, kill_9, program, roadstead, sshd};

fn backend(engine: &SimEngine) -> NewBackend {
    let fields = json!({"docker_host": format!("tcp://{}", engine.address()), "auth_user": USER,
        "auth_password": PASSWORD});
    NewBackend {
        provider: ProviderId("docker".into()),
        title: "ships".into(),
        region: None,
        fields: serde_json::from_value(fields).unwrap(),
    }
}

/// Ends the agent that was put in this folder.
struct Ends<'a>(&'a Path);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.0.join("agent/agent.pid")).ok();
        if let Some(pid) = pid.and_then(|pid| pid.trim().parse().ok()) {
            kill_9(pid);
        }
    }
}

#[test]
fn a_backup_is_restored_onto_a_machine_that_is_made_for_it() {
    if !sshd::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, target, place) =
        (folder.path().join("source"), folder.path().join("target"), folder.path().join("place"));
    fs::create_dir_all(source.join("deep")).unwrap();
    fs::write(source.join("deep/file"), "what was kept").unwrap();
    let server = program::server(folder.path());
    let agent = Agent::start(&server);
    let configuration = agent.configure(&server, &[&source], &[]);
    let backup = agent.back_up(&server, configuration);

    let (runtime, host) = (Runtime::new().unwrap(), Sshd::start("127.0.0.1"));
    let engine = runtime.block_on(SimEngine::start(1)).unwrap();
    server.client.add_backend(&backend(&engine)).unwrap();
    let key = server.client.add_key(&NewKey::uploaded("fleet", &host.key(), None)).unwrap();
    let publish = format!("{}:22", host.address().port());
    let ends = Ends(&place);
    let rebuild = |more: &[&str]| {
        let mut command = roadstead();
        command.args(["machines", "rebuild", "--from-backup", &backup.id.to_string(), "--backend", "ships"]);
        command.args(["--name", "web", "--image", "registry.example/web:2", "--size", "default"]);
        command.args([
            "--key",
            &key.id.0,
            "--publish",
            &publish,
            "--user",
            &sshd::user(),
            "--url",
            &server.url,
            "-o",
            "json",
        ]);
        command.arg("--folder").arg(&place).arg("--path").arg(&target).args(more);
        command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
    };
    let plan = rebuild(&["--dry-run"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!((&plan["backup_name"], &plan["machine"]["names"]), (&"test-1".into(), &json!(["web"])));
    assert!(plan["exclusions"].to_string().contains("/etc/machine-id"), "{plan}");
    assert_eq!(server.client.machines().unwrap().len(), 1, "nothing was ordered");

    let done = rebuild(&["--yes", "--wait", "--protect"]);
    assert!(done.status.success(), "{done:?}");
    let job: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(job["state"], "completed", "{job}");
    let kept = target.join(source.strip_prefix("/").unwrap()).join("deep/file");
    assert_eq!(fs::read_to_string(kept).unwrap(), "what was kept");
    let machine =
        server.client.machines().unwrap().into_iter().find(|machine| machine.name == "web").unwrap();
    assert_eq!(machine.agent_id.map(|id| id.0), job["agent_id"].as_i64());
    let restore = job["restore_id"].as_i64().unwrap();
    assert_eq!(server.client.find_restores(Default::default()).unwrap()[0].id().0, restore);
    let agents = server.client.agents().unwrap();
    let new = agents.iter().find(|agent| agent.name == "web").unwrap();
    assert_eq!(new.backup_configurations().unwrap().len(), 1);
    drop(ends);

    // What cannot be is refused before anything is ordered.
    let wanted = NewRebuild {
        machine: NewMachine {
            backend_id: machine.backend_id.clone(),
            name: "other".into(),
            image: "registry.example/web:2".into(),
            size: "default".into(),
            location: None,
            networks: Vec::new(),
            key_id: Some(key.id.clone()),
            cloud_init: None,
            quantity: None,
            container: Some(NewContainer::default()),
        },
        user: None,
        backup_id: backup.id,
        path: None,
        inclusions: Vec::new(),
        exclusions: None,
        folder: None,
        protect: false,
    };
    for (wrong, kind) in [
        (NewRebuild { backup_id: BackupId(999), ..wanted.clone() }, ErrorKind::NotFound),
        (NewRebuild { path: Some("here".into()), ..wanted.clone() }, ErrorKind::Invalid),
        (NewRebuild { user: Some("-x".into()), ..wanted.clone() }, ErrorKind::Invalid),
        (
            NewRebuild {
                machine: NewMachine { quantity: Some(2), ..wanted.machine.clone() },
                ..wanted.clone()
            },
            ErrorKind::Invalid,
        ),
    ] {
        assert_eq!(server.client.rebuild_machine(&wrong).unwrap_err().kind(), kind);
        assert_eq!(server.client.plan_rebuild(&wrong).unwrap_err().kind(), kind);
    }
    let jobs = server.client.find_jobs(Default::default()).unwrap();
    assert!(jobs.len() == 1 && jobs[0].state == JobState::Completed, "{jobs:?}");
    assert!(Command::new("test").arg("-e").arg(place.join("roadstead")).status().unwrap().success());
}
