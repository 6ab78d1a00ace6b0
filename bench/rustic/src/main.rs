//! rustic_core from the command line: `roadstead-rustic COMMAND REPOSITORY [ARGUMENTS]`, password
//! `RUSTIC_PASSWORD`.
//!
//! It is what our engine is measured beside, and a second reader of what it writes. It stands in a workspace
//! of its own, so that nothing it needs is ever among what Roadstead itself is built from. Without a cache, as
//! the others are asked. `prune` deletes at once and puts up with as much waste as ours does by default.

use std::error::Error;
use std::path::Path;

use rustic_backend::BackendOptions;
use rustic_core::repofile::SnapshotFile;
use rustic_core::{
    BackupOptions, CheckOptions, ConfigOptions, Credentials, KeyOptions, LocalDestination, LsOptions,
    OpenStatus, PathList, PruneOptions, Repository, RepositoryOptions, RestoreOptions, SnapshotOptions,
};

const COMMANDS: &str =
    "init, backup PATH, restore SNAPSHOT TARGET, check, forget SNAPSHOT..., prune, snapshots";

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [command, repository, rest @ ..] = arguments.as_slice() else {
        return Err(format!("roadstead-rustic COMMAND REPOSITORY [ARGUMENTS]; commands: {COMMANDS}").into());
    };
    match (*command, rest) {
        ("init", []) => init(repository),
        ("backup", [path]) => backup(open(repository)?, path),
        ("restore", [snapshot, target]) => restore(open(repository)?, snapshot, target),
        ("check", []) => check(open(repository)?),
        ("forget", snapshots) => forget(&open(repository)?, snapshots),
        ("prune", []) => prune(&open(repository)?),
        ("snapshots", []) => snapshots(&open(repository)?),
        _ => Err(format!("no such command; there are {COMMANDS}").into()),
    }
}

fn closed(repository: &str) -> Outcome<Repository<()>> {
    let backends = BackendOptions::default().repository(repository).to_backends()?;
    Ok(Repository::new(&RepositoryOptions::default().no_cache(true), &backends)?)
}

fn credentials() -> Outcome<Credentials> {
    Ok(Credentials::password(std::env::var("RUSTIC_PASSWORD")?))
}

fn open(repository: &str) -> Outcome<Repository<OpenStatus>> {
    Ok(closed(repository)?.open(&credentials()?)?)
}

fn init(repository: &str) -> Outcome {
    closed(repository)?.init(&credentials()?, &KeyOptions::default(), &ConfigOptions::default())?;
    Ok(())
}

fn backup(repository: Repository<OpenStatus>, path: &str) -> Outcome {
    let repository = repository.to_indexed_ids()?;
    let snapshot = SnapshotOptions::default().to_snapshot()?;
    let source = PathList::from_string(path)?.sanitize()?;
    repository.backup(&BackupOptions::default(), &source, snapshot)?;
    Ok(())
}

fn restore(repository: Repository<OpenStatus>, snapshot: &str, target: &str) -> Outcome {
    let repository = repository.to_indexed()?;
    let node = repository.node_from_snapshot_path(snapshot, |_| true)?;
    let entries = repository.ls(&node, &LsOptions::default())?;
    let target = LocalDestination::new(target, true, !node.is_dir())?;
    let options = RestoreOptions::default();
    let plan = repository.prepare_restore(&options, entries.clone(), &target, false)?;
    repository.restore(plan, &options, entries, &target)?;
    Ok(())
}

fn check(repository: Repository<OpenStatus>) -> Outcome {
    let found = repository.check(CheckOptions::default().trust_cache(true).read_data(true))?;
    found.is_ok()?;
    Ok(())
}

/// Snapshots, oldest first.
fn all(repository: &Repository<OpenStatus>) -> Outcome<Vec<SnapshotFile>> {
    let mut snapshots = repository.get_all_snapshots()?;
    snapshots.sort_by(|one, other| one.time.cmp(&other.time));
    Ok(snapshots)
}

fn forget(repository: &Repository<OpenStatus>, snapshots: &[&str]) -> Outcome {
    let ids: Vec<_> = repository.get_snapshots(snapshots)?.into_iter().map(|snapshot| snapshot.id).collect();
    repository.delete_snapshots(&ids)?;
    Ok(())
}

fn prune(repository: &Repository<OpenStatus>) -> Outcome {
    let options = PruneOptions::default().instant_delete(true);
    let plan = repository.prune_plan(&options)?;
    repository.prune(&options, plan)?;
    Ok(())
}

/// A line for each: its id, and the paths in it.
fn snapshots(repository: &Repository<OpenStatus>) -> Outcome {
    for snapshot in all(repository)? {
        let paths = snapshot.paths.iter().map(|path| Path::new(path).display().to_string());
        println!("{} {}", snapshot.id, paths.collect::<Vec<_>>().join(" "));
    }
    Ok(())
}
