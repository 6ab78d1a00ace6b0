//! A disk fills up. The server's: the run fails with a reason, and what was stored stays sound. The agent's: it backs up all
//! the same, and of a restore it tells what did not fit.

use std::process::Command;

use roadstead_api::run::RunState;

use crate::support::{Agent, Server, agent::enroll, is_root, restic::Repository, tree, wait_until};

/// A small file system over a vault's folder. Dropped, it is unmounted.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(folder: &std::path::Path, options: &str) -> Self {
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).status().unwrap();
        assert!(mount.success(), "tests that run as root can mount a tmpfs");
        Self(folder.to_owned())
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_fails_the_run_and_loses_nothing() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vaults = folder.path().join("vaults");
    std::fs::create_dir(&vaults).unwrap();
    let disk = SmallDisk::mount(&vaults, "size=24m");
    let server = Server::on(folder);
    let agent = Agent::start(&server);
    let (small, large) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    tree::fill(small.path(), 3, 1 << 20);
    tree::fill(large.path(), 20, 4 << 20);
    let first = agent.configure(&server, &[small.path()], &[]);
    let kept = agent.back_up_well(&server, first);

    let second = agent.configure(&server, &[large.path()], &[]);
    let failed = agent.back_up(&server, second);
    assert_eq!(failed.state, RunState::Failed, "{failed:?}");
    let reason = failed.reason.clone().unwrap_or_default();
    assert!(reason.contains("full"), "{reason}");

    disk.grow("200m");
    Repository::of(&server, &agent).assert_sound();
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, kept.id, target.path(), &[]);
    tree::assert_same(small.path(), &target.path().join(small.path().strip_prefix("/").unwrap()));
    agent.back_up_well(&server, second);
    drop(agent);
    assert!(server.end());
    drop(disk);
}

#[test]
fn an_agent_whose_disk_is_full_backs_up_all_the_same_and_tells_what_could_not_be_restored() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path(), "size=4m");
    let enrolled = enroll(&server, folder.path());
    assert!(enrolled.status.success(), "{enrolled:?}");
    let mut agent = Agent::resume(folder);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 1 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let filler = agent.folder().join("filler");
    assert!(std::fs::write(&filler, vec![1; 8 << 20]).is_err());

    let done = agent.back_up_well(&server, configuration);
    assert_eq!(done.files_searched, 3);
    let target = agent.folder().join("restored");
    let failed = agent.restore(&server, done.id, &target, &[]);
    assert_ne!(failed.state, RunState::Completed, "{failed:?}");
    let report = server.client.get_restore_report(failed.id).unwrap();
    assert!(report.errors.iter().any(|error| error.kind == "no_space"), "{report:?}");

    std::fs::remove_file(&filler).unwrap();
    disk.grow("64m");
    std::fs::remove_dir_all(&target).unwrap();
    let report = agent.restore_well(&server, done.id, &target, &[]);
    assert_eq!(report.files_restored, 3);
    Repository::of(&server, &agent).assert_sound();
    assert!(agent.end());
    drop(disk);
}

#[test]
fn a_full_database_disk_is_told_and_recovers() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path(), "size=4m");
    let server = Server::with(folder, None);
    let filler = server.folder().join("filler");
    let fill = || std::fs::write(&filler, vec![1; 8 << 20]).is_err();
    assert!(fill());
    let create = || {
        let new = roadstead_api::api_key::NewApiKey { name: "x".repeat(200) };
        server.client.call::<roadstead_api::api_key::ApiKeyCreate>(&(), &(), &new)
    };
    wait_until("the database is full", || create().is_err());
    std::fs::remove_file(&filler).unwrap();
    disk.grow("64m");
    let key = create().unwrap();
    assert!(server.client.call::<roadstead_api::api_key::ApiKeyDelete>(&key.id, &(), &()).is_ok());
    assert!(server.end());
}
