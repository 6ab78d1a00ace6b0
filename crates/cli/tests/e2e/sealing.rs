//! Vaults that change hands: restores by other agents, passwords that the server never learns, machines installed anew.

use std::{os::unix::fs::PermissionsExt, path::Path};

use roadstead_api::{
    activity::{ActivityKind, ActivityQuery},
    agent::VaultFate,
    backup_configuration::BackupConfigurationChange,
    check::CheckShow,
    id::{AgentId, BackupId},
    restore::{NewRestore, Restore, RestoreReportShow},
    retention::Retention,
    run::RunState,
    vault::VaultMode,
    vault_task::NewVaultTask,
};
use roadstead_client::ErrorKind;
use ureq::http::StatusCode;

use crate::support::{Agent, Server, children, restic, restic::Repository, roadstead, tree, wait_until};

const PASSWORD: &str = "correct horse ☂ battery";

fn status(server: &Server, path: &str, credential: &str) -> StatusCode {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("{}{path}", server.url));
    request.header("authorization", format!("Bearer {credential}")).call().unwrap().status()
}

fn restore_to(server: &Server, backup: BackupId, agent: AgentId, target: &Path) -> Restore {
    let new = NewRestore {
        agent_id: Some(agent),
        path: Some(target.to_str().unwrap().to_owned()),
        ..NewRestore::of(backup)
    };
    server.client.start_restore(&new).unwrap().wait(|_| ()).unwrap()
}

#[test]
fn another_agent_restores_a_backup_and_sees_nothing_else_of_the_vault() {
    let server = Server::start();
    let (agent, other) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 700_000);
    tree::build(source.path());
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    std::fs::write(source.path().join("noise-0"), "changed since").unwrap();
    agent.back_up_well(&server, configuration);

    let target = tempfile::tempdir().unwrap();
    let restore = restore_to(&server, backup, other.id, target.path());
    assert_eq!(restore.state, RunState::Completed, "{restore:?}\n{}", other.log());
    let own = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup, own.path(), &[]);
    let beneath = source.path().strip_prefix("/").unwrap();
    tree::assert_same(&own.path().join(beneath), &target.path().join(beneath));

    let vault = format!("/vaults/{}/config", agent.vault);
    assert_eq!(status(&server, &vault, &other.credential()), StatusCode::NOT_FOUND);
    let view = format!("/vaults/restore-{}/config", restore.id);
    for credential in [&other.credential(), &agent.credential(), &server.api_key] {
        assert_eq!(status(&server, &view, credential), StatusCode::NOT_FOUND, "it has ended");
    }
    wait_until("the view is closed", || children(server.pid()).is_empty());
    Repository::of(&server, &agent).assert_sound();
}

#[test]
fn a_backup_outlives_its_agent_and_is_restored_to_the_next() {
    let server = Server::start();
    let (mut agent, other) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    assert!(agent.end());
    server.client.get_agent(agent.id).unwrap().delete(roadstead_api::agent::VaultFate::Keep).unwrap();
    let target = tempfile::tempdir().unwrap();
    let restore = restore_to(&server, backup, other.id, target.path());
    assert_eq!(restore.state, RunState::Completed, "{restore:?}");
    let report = server.call::<RestoreReportShow>(&restore.id, &());
    assert_eq!((report.files_restored, report.error_count), (3, 0));
}

#[test]
fn the_vault_of_a_reinstalled_machine_goes_to_its_new_agent() {
    let server = Server::start();
    let (agent, new) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let config = format!("/vaults/{}/config", agent.vault);
    let old = server.client.get_agent(agent.id).unwrap();
    assert_eq!(old.migrate_vault(agent.id, None).unwrap_err().kind(), ErrorKind::Invalid);
    let moved = old.migrate_vault(new.id, None).unwrap();
    assert_eq!((moved.id, &moved.vault_id), (new.id, &agent.vault));
    assert_eq!(status(&server, &config, &agent.credential()), StatusCode::NOT_FOUND);
    assert_eq!(status(&server, &config, &new.credential()), StatusCode::OK);
    assert_eq!(server.client.get_backup_configuration(configuration).unwrap().agent_id, new.id);
    let target = tempfile::tempdir().unwrap();
    let report = new.restore_well(&server, backup, target.path(), &[]);
    assert_eq!(report.files_restored, 3);
    let again = new.back_up_well(&server, configuration);
    assert!(again.bytes_added < 10_000, "what the old agent stored is not stored again: {again:?}");
    let refused = server.client.get_agent(agent.id).unwrap().migrate_vault(new.id, None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "the new one's is in use: {refused}");
    restic::all().iter().for_each(|program| {
        let key = server.client.get_vault(&agent.vault).unwrap().export_key().unwrap();
        let (ok, text) = restic::run(program, &key.repository, &key.password, &["check", "--read-data"]);
        assert!(ok, "{text}");
    });
}

#[test]
fn the_server_never_learns_the_password_of_a_sealed_vault() {
    let server = Server::start();
    let (agent, other) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let before = agent.back_up_well(&server, configuration).id;
    let mut known = server.client.get_agent(agent.id).unwrap();
    let wrong = known.encrypt(PASSWORD, Some(&"0".repeat(64))).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Untrusted, "{wrong}");
    let fingerprint = known.fingerprint.clone();
    let sealed = known.encrypt(PASSWORD, Some(&fingerprint)).unwrap();
    assert!(known.is_encrypted() && known.vault_id == sealed.vault_id && sealed.vault_id != agent.vault);
    let kept = agent.folder().join("passwords").join(format!("vault-{}", sealed.vault_id));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), PASSWORD);
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(known.encrypt(PASSWORD, None).unwrap_err().kind(), ErrorKind::Conflict, "once is enough");

    let backup = agent.back_up_well(&server, configuration);
    assert_eq!(backup.files_backed_up, 3, "the first one into the new vault is full");
    let vault = server.client.get_vault(&sealed.vault_id).unwrap();
    assert_eq!((vault.mode, vault.current, vault.snapshot_count), (VaultMode::Sealed, true, 1));
    let folder = server.vault(&vault.id);
    for program in restic::all() {
        let folder = folder.to_str().unwrap();
        let (ok, text) = restic::run(&program, folder, PASSWORD, &["check", "--read-data"]);
        assert!(ok, "{text}");
        assert!(!restic::run(&program, folder, "another", &["snapshots"]).0);
    }
    let target = tempfile::tempdir().unwrap();
    assert_eq!(agent.restore_well(&server, backup.id, target.path(), &[]).files_restored, 3);

    // What the server cannot do any more, it says.
    for refused in [
        server.client.files(backup.id, "/").map(drop),
        vault.export_key().map(drop),
        server.client.start_vault_task(&vault.id, &NewVaultTask::drill()).map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert!(refused.kind() == ErrorKind::Conflict && refused.to_string().contains("sealed"), "{refused}");
    }
    let check = server.client.start_check(&vault.id, true).unwrap().id;
    let check = server.client.wait_for_check(check, |_| ()).unwrap();
    assert_eq!((check.state, check.snapshots_checked), (RunState::Completed, 1));

    // The vault before is still there, for the agent, too.
    let old = server.client.get_vault(&agent.vault).unwrap();
    assert!(!old.current && old.mode == VaultMode::Managed);
    let aside = tempfile::tempdir().unwrap();
    assert_eq!(agent.restore_well(&server, before, aside.path(), &[]).files_restored, 3);

    // Another agent restores with the password alone, and keeps nothing of it.
    let to = |password| NewRestore {
        agent_id: Some(other.id),
        path: Some(aside.path().join("other").to_str().unwrap().to_owned()),
        password,
        ..NewRestore::of(backup.id)
    };
    let refused = server.client.start_restore(&to(None)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    for (password, state) in [("a wrong password", RunState::Failed), (PASSWORD, RunState::Completed)] {
        let password = server.client.encrypt_password(other.id, password, None).unwrap();
        let restore = server.client.start_restore(&to(Some(password))).unwrap().wait(|_| ()).unwrap();
        assert_eq!(restore.state, state, "{restore:?}");
    }
    assert!(!other.folder().join("passwords").exists());
    let config = format!("/vaults/{}/config", vault.id);
    assert_eq!(status(&server, &config, &other.credential()), StatusCode::NOT_FOUND);
    for place in ["roadstead.db", "roadstead.db-wal", "server.log"] {
        let bytes = std::fs::read(server.folder().join(place)).unwrap_or_default();
        assert!(!bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes()), "{place}");
    }
}

#[test]
fn the_password_of_a_sealed_vault_is_changed() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 2, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let file = |text: &str| {
        let path = agent.folder().join(format!("given-{}", text.len()));
        std::fs::write(&path, text).unwrap();
        format!("@{}", path.display())
    };
    let agents = |arguments: &[&str]| {
        let mut command = roadstead();
        command.args(["agents", arguments[0], &agent.id.to_string(), "-o", "json", "--url", &server.url]);
        command.env("ROADSTEAD_API_KEY", &server.api_key).args(&arguments[1..]).output().unwrap()
    };
    let done = agents(&["encrypt", "--password", &file(PASSWORD)]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(server.client.vaults().unwrap().len(), 1, "the empty one went");
    agent.back_up_well(&server, configuration);
    let new = "another long password";
    let wrong = agents(&["password", "--current", &file("not the password"), "--password", &file(new)]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let vault = server.client.get_agent(agent.id).unwrap().vault_id.clone();
    let keys = || std::fs::read_dir(server.vault(&vault).join("keys")).unwrap().count();
    assert_eq!(keys(), 1);
    let done = agents(&["password", "--current", &file(PASSWORD), "--password", &file(new)]);
    assert!(done.status.success(), "{done:?}");
    agent.back_up_well(&server, configuration);
    wait_until("the old key is gone", || keys() == 1);
    for program in restic::all() {
        let folder = server.vault(&vault);
        let folder = folder.to_str().unwrap();
        assert!(!restic::run(&program, folder, PASSWORD, &["snapshots"]).0);
        let (ok, text) = restic::run(&program, folder, new, &["check", "--read-data"]);
        assert!(ok, "{text}");
    }
    assert_eq!(server.client.verify_audit().unwrap().broken_at, None);
}

#[test]
fn a_sealed_vault_is_checked_and_cleaned_by_its_agent_while_the_server_grants_it() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    let file = source.path().join("noise");
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let mut known = server.client.get_agent(agent.id).unwrap();
    let vault = known.encrypt(PASSWORD, None).unwrap().vault_id;
    let backups: Vec<BackupId> = (0..3)
        .map(|seed| {
            std::fs::write(&file, tree::noise(seed, 600_000)).unwrap();
            agent.back_up_well(&server, configuration).id
        })
        .collect();

    // Rules need no look inside. No agent deletes anything of its own accord.
    let retention = Retention { keep_last: Some(1), ..Retention::default() };
    let change = BackupConfigurationChange { retention: Some(retention), ..Default::default() };
    server.client.get_backup_configuration(configuration).unwrap().update(&change).unwrap();
    let plan = server.client.plan_cleanup(&vault).unwrap();
    assert_eq!(
        plan.verdicts.iter().map(|v| v.backup_id).collect::<Vec<_>>(),
        [backups[2], backups[1], backups[0]]
    );
    assert!(
        plan.verdicts.iter().all(|verdict| verdict.kept && verdict.reasons.contains(&"floor".to_owned()))
    );
    let folder = server.vault(&vault);
    let packs = || {
        let folders = std::fs::read_dir(folder.join("data")).unwrap();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let delete = |name: &str| {
        let client: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = client.delete(format!("{}/vaults/{vault}/data/{name}", server.url));
        request.header("authorization", format!("Bearer {}", agent.credential())).call().unwrap().status()
    };
    let before = packs();
    assert!(before.iter().all(|pack| delete(pack) == StatusCode::FORBIDDEN));

    // The first backup loses its snapshot, as if it had come long ago and no rule kept it.
    let snapshot = server.client.get_backup(backups[0]).unwrap().read().unwrap().snapshot_id.unwrap();
    let trash = folder.join("trash/1000000000/snapshots");
    std::fs::create_dir_all(&trash).unwrap();
    let kept = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join("snapshots").join(&snapshot.0), kept.path().join("snapshot")).unwrap();
    std::fs::remove_file(folder.join("snapshots").join(&snapshot.0)).unwrap();
    let started = server.client.start_cleanup(&vault).unwrap();
    let ended = server.client.wait_for_cleanup(started.id, |_| ()).unwrap();
    assert_eq!(ended.state, RunState::Completed, "{ended:?}\n{}", agent.log());
    assert_eq!((ended.backups_kept, ended.backups_forgotten), (2, 1));
    assert!(ended.packs_dropped > 0 && ended.bytes_dropped > 500_000, "{ended:?}");
    assert!(ended.started_at.is_some() && ended.completed_at.is_some());
    let lost: Vec<String> = before.into_iter().filter(|pack| !packs().contains(pack)).collect();
    assert_eq!(lost.len() as u64, ended.packs_dropped);
    assert!(packs().iter().all(|pack| delete(pack) == StatusCode::FORBIDDEN), "the grant has ended");
    sound(&folder);

    // Nothing is gone for good: with its snapshot, too, the first backup would be whole again.
    let thrown = server.client.trash(&vault).unwrap();
    assert!(thrown.files > ended.packs_dropped, "packs, and the index that named them: {thrown:?}");
    server.client.restore_trash(&vault).unwrap();
    std::fs::copy(kept.path().join("snapshot"), folder.join("snapshots").join(&snapshot.0)).unwrap();
    assert!(lost.iter().all(|pack| packs().contains(pack)));
    sound(&folder);

    // What the agent finds is told as of any vault.
    let check = || {
        let check = server.client.start_check(&vault, true).unwrap().id;
        server.client.wait_for_check(check, |_| ()).unwrap()
    };
    let found = check();
    assert_eq!((found.state, found.snapshots_checked, found.problems.len()), (RunState::Completed, 3, 0));
    assert!(found.bytes_read > 1_500_000 && found.packs_checked >= 3, "{found:?}");
    let (pack, folder_of) = (&lost[0], folder.join("data").join(&lost[0][..2]));
    std::fs::remove_file(folder_of.join(pack)).unwrap();
    let found = check();
    assert_eq!(found.state, RunState::CompletedWithErrors, "{found:?}");
    assert!(found.problems.iter().any(|text| text.contains(&snapshot.0)), "{found:?}");
    assert!(found.problems.iter().all(|text| !text.contains("noise")), "{found:?}");

    // Without its agent nobody can look inside: it is waited for.
    assert!(agent.end());
    let waiting = server.client.start_check(&vault, false).unwrap().id;
    wait_until("it waits for the agent", || {
        server.call::<CheckShow>(&waiting, &()).state == RunState::StartRequested
    });
    agent.run();
    let found = server.client.wait_for_check(waiting, |_| ()).unwrap();
    assert_eq!(found.state, RunState::CompletedWithErrors, "{found:?}");
    let activity = server.client.activity(ActivityQuery::default()).unwrap();
    let checks = activity.iter().filter(|activity| activity.kind == ActivityKind::Check);
    assert!(checks.map(|check| check.agent_id).eq([agent.id; 3]));
}

/// Asks restic whether a sealed vault is whole.
fn sound(folder: &Path) {
    for program in restic::all() {
        let (ok, text) = restic::run(&program, folder.to_str().unwrap(), PASSWORD, &["check", "--read-data"]);
        assert!(ok, "{text}");
    }
}

#[test]
fn the_vault_from_before_the_sealing_goes_with_its_agent_when_told_to() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let mut known = server.client.get_agent(agent.id).unwrap();
    known.encrypt(PASSWORD, None).unwrap();
    known.refresh().unwrap();
    assert_ne!(known.vault_id, agent.vault);
    assert_eq!(known.plan_deletion().unwrap().older_vaults, std::slice::from_ref(&agent.vault));
    assert_eq!(server.client.vaults().unwrap().len(), 2);
    known.delete(VaultFate::DeleteAll).unwrap();
    assert!(server.client.vaults().unwrap().is_empty());
    wait_until("the files are gone", || !server.vault(&agent.vault).exists());
}
