//! PostgreSQL is stopped in the middle and started again: the server says so while it lasts, and goes on afterwards.
//!
//! Runs alone, and only where `ROADSTEAD_TEST_POSTGRES_DATA` names the data folder of a cluster that may be stopped.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt,
    process::{Command, Stdio},
};

use roadstead_api::{Problem, run::RunState};

use crate::support::{Agent, Server, is_root, restic::Repository, tree, wait_until};

#[test]
fn the_database_goes_and_comes_back_and_nothing_is_lost() {
    let Some(data) = std::env::var_os("ROADSTEAD_TEST_POSTGRES_DATA") else { return };
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 30, 16 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let key = server.client.create_api_key("before").unwrap();
    let running = server.client.start_backup(configuration).unwrap();
    wait_until("data is added", || running.read().unwrap().progress.bytes_added > 0);

    for mode in ["immediate", "fast"] {
        pg_ctl(&data, &["stop", "--wait", "--mode", mode]);
        let problem = refused(&server);
        assert_eq!((problem.status, problem.kind.as_str()), (503, "unavailable"), "{problem:?}");
        pg_ctl(&data, &["start", "--wait"]);
        wait_until("the server answers again", || server.client.api_keys().is_ok());
        assert!(server.client.api_keys().unwrap().iter().any(|listed| listed.id == key.id));
    }

    let ended = running.wait(|_| ()).unwrap();
    assert_eq!(ended.state, RunState::Completed, "{ended:?}\n{}", agent.log());
    agent.back_up_well(&server, configuration);
    Repository::of(&server, &agent).assert_sound();
}

fn refused(server: &Server) -> Problem {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("{}/api/v1/api-keys", server.url));
    let mut response = request.header("authorization", format!("Bearer {}", server.api_key)).call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    serde_json::from_str(&body).unwrap_or_else(|_| panic!("{}: {body}", response.status()))
}

/// Runs `pg_ctl` as whoever owns the cluster.
fn pg_ctl(data: &OsString, arguments: &[&str]) {
    let owner = std::fs::metadata(data).unwrap();
    let mut command = Command::new(if is_root() { "setpriv" } else { "pg_ctl" });
    if is_root() {
        let (user, group) = (owner.uid().to_string(), owner.gid().to_string());
        command.args(["--reuid", &user, "--regid", &group, "--clear-groups", "pg_ctl"]);
    }
    command.arg("--pgdata").arg(data).arg("--log").arg(std::path::Path::new(data).join("outage.log"));
    let status = command.args(arguments).current_dir("/").stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "pg_ctl {arguments:?}");
}
