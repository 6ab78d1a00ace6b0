//! The server's own state is backed up, lost, and restored: agents come back, and old backups are restored.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Output};

use roadstead_api::vault::VaultKeyExport;

use crate::support::{Agent, Database, Server, hang_up, restic::Repository, roadstead, tree, wait_until};

/// Runs `server backup` or `server restore` on this data folder.
fn state(verb: &str, file: &Path, data: &Path, password: &str, database: Option<&str>) -> Output {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), password).unwrap();
    let mut command = roadstead();
    command.args(["server", verb]).arg(file).arg("--data-dir").arg(data);
    command.arg("--password").arg(format!("@{}", secret.path().display())).args(["-o", "json"]);
    if let Some(url) = database {
        command.env("ROADSTEAD_SERVER_DATABASE", url);
    }
    command.output().unwrap()
}

const PASSWORD: &str = "a long enough password";

#[test]
fn a_lost_server_comes_back_with_its_agents_and_backups() {
    let mut server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 10, 1 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let old = agent.back_up_well(&server, configuration);
    let password = server.call::<VaultKeyExport>(&agent.vault, &()).password;

    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("state");
    let url = server.database_url();
    // Beside the running server.
    let made = state("backup", &file, server.folder(), PASSWORD, url.as_deref());
    assert!(made.status.success(), "{made:?}");
    let told: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    assert!(told["rows"].as_u64().unwrap() > 5, "{told}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read(&file).unwrap();
    let holds = |secret: &str| text.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds(&server.api_key) && !holds("admin"), "nothing of it can be read");
    agent.back_up_well(&server, configuration);

    server.kill();
    let refused = state("restore", &file, server.folder(), PASSWORD, url.as_deref());
    assert!(!refused.status.success() && text_of(&refused).contains("empty folder"), "{refused:?}");
    server.lose_all_but_vaults();
    let wrong =
        state("restore", &file, server.folder(), "a quite wrong one", server.database_url().as_deref());
    assert!(!wrong.status.success() && text_of(&wrong).contains("password"), "{wrong:?}");
    let restored = state("restore", &file, server.folder(), PASSWORD, server.database_url().as_deref());
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(told["rows"], serde_json::from_slice::<serde_json::Value>(&restored.stdout).unwrap()["rows"]);
    server.restart();

    wait_until("the agent is back", || server.client.get_agent(agent.id).is_ok_and(|agent| agent.connected));
    assert_eq!(server.call::<VaultKeyExport>(&agent.vault, &()).password, password);
    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, old.id, target.path(), &[]);
    tree::assert_same(source.path(), &target.path().join(source.path().strip_prefix("/").unwrap()));
    let new = agent.back_up_well(&server, configuration);
    assert!(new.id.0 > old.id.0 + 1, "the number of a run that was forgotten is not given again");
    Repository::of(&server, &agent).assert_sound();
    assert_eq!(server.client.verify_audit().unwrap().broken_at, None);
    assert!(agent.end());
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_server_moves_from_its_own_database_to_postgres_and_back() {
    let cluster = ["ROADSTEAD_TEST_POSTGRES", "ROADSTEAD_TEST_DATABASE"].map(std::env::var);
    let Some(cluster) = cluster.into_iter().find_map(Result::ok) else {
        assert!(std::env::var_os("CI").is_none(), "CI tests on PostgreSQL, too");
        return;
    };
    let server = Server::with(tempfile::tempdir().unwrap(), None);
    let key = server.client.create_api_key("of old").unwrap();
    let outside = tempfile::tempdir().unwrap();
    let (first, second) = (outside.path().join("first"), outside.path().join("second"));
    assert!(state("backup", &first, server.folder(), PASSWORD, None).status.success());

    let database = Database::create_in(&cluster);
    let folder = tempfile::tempdir().unwrap();
    let moved = state("restore", &first, folder.path(), PASSWORD, Some(&database.url()));
    assert!(moved.status.success(), "{moved:?}");
    assert!(!folder.path().join("roadstead.db").exists());
    let twice = tempfile::tempdir().unwrap();
    let twice = state("restore", &first, twice.path(), PASSWORD, Some(&database.url()));
    assert!(!twice.status.success() && text_of(&twice).contains("not empty"), "{twice:?}");
    let on_postgres = Server::with(folder, Some(std::sync::Arc::new(database)));
    let newer = on_postgres.client.create_api_key("newer").unwrap();
    assert!(newer.id.0 > key.id.0);
    let url = on_postgres.database_url();
    let made = state("backup", &second, on_postgres.folder(), PASSWORD, url.as_deref());
    assert!(made.status.success(), "{made:?}");

    let folder = tempfile::tempdir().unwrap();
    assert!(state("restore", &second, folder.path(), PASSWORD, None).status.success());
    let back = Server::with(folder, None);
    let names: Vec<_> = back.client.api_keys().unwrap().into_iter().map(|key| key.name).collect();
    assert!(names.contains(&"of old".to_owned()) && names.contains(&"newer".to_owned()), "{names:?}");
    assert_eq!(back.client.verify_audit().unwrap().broken_at, None);
}

#[test]
fn a_weak_password_seals_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = state("backup", &folder.path().join("x"), folder.path(), "short", None);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_hangup_does_not_end_a_server_without_certificates() {
    let server = Server::start();
    hang_up(server.pid());
    wait_until("the server has heard of it", || server.log().contains("nothing to read again"));
    assert!(server.client.user().is_ok());
}

/// Files and folders beneath this one that others than their owner may look into.
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(format!("{} {:o}", entry.path().display(), metadata.permissions().mode()));
        }
        if metadata.is_dir() {
            open_to_others(&entry.path(), found);
        }
    }
}

#[test]
fn what_a_server_writes_is_for_its_own_user_alone() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("made by the server");
    let mut process = roadstead()
        .args(["server", "--tls", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&folder)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(process.stdout.take().unwrap()), &mut line)
        .unwrap();
    let file = outside.path().join("state");
    let made = state("backup", &file, &folder, PASSWORD, None);
    let _ = process.kill();
    process.wait().unwrap();
    assert!(line.starts_with("listening on https://") && made.status.success(), "{line} {made:?}");
    let restored = state("restore", &file, &outside.path().join("restored"), PASSWORD, None);
    assert!(restored.status.success(), "{restored:?}");
    let mut found = Vec::new();
    open_to_others(outside.path(), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_link_where_the_backup_is_written_is_not_followed() {
    let server = Server::start();
    let outside = tempfile::tempdir().unwrap();
    let (file, other) = (outside.path().join("state"), outside.path().join("other"));
    std::fs::write(&other, "somebody else's").unwrap();
    std::os::unix::fs::symlink(&other, outside.path().join("state.partial")).unwrap();
    let made = state("backup", &file, server.folder(), PASSWORD, server.database_url().as_deref());
    assert!(made.status.success(), "{made:?}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody else's");
    assert!(!std::fs::symlink_metadata(&file).unwrap().is_symlink());
}
