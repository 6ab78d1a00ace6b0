//! Tasks of vaults: drills, copies and repairs, on sound vaults and on damaged ones.

use std::path::Path;

use roadstead_api::{
    activity::{ActivityKind, ActivityQuery},
    alarm::AlarmKind,
    id::{BackupId, VaultId},
    run::RunState,
    setup::VaultStoreKind,
    vault_task::{CopyTarget, DrillSettings, NewVaultTask, VaultTask},
};
use roadstead_client::ErrorKind;

use crate::support::{
    Agent, Server,
    restic::{self, Repository},
    tree, wait_until,
};

/// Makes another of a byte of the data: the one in the middle, or so far from the end, where the header is.
fn damage(vault: &Path, from_end: Option<usize>) {
    let folders = std::fs::read_dir(vault.join("data")).unwrap().map(|entry| entry.unwrap().path());
    let packs =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let pack = packs.max_by_key(|pack| pack.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    let at = bytes.len() - from_end.unwrap_or(bytes.len() / 2);
    bytes[at] ^= 1;
    std::fs::remove_file(&pack).unwrap();
    std::fs::write(&pack, bytes).unwrap();
}

fn done(server: &Server, agent: &Agent, new: &NewVaultTask) -> VaultTask {
    let task = server.client.start_vault_task(&agent.vault, new).unwrap();
    server.client.wait_for_vault_task(task.id, |_| ()).unwrap()
}

#[test]
fn a_drill_brings_files_back_and_finds_damage() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 200_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    assert_eq!(server.client.get_vault(&agent.vault).unwrap().last_good_drill_at, None);

    let task = server.client.start_vault_task(&agent.vault, &NewVaultTask::drill()).unwrap();
    let ended = server.client.wait_for_vault_task(task.id, |_| ()).unwrap();
    let report = ended.drill.clone().unwrap();
    assert_eq!(
        (ended.state, report.backup_ids, report.problems),
        (RunState::Completed, vec![backup], vec![])
    );
    assert_eq!((report.files_held, report.files_restored, report.bytes_restored), (5, 5, 1_000_000));
    let vault = server.client.get_vault(&agent.vault).unwrap();
    assert_eq!(vault.last_good_drill_at, ended.completed_at);
    assert_eq!(server.client.vault_tasks(&agent.vault).unwrap(), [ended]);
    let drills = ActivityQuery { kind: Some(ActivityKind::Drill), ..ActivityQuery::default() };
    let drills = server.client.activity(drills).unwrap();
    assert_eq!((drills.len(), drills[0].id, drills[0].agent_id), (1, task.id.0, agent.id));

    damage(&server.vault(&agent.vault), None);
    let ended = done(&server, &agent, &NewVaultTask::Drill { files: Some(1000), bytes: None });
    assert_eq!(ended.state, RunState::CompletedWithErrors, "{ended:?}");
    let report = ended.drill.unwrap();
    assert!(!report.problems.is_empty() && report.files_restored < 5, "{report:?}");
    let told =
        || server.client.alarms().unwrap().into_iter().find(|alarm| alarm.kind == AlarmKind::DrillOverdue);
    wait_until("the alarm is there", || told().is_some());
    assert!(told().unwrap().message.contains("did not bring back"));
}

#[test]
fn drills_are_set_and_stopped() {
    let server = Server::start();
    let agent = Agent::start(&server);
    assert_eq!(server.client.drill_settings().unwrap(), DrillSettings::default());
    let new = DrillSettings { every_days: 0, files: 10, bytes: 1 << 20 };
    assert_eq!(server.client.set_drill_settings(&new).unwrap(), new);
    assert_eq!(server.client.drill_settings().unwrap(), new);
    for wrong in [
        DrillSettings { every_days: 366, ..new.clone() },
        DrillSettings { files: 0, ..new.clone() },
        DrillSettings { bytes: 1, ..new.clone() },
        DrillSettings { bytes: u64::MAX, ..new },
    ] {
        assert_eq!(
            server.client.set_drill_settings(&wrong).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{wrong:?}"
        );
    }

    // Whether it is stopped before it began, while it goes on, or when all was done: it has ended, and soon.
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 20, 500_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let task = server.client.start_vault_task(&agent.vault, &NewVaultTask::drill()).unwrap();
    server.client.stop_vault_task(task.id).unwrap();
    let ended = server.client.wait_for_vault_task(task.id, |_| ()).unwrap();
    assert!(matches!(ended.state, RunState::Cancelled | RunState::Completed), "{ended:?}");
    // One that has ended stays as it is.
    assert_eq!(server.client.stop_vault_task(task.id).unwrap(), ended);
}

#[test]
fn copies_go_to_another_vault_and_to_places_that_the_operator_allows() {
    let folder = tempfile::tempdir().unwrap();
    let (config, offsite) = (folder.path().join("server.toml"), folder.path().join("offsite"));
    std::fs::write(&config, format!("copy_targets = ['offsite={}']\n", offsite.display())).unwrap();
    let server = Server::start_with(&["--config", config.to_str().unwrap()]);
    let (agent, other) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let first = agent.back_up_well(&server, configuration).id;
    tree::fill(source.path(), 4, 120_000);
    agent.back_up_well(&server, configuration);

    let offered = server.client.copy_targets().unwrap();
    assert_eq!(offered, [CopyTarget { name: "offsite".to_owned(), store: VaultStoreKind::Disk }]);
    let to = |to_vault, to_target: Option<&str>, backup_ids| NewVaultTask::Copy {
        to_vault,
        to_target: to_target.map(str::to_owned),
        backup_ids,
        rechunk: false,
    };
    let ended = done(&server, &agent, &to(Some(other.vault.clone()), None, vec![first]));
    let report = ended.copy.unwrap();
    assert_eq!((ended.state, report.backups_copied, report.problems), (RunState::Completed, 1, vec![]));
    let vault = server.client.get_vault(&other.vault).unwrap();
    assert!(vault.snapshot_count == 1 && vault.size_bytes > 300_000, "{vault:?}");
    Repository::of(&server, &other).assert_sound();

    for (copied, skipped) in [(2, 0), (0, 2)] {
        let report = done(&server, &agent, &to(None, Some("offsite"), vec![])).copy.unwrap();
        assert_eq!((report.backups_copied, report.backups_skipped), (copied, skipped));
    }
    let copy = offsite.join(&agent.vault.0);
    let password = Repository::of(&server, &agent).password().to_owned();
    for program in restic::all() {
        let (ok, text) = restic::run(&program, copy.to_str().unwrap(), &password, &["check", "--read-data"]);
        assert!(ok, "{text}");
    }

    let refused = |new: &NewVaultTask| server.client.start_vault_task(&agent.vault, new).unwrap_err().kind();
    assert_eq!(refused(&to(None, Some("elsewhere"), vec![])), ErrorKind::Invalid);
    assert_eq!(refused(&to(None, None, vec![])), ErrorKind::Invalid);
    assert_eq!(refused(&to(Some(other.vault.clone()), Some("offsite"), vec![])), ErrorKind::Invalid);
    assert_eq!(refused(&to(Some(agent.vault.clone()), None, vec![])), ErrorKind::Invalid);
    assert_eq!(refused(&to(None, Some("offsite"), vec![BackupId(999)])), ErrorKind::NotFound);
    assert_eq!(refused(&to(Some(VaultId("none".into())), None, vec![])), ErrorKind::NotFound);

    let growth = server.client.get_vault(&agent.vault).unwrap().growth(None).unwrap();
    let today = growth.days.last().unwrap();
    assert!(today.snapshot_count == 2 && today.size_bytes > 300_000, "{growth:?}");
}

#[test]
fn a_copy_that_is_cut_anew_shares_its_parts_with_what_restic_backs_up() {
    let folder = tempfile::tempdir().unwrap();
    let (config, offsite) = (folder.path().join("server.toml"), folder.path().join("offsite"));
    std::fs::write(&config, format!("copy_targets = ['offsite={}']\n", offsite.display())).unwrap();
    let server = Server::start_with(&["--config", config.to_str().unwrap()]);
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 8_000_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);

    let copy = offsite.join(&agent.vault.0);
    let password = Repository::of(&server, &agent).password().to_owned();
    for program in restic::all() {
        let run = |arguments: &[&str]| {
            let (ok, text) = restic::run(&program, copy.to_str().unwrap(), &password, arguments);
            assert!(ok, "{arguments:?}: {text}");
            text
        };
        // A repository of restic's own, where it cuts by its own rules, and has the same file already.
        let _ = std::fs::remove_dir_all(&copy);
        run(&["init"]);
        run(&["backup", source.path().to_str().unwrap()]);
        let new = NewVaultTask::Copy {
            to_vault: None,
            to_target: Some("offsite".into()),
            backup_ids: Vec::new(),
            rechunk: true,
        };
        let report = done(&server, &agent, &new).copy.unwrap();
        assert_eq!((report.backups_copied, report.backups_failed, &report.problems), (1, 0, &vec![]));
        assert!(report.bytes_added < 100_000, "{report:?}: only the folders are new");
        run(&["check", "--read-data"]);
    }
}

#[test]
fn a_repair_saves_what_is_left_and_backups_go_on() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 5, 200_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let snapshot = || server.client.get_backup(backup).unwrap().read().unwrap().snapshot_id;
    let sound = done(&server, &agent, &NewVaultTask::Repair { read_data: true, dry_run: false });
    assert_eq!((sound.state, sound.repair.unwrap().packs_damaged), (RunState::Completed, 0));

    // What lies in a pack that does not say so any more, the index knows.
    damage(&server.vault(&agent.vault), Some(20));
    let saved = done(&server, &agent, &NewVaultTask::Repair { read_data: false, dry_run: false });
    let report = saved.repair.unwrap();
    assert_eq!((saved.state, report.packs_unreadable, report.parts_lost), (RunState::Completed, 1, 0));
    assert!(report.index_rewritten && report.parts_saved >= 5, "{}", report.parts_saved);
    Repository::of(&server, &agent).assert_sound();

    let before = snapshot();
    damage(&server.vault(&agent.vault), None);
    let planned = done(&server, &agent, &NewVaultTask::Repair { read_data: true, dry_run: true });
    assert_eq!(planned.repair.unwrap().packs_damaged, 1);
    assert_eq!(snapshot(), before, "a dry run changes nothing");
    let ended = done(&server, &agent, &NewVaultTask::Repair { read_data: true, dry_run: false });
    assert_eq!(ended.state, RunState::CompletedWithErrors, "{ended:?}");
    let report = ended.repair.unwrap();
    assert_eq!((report.packs_damaged, report.backups_with_holes), (1, vec![backup]));
    assert!(!report.problems.is_empty() && report.parts_lost > 0, "{:?}", report.problems);
    assert_ne!(snapshot(), before, "the backup is in another snapshot by now");
    Repository::of(&server, &agent).assert_sound();

    let target = tempfile::tempdir().unwrap();
    agent.restore_well(&server, backup, target.path(), &[]);
    let next = agent.back_up_well(&server, configuration);
    assert_eq!(next.files_searched, 5);
    let drilled = done(&server, &agent, &NewVaultTask::drill());
    assert_eq!((drilled.state, drilled.drill.unwrap().files_restored), (RunState::Completed, 5));
}

#[test]
fn a_vault_that_cannot_be_read_keeps_no_other_waiting() {
    let server = Server::start();
    let (broken, sound) = (Agent::start(&server), Agent::start(&server));
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 2, 10_000);
    for agent in [&broken, &sound] {
        let configuration = agent.configure(&server, &[source.path()], &[]);
        agent.back_up_well(&server, configuration);
    }
    std::fs::write(server.vault(&broken.vault).join("config"), "damaged").unwrap();
    let started = [&broken, &sound, &broken, &sound].map(|agent| {
        let drill = server.client.start_vault_task(&agent.vault, &NewVaultTask::drill()).unwrap().id;
        let check = server.client.start_check(&agent.vault, false).unwrap().id;
        let cleanup = server.client.start_cleanup(&agent.vault).unwrap().id;
        (drill, check, cleanup)
    });
    let ended = started.map(|(drill, check, cleanup)| {
        let drill = server.client.wait_for_vault_task(drill, |_| ()).unwrap();
        let check = server.client.wait_for_check(check, |_| ()).unwrap();
        let cleanup = server.client.wait_for_cleanup(cleanup, |_| ()).unwrap();
        let told = [drill.reason.is_some(), !check.problems.is_empty(), cleanup.reason.is_some()];
        ([drill.state, check.state, cleanup.state], told)
    });
    let hit = ([RunState::Failed, RunState::CompletedWithErrors, RunState::Failed], [true; 3]);
    let well = ([RunState::Completed; 3], [false; 3]);
    assert_eq!(ended, [hit, well, hit, well]);
}
