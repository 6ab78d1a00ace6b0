//! Commands before and after backups: they run where the machine allows them, their end decides, and reports tell of them.

use std::{fs, path::Path};

use roadstead_api::{
    backup::{BackupReport, BackupReportShow},
    backup_configuration::NewBackupConfiguration,
    backup_options::{BackupOptions, Hook, HookKind, Hooks},
    run::RunState,
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};
use serde_json::json;

use crate::support::{Agent, Server, tree, wait_until};

fn hook(command: &str) -> Option<Hook> {
    Some(Hook { command: command.to_owned(), timeout_seconds: 60 })
}

/// A server, an agent that may run any command, and a folder with a file.
fn stage() -> (Server, Agent, tempfile::TempDir) {
    let server = Server::start();
    let agent = Agent::start(&server);
    allow(&agent, "hooks = \"any\"");
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("file"), "content").unwrap();
    (server, agent, source)
}

fn allow(agent: &Agent, policy: &str) {
    fs::write(agent.folder().join("policy.toml"), policy).unwrap();
}

fn with_hooks(agent: &Agent, source: &Path, hooks: Hooks) -> NewBackupConfiguration {
    let options = BackupOptions { hooks, ..BackupOptions::default() };
    let inclusions = vec![source.to_str().unwrap().to_owned()];
    NewBackupConfiguration { options, ..NewBackupConfiguration::new("hooked", agent.id, inclusions) }
}

/// Backs up once by a configuration with these commands.
fn back_up(server: &Server, agent: &Agent, source: &Path, hooks: Hooks) -> BackupReport {
    let new = with_hooks(agent, source, hooks);
    let id = server.client.create_backup_configuration(new).unwrap().id;
    let backup = agent.back_up(server, id);
    server.call::<BackupReportShow>(&backup.id, &())
}

#[test]
fn what_a_command_makes_is_backed_up_and_its_output_reported() {
    let (server, agent, source) = stage();
    let dump = source.path().join("dump.sql");
    let hooks = Hooks {
        pre: hook(&format!("echo dumping; echo data > {}", dump.display())),
        post: hook(&format!("rm {}; echo $ROADSTEAD_OUTCOME", dump.display())),
        error: hook("echo never"),
        ..Hooks::default()
    };
    let report = back_up(&server, &agent, source.path(), hooks);
    assert_eq!((report.state, report.files_searched), (RunState::Completed, 2), "{report:?}");
    let told: Vec<_> =
        report.hooks.iter().map(|ran| (ran.hook, ran.error.clone(), ran.output.as_str())).collect();
    assert_eq!(told, [(HookKind::Pre, None, "dumping"), (HookKind::Post, None, "completed")]);
    assert!(!dump.exists());
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, report.id, target.path(), &[]);
    let restored = target.path().join(dump.strip_prefix("/").unwrap());
    assert_eq!(fs::read_to_string(restored).unwrap(), "data\n");
}

#[test]
fn a_command_that_fails_keeps_the_backup_from_being_made_or_is_reported() {
    let (server, agent, source) = stage();
    let failed = source.path().join("failed");
    let hooks = Hooks {
        pre: hook("echo no database >&2; exit 3"),
        post: hook("echo never"),
        error: hook(&format!("echo \"$ROADSTEAD_REASON\" > {}", failed.display())),
        ..Hooks::default()
    };
    let report = back_up(&server, &agent, source.path(), hooks.clone());
    assert_eq!((report.state, report.restorable), (RunState::Failed, false));
    let why = report.error.unwrap();
    assert!(why.contains("exit status 3") && why.contains("no database"), "{why}");
    assert!(fs::read_to_string(&failed).unwrap().contains("exit status 3"));
    assert_eq!(report.hooks.len(), 2);

    let hooks = Hooks { cancel_when_pre_fails: false, post: hook("exit 4"), ..hooks };
    let report = back_up(&server, &agent, source.path(), hooks);
    assert_eq!((report.state, report.restorable), (RunState::CompletedWithErrors, true));
    assert_eq!(report.error_count, 2);
    assert!(
        report.errors[0].reason.contains("exit status 3")
            && report.errors[0].details == "no database\n".trim()
    );
    assert!(report.errors[1].reason.contains("exit status 4"));
}

#[test]
fn the_machine_has_the_last_word_and_only_admins_the_first() {
    let (server, agent, source) = stage();
    allow(&agent, "hooks = [\"echo fine\"]");
    let fine = Hooks { pre: hook("echo fine"), ..Hooks::default() };
    assert_eq!(back_up(&server, &agent, source.path(), fine.clone()).state, RunState::Completed);
    let ran = source.path().join("ran");
    let other = Hooks { pre: hook(&format!("touch {}", ran.display())), ..Hooks::default() };
    let report = back_up(&server, &agent, source.path(), other);
    assert_eq!(report.state, RunState::Failed);
    assert!(report.error.unwrap().contains("policy.toml") && !ran.exists());

    let password = "a long enough password".to_owned();
    let ann = NewUser { username: "ann".to_owned(), password: password.clone(), role: Role::Creator };
    server.client.create_user(&ann).unwrap();
    let basic = Credentials::Password { username: "ann".to_owned(), password };
    let creator = Client::new(&server.url, basic).unwrap();
    let new = with_hooks(&agent, source.path(), fine);
    assert_eq!(creator.create_backup_configuration(new).unwrap_err().kind(), ErrorKind::Forbidden);
    let plain = with_hooks(&agent, source.path(), Hooks::default());
    let mut configuration = creator.create_backup_configuration(plain).unwrap();
    let change = json!({ "options": { "hooks": { "post": { "command": "echo fine" } } } });
    assert_eq!(configuration.update_from_dict(&change).unwrap_err().kind(), ErrorKind::Forbidden);
    configuration.update_from_dict(&json!({ "options": { "exclude_caches": true } })).unwrap();
    assert!(configuration.options.exclude_caches);
}

#[test]
fn a_backup_that_is_stopped_ends_its_command() {
    let (server, agent, source) = stage();
    let began = source.path().join("began");
    let pre = hook(&format!("touch {}; sleep 600", began.display()));
    let new = with_hooks(&agent, source.path(), Hooks { pre, ..Hooks::default() });
    let configuration = server.client.create_backup_configuration(new).unwrap().id;
    let status = server.client.start_backup(configuration).unwrap();
    wait_until("the command runs", || began.exists());
    assert_eq!(status.stop().unwrap(), RunState::Cancelled);
}

#[test]
fn what_options_name_is_passed_over() {
    let (server, agent, source) = stage();
    let cache = source.path().join("cache");
    fs::create_dir(&cache).unwrap();
    fs::write(cache.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
    for (name, size) in [("cache/a", 10), ("large", 100_000), ("ignored.o", 10), ("kept.c", 10)] {
        fs::write(source.path().join(name), vec![7; size]).unwrap();
    }
    fs::write(source.path().join(".ignore"), "*.o\n").unwrap();
    let options = BackupOptions {
        ignore_files: vec![".ignore".to_owned()],
        exclude_caches: true,
        exclude_larger_than: Some(50_000),
        one_file_system: true,
        ..BackupOptions::default()
    };
    let inclusions = vec![source.path().to_str().unwrap().to_owned()];
    let new = NewBackupConfiguration { options, ..NewBackupConfiguration::new("some", agent.id, inclusions) };
    let mut configuration = server.client.create_backup_configuration(new).unwrap();
    let names = |report: BackupReport| {
        let target = tempfile::tempdir().unwrap();
        agent.restore_well(&server, report.id, target.path(), &[]);
        let root = target.path().join(source.path().strip_prefix("/").unwrap());
        let paths = tree::read(&root).into_keys().filter(|path| root.join(path).is_file());
        paths.map(|path| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let report = agent.back_up_well(&server, configuration.id);
    assert_eq!(names(report), [".ignore", "cache/CACHEDIR.TAG", "file", "kept.c"]);
    configuration
        .update_from_dict(&json!({ "options": { "patterns": ["*.c"], "ignore_files": null } }))
        .unwrap();
    let report = agent.back_up_well(&server, configuration.id);
    assert_eq!(names(report), ["kept.c"]);
}
