//! Restores onto what is there already, by each rule, and what they would do.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use roadstead_api::{
    restore::{NewRestore, OverwriteRule, PlannedFiles, RestoreAction},
    restore_configuration::NewRestoreConfiguration,
    run::RunState,
};
use serde_json::{Value, json};

use crate::support::{Agent, Server, roadstead};

fn put(path: &Path, content: &str, seconds: u64) {
    fs::write(path, content).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// What stands in the files of the folder, by name.
fn contents(folder: &Path) -> Vec<String> {
    ["older", "newer", "same"].iter().map(|name| fs::read_to_string(folder.join(name)).unwrap()).collect()
}

#[test]
fn each_rule_overwrites_what_it_says_and_a_plan_tells_it_before() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    let at = |name: &str| source.path().join(name);
    for name in ["older", "newer", "same", "gone"] {
        put(&at(name), "backup", 1_000_000);
    }
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    for (rule, expected, overwritten) in [
        (OverwriteRule::Never, ["mine", "mine", "backup"], 0),
        (OverwriteRule::IfNewer, ["backup", "mine", "backup"], 1),
        (OverwriteRule::IfChanged, ["backup", "backup", "backup"], 2),
        (OverwriteRule::Always, ["backup", "backup", "backup"], 3),
    ] {
        put(&at("older"), "mine", 500_000);
        put(&at("newer"), "mine", 2_000_000);
        fs::remove_file(at("gone")).unwrap();
        let wanted = NewRestore { overwrite_rule: Some(rule), ..NewRestore::of(backup) };
        let plan = server.client.plan_restore(&wanted).unwrap().plan.clone().unwrap();
        assert_eq!(plan.created, PlannedFiles { files: 1, bytes: 6 }, "{rule:?}");
        assert_eq!(plan.overwritten.files, overwritten, "{rule:?} {plan:?}");
        assert_eq!((plan.left.files, plan.refused.files), (3 - overwritten, 0), "{rule:?}");
        assert!(!at("gone").exists(), "a plan makes nothing");
        let gone = plan.files.iter().find(|file| Path::new(&file.path) == at("gone")).unwrap();
        assert_eq!((gone.action, gone.size_bytes), (RestoreAction::Create, 6));

        let restore = server.client.start_restore(&wanted).unwrap().wait(|_| ()).unwrap();
        assert_eq!(restore.state, RunState::Completed, "{restore:?}");
        assert_eq!((restore.overwrite_rule, restore.overwrite), (rule, rule != OverwriteRule::Never));
        assert_eq!(contents(source.path()), expected, "{rule:?}");
        let report = server.client.get_restore_report(restore.id).unwrap();
        assert_eq!(
            (report.files_restored, report.files_skipped),
            (1 + overwritten, 3 - overwritten),
            "{rule:?}"
        );
        assert_eq!(report.plan, None);
    }
}

#[test]
fn scripts_see_the_plan_and_configurations_keep_their_rule() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    put(&source.path().join("file"), "backup", 1_000_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    put(&source.path().join("file"), "mine", 2_000_000);
    let run = |arguments: &[&str]| {
        let mut command = roadstead();
        command.args(["restores", "start", "--backup", &backup.to_string(), "--url", &server.url]);
        command.args(arguments).env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
    };
    let planned = |rule: &[&str]| {
        let output = run(&[rule, &["--dry-run", "-o", "json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["plan"].clone()
    };
    assert_eq!(planned(&["--overwrite", "if-newer"])["left"], json!({ "files": 1, "bytes": 6 }));
    assert_eq!(planned(&["--overwrite"])["overwritten"]["files"], 1);
    let shown = run(&["--overwrite", "always", "--dry-run"]);
    let table = String::from_utf8_lossy(&shown.stdout);
    assert!(table.contains("overwrite") && table.contains("file"), "{shown:?}");
    assert_eq!(run(&["--overwrite", "sometimes"]).status.code(), Some(2));

    let new = NewRestoreConfiguration {
        overwrite_rule: Some(OverwriteRule::IfNewer),
        ..NewRestoreConfiguration::new("kept", backup)
    };
    let mut kept = server.client.create_restore_configuration(new).unwrap();
    assert!(kept.overwrite && kept.overwrite_rule == OverwriteRule::IfNewer);
    let asked = NewRestore { dry_run: true, ..NewRestore::by(kept.id) };
    let status = server.client.start_restore(&asked).unwrap();
    let ended = status.wait(|_| ()).unwrap();
    assert_eq!((ended.overwrite_rule, ended.dry_run), (OverwriteRule::IfNewer, true));
    kept.update_from_dict(&json!({ "overwrite_rule": "always" })).unwrap();
    assert_eq!((kept.overwrite_rule, kept.latest_restore_id), (OverwriteRule::Always, None));
    kept.update_from_dict(&json!({ "overwrite": false })).unwrap();
    assert_eq!(kept.overwrite_rule, OverwriteRule::Never);
    assert_eq!(fs::read_to_string(source.path().join("file")).unwrap(), "mine");
}

#[test]
fn another_agent_tells_what_it_would_restore() {
    let server = Server::start();
    let (agent, other) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    put(&source.path().join("file"), "backup", 1_000_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let target = tempfile::tempdir().unwrap();
    let wanted = NewRestore {
        agent_id: Some(other.id),
        path: Some(target.path().to_str().unwrap().to_owned()),
        ..NewRestore::of(backup)
    };
    let plan = server.client.plan_restore(&wanted).unwrap().plan.clone().unwrap();
    assert_eq!(plan.created, PlannedFiles { files: 1, bytes: 6 });
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}
