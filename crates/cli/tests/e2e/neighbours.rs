//! Several servers on one database, which takes PostgreSQL: each sees and drives what hangs on another.

use roadstead_api::run::RunState;

use crate::support::{Agent, Server, tree, wait_until};

/// Two servers, where there is a database that they can share.
fn pair() -> Option<(Server, Server)> {
    let first = Server::start();
    let second = first.beside()?;
    Some((first, second))
}

#[test]
fn a_run_asked_for_at_one_server_is_started_and_stopped_through_another() {
    let Some((near, far)) = pair() else { return };
    let agent = Agent::start(&near);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 1 << 20);
    let configuration = agent.configure(&far, &[source.path()], &[]);
    let done = agent.back_up_well(&far, configuration);
    // What is asked of the agent itself goes over its link, and whoever asks elsewhere is told so.
    wait_until("the other server has heard of it", || {
        let refused = far.client.get_agent(agent.id).unwrap().log(1).unwrap_err();
        refused.to_string().contains("another server of the same database")
    });
    assert_eq!(near.client.get_agent(agent.id).unwrap().log(1).unwrap().lines.len(), 1);
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&far, done.id, target.path(), &[]);
    tree::assert_same(source.path(), &target.path().join(source.path().strip_prefix("/").unwrap()));

    tree::fill(source.path(), 30, 16 << 20);
    let running = far.client.start_backup(configuration).unwrap();
    // How far it has come is known where the agent hangs.
    let seen = near.client.get_backup(running.id()).unwrap();
    wait_until("data is added", || seen.read().unwrap().progress.bytes_added > 0);
    running.stop().unwrap();
    assert_eq!(running.wait(|_| ()).unwrap().state, RunState::Cancelled);
}

#[test]
fn checks_of_a_server_that_died_are_taken_over() {
    let Some((mut first, second)) = pair() else { return };
    let agent = Agent::start(&second);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 1 << 20);
    let configuration = agent.configure(&second, &[source.path()], &[]);
    agent.back_up_well(&second, configuration);
    let start = || second.client.start_check(&agent.vault, true).unwrap().id;
    let checks: Vec<_> = (0..8).map(|_| start()).collect();
    first.kill();
    let state = |id| second.client.get_check(id).unwrap().state;
    wait_until("all checks have ended", || {
        // Asking for one more makes the survivor look at once, not at its next period.
        second.client.wait_for_check(start(), |_| ()).unwrap();
        checks.iter().all(|&id| state(id).has_ended())
    });
    assert!(checks.iter().all(|&id| state(id) == RunState::Completed));
}
