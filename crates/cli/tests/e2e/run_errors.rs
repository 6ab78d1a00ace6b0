//! Thousands of files that a run could not read: all are told, page by page.

use std::{fs, path::Path};

use roadstead_api::run::RunState;

use crate::support::{Agent, Server, is_root, roadstead, wait_until};

/// Files that only root can open.
fn unreadable(folder: &Path, count: usize) {
    use std::os::unix::fs::PermissionsExt;
    for n in 0..count {
        let file = folder.join(format!("{n:05}"));
        fs::write(&file, "secret").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    }
}

#[test]
fn all_errors_of_a_run_are_kept_and_paged() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    let agent = Agent::start_as_nobody(&server);
    let source = tempfile::tempdir().unwrap();
    fs::set_permissions(source.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    unreadable(source.path(), 2500);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up(&server, configuration);
    assert_eq!(backup.state, RunState::CompletedWithErrors, "{backup:?}");
    let report = server.client.get_backup_report(backup.id).unwrap();
    assert_eq!((report.error_count, report.errors.len()), (2500, 1000));
    let errors = report.all_errors().unwrap();
    let mut paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 2500);
    assert!(errors.iter().all(|error| error.kind == "permission_denied"));
    assert_eq!(errors[..1000], report.errors[..]);

    let list = |arguments: &[&str]| {
        let mut command = roadstead();
        command.args(["backups", "errors", &backup.id.to_string(), "-o", "json", "--url", &server.url]);
        let output = command.args(arguments).env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let last = list(&["--cursor", "2400"]);
    assert_eq!((last["items"].as_array().unwrap().len(), &last["next"]), (100, &serde_json::Value::Null));
    assert_eq!(list(&["--limit", "1", "--cursor", "999"])["next"], "1000");
    assert_eq!(list(&["--all"])["items"].as_array().unwrap().len(), 2500);
    wait_until("nothing of it stays with the agent", || fs::read_dir(agent.results()).unwrap().count() == 0);
}
