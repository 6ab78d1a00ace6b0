//! What is kept of backups and what is given up; restores that are kept; and the list of all that went on.

use std::time::{Duration, SystemTime};

use roadstead_api::{
    activity::{ActivityKind, ActivityQuery},
    backup_configuration::{BackupConfigurationChange, NewBackupConfiguration},
    restore::NewRestore,
    restore_configuration::NewRestoreConfiguration,
    retention::Retention,
    run::RunState,
    vault_task::NewVaultTask,
};
use roadstead_client::{ErrorKind, base::Configuration};

use crate::support::{Agent, Server, restic::Repository, tree, wait_until};

#[test]
fn a_cleanup_keeps_what_the_rules_and_the_floor_want() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let retention = Retention { keep_last: Some(1), ..Retention::default() };
    let new = NewBackupConfiguration {
        retention: retention.clone(),
        ..NewBackupConfiguration::new("kept", agent.id, vec![source.path().to_str().unwrap().to_owned()])
    };
    let mut configuration = server.client.create_backup_configuration(new).unwrap();
    assert_eq!(configuration.retention, retention);
    let backups: Vec<_> = (0..3).map(|_| agent.back_up_well(&server, configuration.id).id).collect();

    let plan = server.client.plan_cleanup(&agent.vault).unwrap();
    let told: Vec<_> = plan.verdicts.iter().map(|v| (v.backup_id, v.kept)).collect();
    assert_eq!(told, [(backups[2], true), (backups[1], true), (backups[0], true)]);
    assert!(plan.verdicts[2].reasons.contains(&"floor".to_owned()), "{plan:?}");
    let started = server.client.start_cleanup(&agent.vault).unwrap();
    let ended = server.client.wait_for_cleanup(started.id, |_| ()).unwrap();
    assert_eq!((ended.state, ended.backups_kept, ended.backups_forgotten), (RunState::Completed, 3, 0));
    assert_eq!(server.client.cleanups(&agent.vault).unwrap()[0], ended);
    Repository::of(&server, &agent).assert_sound();

    // A snapshot that is gone from the vault, by whatever hand, is found out.
    let snapshot = server.client.get_backup(backups[0]).unwrap().read().unwrap().snapshot_id.unwrap();
    let vault = server.vault(&agent.vault);
    let trash = vault.join("trash/1000000000/snapshots");
    std::fs::create_dir_all(&trash).unwrap();
    std::fs::rename(vault.join("snapshots").join(&snapshot.0), trash.join(&snapshot.0)).unwrap();
    assert_eq!(server.client.trash(&agent.vault).unwrap().snapshots, 1);
    server.client.restore_trash(&agent.vault).unwrap();
    assert_eq!(server.client.trash(&agent.vault).unwrap().files, 0);
    assert_eq!(server.client.get_backup(backups[0]).unwrap().read().unwrap().snapshot_id, Some(snapshot));

    let change = BackupConfigurationChange { retention: Some(Retention::default()), ..Default::default() };
    configuration.update(&change).unwrap();
    let plan = server.client.plan_cleanup(&agent.vault).unwrap();
    assert!(plan.verdicts.iter().all(|verdict| verdict.reasons == ["no_rule"]), "{plan:?}");

    // What other rules would do is shown, and nothing is changed by it.
    let preview = server.client.plan_retention(configuration.id, &retention).unwrap();
    let told: Vec<_> = preview.verdicts.iter().map(|verdict| verdict.backup_id).collect();
    assert_eq!(told, [backups[2], backups[1], backups[0]]);
    assert!(preview.verdicts[0].reasons.contains(&"keep_last".to_owned()), "{preview:?}");
    assert_eq!(preview.verdicts[2].reasons, ["floor"]);
    assert_eq!(server.client.plan_cleanup(&agent.vault).unwrap(), plan);
    let wrong = Retention { keep_last: Some(0), ..Retention::default() };
    let refused = server.client.plan_retention(configuration.id, &wrong).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[test]
fn what_no_look_into_a_vault_can_miss_the_server_knows() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 2, 50_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backups = [0, 1].map(|_| agent.back_up_well(&server, configuration).id);
    let check = || {
        let check = server.client.start_check(&agent.vault, false).unwrap().id;
        server.client.wait_for_check(check, |_| ()).unwrap()
    };
    let told = |words: &[&str]| {
        let found = check();
        let tells = |text: &String| words.iter().all(|word| text.contains(word));
        found.state == RunState::CompletedWithErrors && found.problems.iter().any(tells)
    };
    assert_eq!((check().state, check().problems), (RunState::Completed, vec![]));

    let snapshot = server.client.get_backup(backups[0]).unwrap().read().unwrap().snapshot_id.unwrap().0;
    let vault = server.vault(&agent.vault);
    let (place, aside) = (vault.join("snapshots").join(&snapshot), source.path().join("aside"));
    std::fs::rename(&place, &aside).unwrap();
    assert!(told(&[&snapshot, &format!("backup {}", backups[0])]));
    // What lies in the trash is not lost, and comes back.
    let trash = vault.join("trash/1000000000/snapshots");
    std::fs::create_dir_all(&trash).unwrap();
    std::fs::rename(&aside, trash.join(&snapshot)).unwrap();
    assert_eq!(check().problems, Vec::<String>::new());
    server.client.restore_trash(&agent.vault).unwrap();
    assert!(place.exists());

    // Without its key nobody opens a vault; with a spoilt config, neither. The server has copies of both.
    let key = std::fs::read_dir(vault.join("keys")).unwrap().next().unwrap().unwrap().path();
    let headers = || [&key, &vault.join("config")].map(|header| std::fs::read(header).unwrap());
    let before = headers();
    std::fs::remove_file(&key).unwrap();
    std::fs::remove_file(vault.join("config")).unwrap();
    std::fs::write(vault.join("config"), "spoilt").unwrap();
    assert!(told(&["keys/", key.file_name().unwrap().to_str().unwrap()]));
    assert!(told(&["config"]));
    let repair = NewVaultTask::Repair { read_data: false, dry_run: false };
    let task = server.client.start_vault_task(&agent.vault, &repair).unwrap().id;
    let repaired = server.client.wait_for_vault_task(task, |_| ()).unwrap();
    assert_eq!((repaired.state, headers()), (RunState::Completed, before));
    assert_eq!(check().state, RunState::Completed);
    agent.back_up_well(&server, configuration);
    Repository::of(&server, &agent).assert_sound();
}

#[test]
fn restores_that_are_kept_run_again_and_everything_is_in_the_list_of_activity() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 4, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let target = tempfile::tempdir().unwrap();
    let new = NewRestoreConfiguration {
        path: Some(target.path().to_str().unwrap().to_owned()),
        exclusions: vec!["noise-3".to_owned()],
        ..NewRestoreConfiguration::new("aside", backup)
    };
    let mut kept = server.client.create_restore_configuration(new).unwrap();
    assert_eq!((kept.agent_id, kept.overwrite, kept.latest_restore_id), (agent.id, false, None));
    assert_eq!(Configuration::next_runtime(&*kept), None);
    let restored = target.path().join(source.path().strip_prefix("/").unwrap());
    for files in [3, 0] {
        let restore = server.client.start_restore(&NewRestore::by(kept.id)).unwrap().wait(|_| ()).unwrap();
        assert_eq!((restore.state, restore.configuration_id), (RunState::Completed, Some(kept.id)));
        let report = server.client.get_restore_report(restore.id).unwrap();
        assert_eq!(report.files_restored, files, "what is there already is left alone");
        kept.refresh().unwrap();
        assert_eq!(kept.latest_restore_id, Some(restore.id));
    }
    assert!(restored.join("noise-0").exists() && !restored.join("noise-3").exists());

    kept.update_from_dict(
        &serde_json::json!({ "overwrite": true, "exclusions": [], "inclusions": ["noise-3"] }),
    )
    .unwrap();
    let restore = server.client.start_restore(&NewRestore::by(kept.id)).unwrap().wait(|_| ()).unwrap();
    assert_eq!(restore.state, RunState::Completed);
    assert!(restored.join("noise-3").exists());
    kept.disable().unwrap();
    let refused = server.client.start_restore(&NewRestore::by(kept.id)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(server.client.start_restore(&NewRestore::default()).unwrap_err().kind(), ErrorKind::Invalid);

    let check = server.client.start_check(&agent.vault, false).unwrap().id;
    server.client.wait_for_check(check, |_| ()).unwrap();
    let all = server.client.activity(ActivityQuery::default()).unwrap();
    let kinds: Vec<_> = all.iter().map(|activity| activity.kind).collect();
    use ActivityKind::{Backup, Check, Restore};
    assert_eq!(kinds, [Check, Restore, Restore, Restore, Backup]);
    assert!(all.iter().all(|activity| activity.agent_id == agent.id && activity.state.has_ended()));
    assert_eq!(all[1].configuration_id, Some(kept.id.0));
    let id = kept.id;
    kept.delete().unwrap();
    assert_eq!(server.client.get_restore_configuration(id).unwrap_err().kind(), ErrorKind::NotFound);
    let restores =
        ActivityQuery { kind: Some(Restore), agent_id: Some(agent.id), ..ActivityQuery::default() };
    let restores = server.client.activity(restores).unwrap();
    assert_eq!((restores.len(), restores[0].configuration_deleted), (3, true));
}

#[test]
fn what_interrupted_uploads_have_left_goes() {
    let mut server = Server::start();
    let agent = Agent::start(&server);
    let folder = server.vault(&agent.vault).join("tmp");
    std::fs::create_dir_all(&folder).unwrap();
    let (old, new) = (folder.join("old"), folder.join("new"));
    for (file, age) in [(&old, 7200), (&new, 0)] {
        let file = std::fs::File::create(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    server.kill_and_restart();
    wait_until("the old one is gone", || !old.exists());
    assert!(new.exists(), "an upload may be under way");
}
