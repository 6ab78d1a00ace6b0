//! Everything is killed in the middle of its work; nothing acknowledged is lost, and the next run needs no help.

use std::{path::Path, time::Duration};

use roadstead_api::{
    backup::{Backup, BackupReportShow},
    id::BackupConfigurationId,
    run::RunState,
};
use roadstead_client::blocking::BackupStatus;
use tempfile::TempDir;

use crate::support::{Agent, Server, children, kill_9, restic::Repository, rounds, tree, wait_until};

/// A server, an agent, and a backup in the middle of its work.
struct Scene {
    server: Server,
    agent: Agent,
    configuration: BackupConfigurationId,
    running: BackupStatus,
    _source: TempDir,
}

impl Scene {
    fn set() -> Self {
        let server = Server::start();
        let agent = Agent::start(&server);
        let source = tempfile::tempdir().unwrap();
        tree::fill(source.path(), 30, 16 << 20);
        let configuration = agent.configure(&server, &[source.path()], &[]);
        let running = server.client.start_backup(configuration).unwrap();
        wait_until("data is added", || running.read().unwrap().progress.bytes_added > 0);
        Self { server, agent, configuration, running, _source: source }
    }

    fn ended(&self) -> Backup {
        self.running.wait(|_| ()).unwrap()
    }

    fn assert_all_is_well(&self) {
        self.agent.back_up_well(&self.server, self.configuration);
        Repository::of(&self.server, &self.agent).assert_sound();
    }
}

#[test]
fn the_server_dies_and_comes_back_and_the_run_completes() {
    let mut scene = Scene::set();
    scene.server.kill();
    // Long enough for the agent to notice, on its link and in its uploads.
    std::thread::sleep(Duration::from_secs(2));
    scene.server.restart();
    let ended = scene.ended();
    assert_eq!(ended.state, RunState::Completed, "{ended:?}\n{}", scene.agent.log());
    scene.assert_all_is_well();
}

#[test]
fn the_server_dies_again_and_again_and_no_acknowledged_backup_is_lost() {
    let mut server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 1 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let mut acknowledged = Vec::new();
    for round in 0..rounds(5, 50) {
        std::fs::write(source.path().join("round"), format!("{round}")).unwrap();
        acknowledged.push(agent.back_up_well(&server, configuration));
        server.kill_and_restart();
        let connected = || server.client.get_agent(agent.id).is_ok_and(|agent| agent.connected);
        wait_until("the agent is back", connected);
    }
    for report in &acknowledged {
        assert_eq!(&server.call::<BackupReportShow>(&report.id, &()), report);
    }
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, acknowledged[2].id, target.path(), &["round"]);
    let restored = target.path().join(source.path().strip_prefix("/").unwrap()).join("round");
    assert_eq!(std::fs::read_to_string(restored).unwrap(), "2");
    Repository::of(&server, &agent).assert_sound();
}

#[test]
fn the_agent_dies_and_the_run_is_failed_when_it_is_back() {
    let mut scene = Scene::set();
    scene.agent.kill();
    assert!(!scene.running.state().unwrap().has_ended());
    scene.agent.run();
    let ended = scene.ended();
    assert_eq!(ended.state, RunState::Failed, "{ended:?}");
    assert!(ended.reason.as_deref().is_some_and(|reason| reason.contains("restarted")), "{ended:?}");
    scene.assert_all_is_well();
}

#[test]
fn the_agents_child_dies_and_the_run_is_failed_at_once() {
    let scene = Scene::set();
    kill_9(scene.agent.job());
    let ended = scene.ended();
    assert_eq!(ended.state, RunState::Failed, "{ended:?}");
    assert!(ended.reason.as_deref().is_some_and(|reason| reason.contains("kill")), "{ended:?}");
    scene.assert_all_is_well();
}

#[test]
fn the_agents_child_ends_when_its_parent_dies() {
    let mut scene = Scene::set();
    let jobs = scene.agent.kill_parent();
    assert_eq!(jobs.len(), 1);
    wait_until("the child has ended", || !Path::new(&format!("/proc/{}/exe", jobs[0])).exists());
    scene.agent.run();
    assert!(matches!(scene.ended().state, RunState::Failed | RunState::Cancelled), "{:?}", scene.ended());
    scene.assert_all_is_well();
}

#[test]
fn a_result_waits_for_the_server() {
    let mut scene = Scene::set();
    scene.server.kill();
    let job = scene.agent.job();
    kill_9(job);
    let results = scene.agent.results();
    wait_until("the result is on disk", || std::fs::read_dir(&results).unwrap().count() == 1);
    scene.agent.kill();
    scene.agent.run();
    scene.server.restart();
    assert_eq!(scene.ended().state, RunState::Failed);
    wait_until("the result is acknowledged", || std::fs::read_dir(&results).unwrap().count() == 0);
    scene.assert_all_is_well();
}

#[test]
fn both_end_in_order_when_they_are_asked_to() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    assert!(agent.end());
    wait_until("the agent is gone", || !server.client.get_agent(agent.id).unwrap().connected);
    assert!(children(server.pid()).is_empty());
    assert!(server.end());
}
