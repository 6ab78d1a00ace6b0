//! Enrol a machine, back it up, prove the restore.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use roadstead_api::{
    backup::{Backup, BackupReportShow},
    check::{CheckCreate, NewCheck},
    file::{FileList, FileQuery, FileType},
    run::RunState,
};
use roadstead_client::ErrorKind;

use crate::support::{
    Agent, Server, is_root,
    restic::{self, Repository},
    roadstead, tree, wait_until,
};

#[test]
fn a_backup_is_restored_by_us_and_by_restic_with_all_metadata() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::build(&source);
    let configuration = agent.configure(&server, &[&source], &[]);

    let first = agent.back_up_well(&server, configuration);
    assert!(first.ok && first.restorable && first.error_count == 0, "{first:?}");
    assert!(first.files_searched == 9 && first.files_searched == first.files_backed_up, "{first:?}");
    assert!(first.bytes_added > 9 << 20, "{first:?}");

    let ours = work.path().join("ours");
    let report = agent.restore_well(&server, first.id, &ours, &[]);
    assert!(report.ok && report.files_restored == 9, "{report:?}");
    tree::assert_same(&source, &ours.join(source.strip_prefix("/").unwrap()));

    let repository = Repository::of(&server, &agent);
    for (number, restic) in restic::all().iter().enumerate() {
        repository.run(restic, &["check", "--read-data"]);
        let theirs = work.path().join(format!("theirs-{number}"));
        repository.run(restic, &["restore", "latest", "--target", theirs.to_str().unwrap()]);
        tree::assert_same(&source, &theirs.join(source.strip_prefix("/").unwrap()));
    }

    let again = agent.back_up_well(&server, configuration);
    assert_eq!((again.files_searched, again.files_backed_up), (first.files_searched, 0), "{again:?}");
    assert!(again.bytes_added < 64 << 10, "{again:?}");
    repository.assert_sound();
}

#[test]
fn a_snapshot_of_restic_in_the_vault_is_kept_and_built_upon() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::build(&source);
    let repository = Repository::of(&server, &agent);
    for restic in restic::all() {
        repository.run(&restic, &["backup", source.to_str().unwrap()]);
    }
    let configuration = agent.configure(&server, &[&source], &[]);
    agent.back_up_well(&server, configuration);
    repository.assert_sound();
    let check = server.call::<CheckCreate>(&agent.vault, &NewCheck { read_data: true });
    let mut ended = check.clone();
    wait_until("the check has ended", || {
        ended = server.call::<roadstead_api::check::CheckShow>(&check.id, &());
        ended.state.has_ended()
    });
    assert_eq!((ended.state, ended.problems.len()), (RunState::Completed, 0), "{ended:?}");
    assert!(ended.packs_checked > 0 && ended.bytes_read > 9 << 20, "{ended:?}");
}

#[test]
fn parts_are_restored_by_pattern_and_browsed() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::build(&source);
    let configuration = agent.configure(&server, &[&source], &["*.tmp", "fifo"]);
    fs::write(source.join("left out.tmp"), "x").unwrap();
    let report = agent.back_up_well(&server, configuration);

    let target = work.path().join("part");
    agent.restore_well(&server, report.id, &target, &["deeper"]);
    let restored = target.join(source.strip_prefix("/").unwrap());
    assert!(restored.join("deep/er/and/deeper/copy of small").is_file());
    assert!(!restored.join("small").exists());

    let query = FileQuery { path: Some(source.to_str().unwrap().to_owned()), limit: Some(3), cursor: None };
    let page = server.client.call::<FileList>(&report.id, &query, &()).unwrap();
    assert_eq!(page.items.len(), 3);
    let mut names: Vec<_> = page.items.iter().map(|file| file.name.clone()).collect();
    let mut next = page.next;
    while let Some(cursor) = next {
        let query = FileQuery { cursor: Some(cursor), ..query.clone() };
        let page = server.client.call::<FileList>(&report.id, &query, &()).unwrap();
        names.extend(page.items.iter().map(|file| file.name.clone()));
        next = page.next;
    }
    let mut there: Vec<_> = fs::read_dir(&source)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    there.retain(|name| name != "fifo" && name != "left out.tmp");
    names.sort();
    there.sort();
    assert_eq!(names, there);
    let folder = page_of(&server, report.id, &source.join("deep"));
    assert_eq!(folder.iter().find(|file| file.name == "er").unwrap().kind, FileType::Dir);

    let cat = roadstead()
        .args(["vaults", "cat", "--backup", &report.id.to_string(), source.join("large").to_str().unwrap()])
        .env("ROADSTEAD_URL", &server.url)
        .env("ROADSTEAD_API_KEY", &server.api_key)
        .output()
        .unwrap();
    assert!(cat.status.success(), "{cat:?}");
    assert!(cat.stdout == fs::read(source.join("large")).unwrap());
}

fn page_of(
    server: &Server,
    backup: roadstead_api::id::BackupId,
    folder: &std::path::Path,
) -> Vec<roadstead_api::file::File> {
    let query = FileQuery { path: Some(folder.to_str().unwrap().to_owned()), ..FileQuery::default() };
    server.client.call::<FileList>(&backup, &query, &()).unwrap().items
}

#[test]
fn files_that_are_there_are_skipped_or_overwritten_as_asked() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::fill(&source, 3, 10_000);
    let configuration = agent.configure(&server, &[&source], &[]);
    let report = agent.back_up_well(&server, configuration);
    let changed = source.join("noise-1");
    fs::write(&changed, "changed since").unwrap();

    let kept = agent.restore_well(&server, report.id, std::path::Path::new("/"), &[source.to_str().unwrap()]);
    assert_eq!((kept.files_restored, kept.files_skipped), (0, 3), "{kept:?}");
    assert_eq!(fs::read_to_string(&changed).unwrap(), "changed since");

    let new = roadstead_api::restore::NewRestore {
        inclusions: vec![source.to_str().unwrap().to_owned()],
        overwrite: true,
        ..roadstead_api::restore::NewRestore::of(report.id)
    };
    let restore = server.client.start_restore(&new).unwrap().wait(|_| ()).unwrap();
    assert_eq!(restore.state, RunState::Completed, "{restore:?}");
    assert_eq!(fs::read(&changed).unwrap(), tree::noise(2, 10_000));
}

#[test]
fn an_unreadable_file_is_reported_and_the_exit_status_is_3() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    let agent = Agent::start_as_nobody(&server);
    let work = tempfile::tempdir().unwrap();
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let source = work.path().join("source");
    tree::fill(&source, 2, 1000);
    fs::set_permissions(source.join("noise-1"), fs::Permissions::from_mode(0o000)).unwrap();
    let configuration = agent.configure(&server, &[&source], &[]);

    let start = roadstead()
        .args(["backups", "start", "--wait", "-o", "json", "--configuration", &configuration.to_string()])
        .env("ROADSTEAD_URL", &server.url)
        .env("ROADSTEAD_API_KEY", &server.api_key)
        .output()
        .unwrap();
    assert_eq!(start.status.code(), Some(3), "{start:?}");
    let backup: Backup = serde_json::from_slice(&start.stdout).unwrap();
    assert_eq!(backup.state, RunState::CompletedWithErrors);
    let report = server.call::<BackupReportShow>(&backup.id, &());
    assert!(!report.ok && report.restorable, "{report:?}");
    assert_eq!((report.error_count, report.errors.len()), (1, 1), "{report:?}");
    assert_eq!(report.errors[0].path, source.join("noise-1").to_str().unwrap());
    assert_eq!((report.errors[0].code, report.errors[0].kind.as_str()), (13, "permission_denied"));

    let target = work.path().join("restored");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o777)).unwrap();
    agent.restore(&server, report.id, &target, &[]);
    let restored = target.join(source.strip_prefix("/").unwrap()).join("noise-0");
    assert_eq!(fs::read(restored).unwrap(), tree::noise(1, 1000));
}

#[test]
fn a_file_that_changes_while_it_is_read_harms_nothing() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::fill(&source, 20, 4 << 20);
    let configuration = agent.configure(&server, &[&source], &[]);
    let ended = AtomicBool::new(false);
    let backup = std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0_u64.. {
                let file = source.join(format!("noise-{}", round % 20));
                match round % 3 {
                    0 => drop(fs::File::options().append(true).open(&file).unwrap().write_all(b"more")),
                    1 => fs::File::options().write(true).open(&file).unwrap().set_len(1 << 20).unwrap(),
                    _ => fs::rename(tempfile(&source, round), &file).unwrap(),
                }
                if ended.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let backup = agent.back_up(&server, configuration);
        ended.store(true, Ordering::Relaxed);
        backup
    });
    assert!(matches!(backup.state, RunState::Completed | RunState::CompletedWithErrors), "{backup:?}");
    Repository::of(&server, &agent).assert_sound();
    agent.back_up_well(&server, configuration);
}

fn tempfile(folder: &Path, seed: u64) -> PathBuf {
    let file = folder.join("new");
    fs::write(&file, tree::noise(seed, 2 << 20)).unwrap();
    file
}

#[test]
fn a_stopped_backup_has_no_report_and_leaves_a_sound_vault() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::fill(&source, 30, 16 << 20);
    let configuration = agent.configure(&server, &[&source], &[]);
    let mut backup = server.client.create_backup(configuration).unwrap();
    let status = backup.start().unwrap();
    wait_until("data is added", || status.read().unwrap().progress.bytes_added > 0);
    let refused = server.client.start_backup(configuration).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    backup.stop().unwrap();
    assert_eq!(status.state().unwrap(), RunState::Cancelled);
    assert!(backup.report().unwrap().is_none());
    Repository::of(&server, &agent).assert_sound();
    agent.back_up_well(&server, configuration);
}
