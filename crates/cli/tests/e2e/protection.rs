//! Machines that are protected: a real agent is put on a real SSH host by a job, and by the command that is printed for
//! machines that the server cannot log in to.
//!
//! The hosts are this machine, so each agent has a folder of its own; nothing beside it is touched.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use roadstead_api::{
    agent::VaultFate,
    backup_configuration::BackupConfigurationQuery,
    job::{Job, JobState},
    protection::{NewInstallation, NewProtection},
    retention::Retention,
    run::RunState,
};
use roadstead_client::{ErrorKind, blocking::Machine};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Server, Sshd, kill_9, program::server, roadstead, sshd, wait_until};

/// A folder that an agent is put in. The agent ends with it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.tree()).unwrap();
        fs::write(place.tree().join("file"), "what is to be kept").unwrap();
        place
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    fn folder(&self) -> String {
        self.0.path().join("it's here").display().to_string()
    }

    fn pid(&self) -> Option<i32> {
        fs::read_to_string(Path::new(&self.folder()).join("agent/agent.pid")).ok()?.trim().parse().ok()
    }

    /// What a machine is protected with that is in fact this folder.
    fn protection(&self) -> NewProtection {
        NewProtection {
            inclusions: vec![self.tree().display().to_string()],
            folder: Some(self.folder()),
            start: true,
            ..NewProtection::default()
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            kill_9(pid);
        }
    }
}

fn said(job: &Job) -> String {
    job.log.iter().map(|line| format!("{}\n", line.text)).collect()
}

fn protected(server: &Server, machine: &Machine, new: &NewProtection) -> Job {
    let job = machine.protect(new).unwrap();
    let job = server.client.wait_for_job(job.id, |_| ()).unwrap();
    assert_eq!(job.state, JobState::Completed, "{:?}\n{}", job.reason, said(&job));
    assert_eq!((job.done, job.machine_ids.as_slice()), (1, std::slice::from_ref(&machine.id)));
    job
}

#[test]
fn a_machine_is_protected_by_one_job_however_often() {
    if !sshd::is_there() {
        return;
    }
    let (folder, place) = (tempfile::tempdir().unwrap(), Place::new());
    let (server, host) = (server(folder.path()), Sshd::start("127.0.0.61"));
    server.client.add_backend(&host.backend("web")).unwrap();
    let mut machine = server.client.machines().unwrap().remove(0);
    let new = NewProtection {
        retention: Some(Retention { keep_last: Some(3), ..Retention::default() }),
        ..place.protection()
    };
    let plan = machine.plan_protection(&new).unwrap();
    assert_eq!((plan.agent_id, &plan.inclusions), (None, &new.inclusions));
    assert!(plan.way.contains("web") && plan.program_bytes > 1_000_000, "{plan:?}");

    let job = protected(&server, &machine, &new);
    assert!(said(&job).contains("Sending the program"), "{}", said(&job));
    let backup = server.client.get_backup(job.backup_id.unwrap()).unwrap();
    let backup = backup.wait(|_| ()).unwrap();
    assert_eq!(backup.state, RunState::Completed, "{backup:?}");
    machine.reload().unwrap();
    assert!(machine.protected && machine.agent_id == job.agent_id && job.agent_id.is_some());
    let agent = server.client.get_agent(job.agent_id.unwrap()).unwrap();
    assert!(agent.connected && agent.name == "web", "{agent:?}");

    // Once more: nothing is sent, made or started anew but the backup.
    let pid = place.pid();
    let again = protected(&server, &machine, &new);
    assert!(!said(&again).contains("Sending"), "{}", said(&again));
    assert_eq!((again.agent_id, place.pid()), (job.agent_id, pid));
    let of_agent = BackupConfigurationQuery { agent_id: job.agent_id, ..BackupConfigurationQuery::default() };
    let configurations = server.client.find_backup_configurations(of_agent).unwrap();
    assert_eq!(configurations.len(), 1);
    assert_eq!(configurations[0].retention.keep_last, Some(3));
    server.client.get_backup(again.backup_id.unwrap()).unwrap().wait(|_| ()).unwrap();

    // An agent that the server has deleted makes way for another.
    agent.delete(VaultFate::Delete).unwrap();
    let mut cli = roadstead();
    cli.args(["machines", "protect", "web", "--wait", "-o", "json", "--url", &server.url, "--folder"]);
    cli.arg(place.folder()).arg("--include").arg(place.tree()).env("ROADSTEAD_API_KEY", &server.api_key);
    let output = cli.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let job: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_ne!(job["agent_id"].as_i64(), Some(agent.id.0), "{job}");

    let audit = server.client.audit().unwrap();
    let told = |action: &str| audit.iter().filter(|entry| entry.action == action).count();
    assert_eq!(
        (told("machine_protect"), told("agent_install"), told("backup_configuration_create")),
        (3, 2, 2)
    );
    assert!(audit.iter().any(|entry| entry.action == "agent_machine_attach" && entry.actor == "user admin"));
}

#[test]
fn the_printed_command_installs_an_agent_that_backs_up_at_once() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Place::new());
    let server = server(folder.path());
    let protection = NewProtection { name: Some("by hand".into()), ..place.protection() };
    let new = NewInstallation { ttl_seconds: Some(600), protection };
    let made = server.client.create_installation(&new).unwrap();
    assert!(made.cloud_init.starts_with("#!/bin/sh\n") && made.command.lines().count() == 1);
    let output = Command::new("sh").arg("-c").arg(&made.command).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    wait_until("the agent is connected", || {
        server.client.agents().unwrap().iter().any(|agent| agent.connected && agent.name == "by hand")
    });
    let backup = server.client.find_backups(Default::default()).unwrap().remove(0);
    let backup = backup.wait(|_| ()).unwrap();
    assert_eq!((backup.state, backup.name.as_str()), (RunState::Completed, "by hand-1"));
    // The command changes nothing the second time, and its token is spent.
    let output = Command::new("sh").arg("-c").arg(&made.command).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let elsewhere = made.cloud_init.replace("it'\\''s here", "elsewhere");
    let output = Command::new("sh").arg("-c").arg(elsewhere).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains("token"), "{output:?}");
    assert_eq!(server.client.agents().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_protected_is_told() {
    if !sshd::is_there() {
        return;
    }
    let (folder, place) = (tempfile::tempdir().unwrap(), Place::new());
    let (server, mut host) = (server(folder.path()), Sshd::start("127.0.0.62"));
    server.client.add_backend(&host.backend("web")).unwrap();
    let machine = server.client.machines().unwrap().remove(0);
    for wrong in [
        NewProtection { folder: Some("here".into()), ..place.protection() },
        NewProtection { inclusions: vec!["relative".into()], ..place.protection() },
        NewProtection { timezone: Some("Atlantis/Centre".into()), ..place.protection() },
    ] {
        assert_eq!(machine.protect(&wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
        let install = NewInstallation { protection: wrong, ..NewInstallation::default() };
        assert_eq!(server.client.create_installation(&install).unwrap_err().kind(), ErrorKind::Invalid);
    }
    host.stop();
    let job = machine.protect(&place.protection()).unwrap();
    let job = server.client.wait_for_job(job.id, |_| ()).unwrap();
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    assert!(job.reason.as_deref().is_some_and(|reason| reason.contains("127.0.0.62")), "{job:?}");
}
