//! The engine from the command line, for measuring and for looking:
//! `vault COMMAND STORE [ARGUMENTS]`, password `VAULT_PASSWORD`. STORE is a folder or an HTTP URL of a REST
//! server, which is shown the token `VAULT_TOKEN` if there is one. `forget` takes the ids of snapshots; it and `prune` remove for good.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use roadstead_vault::store::{Disposal, LocalStore, RestAuth, RestConfig, RestStore, Store};
use roadstead_vault::{
    ArchiveFormat, BackupOptions, Cancel, CheckOptions, ErrorKind, FileError, FindOptions, InitOptions,
    Monitor, Page, PruneOptions, Repository, RestoreOptions, Search, Snapshot, SnapshotRepair, VoidMonitor,
};

const COMMANDS: &str = "init, backup PATH..., cancel MILLISECONDS PATH..., restore SNAPSHOT TARGET, check, check-data, snapshots, \
     forget SNAPSHOT..., prune, copy STORE, copy-rechunked STORE, salvage PACK..., repair-index, repair-snapshots, ls SNAPSHOT PATH [OFFSET LIMIT], cat SNAPSHOT PATH, \
     tar SNAPSHOT PATH, zip SNAPSHOT PATH, diff SNAPSHOT SNAPSHOT, \
     find PATTERN [SNAPSHOT...], stats [SNAPSHOT...]";

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

struct Terminal;

#[allow(clippy::print_stderr, reason = "this is a command")]
impl Monitor for Terminal {
    fn error(&self, error: &FileError) {
        eprintln!("error: {error}");
    }

    fn warning(&self, warning: &FileError) {
        eprintln!("warning: {warning}");
    }
}

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [command, store, rest @ ..] = arguments.as_slice() else {
        return Err(format!("vault COMMAND STORE [ARGUMENTS]; commands: {COMMANDS}").into());
    };
    let store: Arc<dyn Store> = match store.starts_with("http") {
        true => {
            let auth = std::env::var("VAULT_TOKEN").map_or(RestAuth::None, RestAuth::Bearer);
            let config = RestConfig { url: (*store).to_owned(), auth, ..RestConfig::default() };
            Arc::new(RestStore::new(config)?)
        }
        false => Arc::new(LocalStore::new(store)),
    };
    if *command == "init" {
        Repository::init(store, &password()?, &InitOptions::default())?;
        return Ok(());
    }
    let repository = Repository::open(store, &password()?)?;
    match *command {
        "ls" | "cat" | "tar" | "zip" | "diff" | "find" | "stats" | "snapshots" => {
            look(&repository, command, rest)
        }
        _ => work(&repository, command, rest),
    }
}

fn password() -> Outcome<Vec<u8>> {
    Ok(std::env::var("VAULT_PASSWORD")?.into_bytes())
}

/// Begins a backup, cancels it, and prints how many milliseconds it went on.
#[allow(clippy::print_stdout, reason = "this is a command")]
fn cancelled(repository: &Repository, after: u64, paths: &[&str]) -> Outcome {
    let (cancel, paths) = (Cancel::new(), paths.iter().map(Into::into).collect());
    let options = BackupOptions { paths, ..BackupOptions::default() };
    let canceller = cancel.clone();
    let moment = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(after));
        canceller.cancel();
        Instant::now()
    });
    let outcome = repository.backup(&options, &VoidMonitor, &cancel);
    let ended = Instant::now();
    match outcome {
        Ok(_) => Err("the backup ended before it was cancelled".into()),
        Err(error) if error.kind() != ErrorKind::Cancelled => Err(error.into()),
        Err(_) => {
            let moment = moment.join().map_err(|_| "the thread that cancels panicked")?;
            println!("{}", ended.saturating_duration_since(moment).as_millis());
            Ok(())
        }
    }
}

/// What changes the repository, or reads all of it.
#[allow(clippy::print_stdout, reason = "this is a command")]
fn work(repository: &Repository, command: &str, arguments: &[&str]) -> Outcome {
    let cancel = Cancel::new();
    match (command, arguments) {
        ("backup", paths) => {
            let paths = paths.iter().map(Into::into).collect();
            let options = BackupOptions { paths, ..BackupOptions::default() };
            println!("{:#?}", repository.backup(&options, &Terminal, &cancel)?);
        }
        ("cancel", [after, paths @ ..]) => cancelled(repository, after.parse()?, paths)?,
        ("restore", [snapshot, target]) => {
            let (snapshot, options) = (repository.snapshot(snapshot)?, RestoreOptions::to(*target));
            println!("{:#?}", repository.restore(&snapshot, &options, &Terminal, &cancel)?);
        }
        ("check" | "check-data", []) => {
            let options = CheckOptions { read_data: command == "check-data", ..CheckOptions::default() };
            println!("{:#?}", repository.check(&options, &Terminal, &cancel)?);
        }
        ("forget", ids) if !ids.is_empty() => {
            let ids: Vec<_> = named(repository, ids)?.into_iter().map(|snapshot| snapshot.id).collect();
            println!("{} forgotten", repository.forget(&ids, Disposal::Remove, &cancel)?);
        }
        ("copy" | "copy-rechunked", [destination]) => {
            let destination = Repository::open(Arc::new(LocalStore::new(destination)), &password()?)?;
            let snapshots = repository.snapshots()?;
            let copied = match command {
                "copy" => repository.copy_to(&destination, &snapshots, &Terminal, &cancel)?,
                _ => repository.copy_rechunked_to(&destination, &snapshots, &Terminal, &cancel)?,
            };
            println!("{copied:#?}");
        }
        ("salvage", packs) => {
            let packs = packs.iter().map(|pack| pack.parse()).collect::<Result<Vec<_>, _>>()?;
            println!("{:#?}", repository.salvage_packs(&packs, Disposal::Remove, &cancel)?);
        }
        ("repair-index", []) => println!("{:#?}", repository.repair_index(&cancel)?),
        ("repair-snapshots", []) => {
            let (snapshots, options) = (repository.snapshots()?, SnapshotRepair::default());
            println!("{:#?}", repository.repair_snapshots(&snapshots, &options, &Terminal, &cancel)?);
        }
        ("prune", []) => {
            let options = PruneOptions { disposal: Disposal::Remove, ..PruneOptions::default() };
            println!("{:#?}", repository.prune(&options, &Terminal, &cancel)?);
        }
        _ => return Err(format!("not understood; commands: {COMMANDS}").into()),
    }
    Ok(())
}

/// What only looks.
#[allow(clippy::print_stdout, reason = "this is a command")]
fn look(repository: &Repository, command: &str, arguments: &[&str]) -> Outcome {
    let cancel = Cancel::new();
    match (command, arguments) {
        ("snapshots", []) => {
            repository.snapshots()?.iter().for_each(|s| println!("{} {} {:?}", s.id, s.time, s.paths))
        }
        ("ls", [snapshot, path, rest @ ..]) => {
            let page = match rest {
                [offset, limit] => Page { offset: offset.parse()?, limit: limit.parse()? },
                _ => Page::ALL,
            };
            for entry in repository.list(&repository.snapshot(snapshot)?, path.as_ref(), page)? {
                println!("{:04o} {:>12} {} {}", entry.mode, entry.size, entry.modified, entry.name.display());
            }
        }
        ("cat", [snapshot, path]) => {
            let snapshot = repository.snapshot(snapshot)?;
            repository.cat(&snapshot, path.as_ref(), &mut std::io::stdout().lock(), &cancel)?;
        }
        ("tar" | "zip", [snapshot, path]) => {
            let format = if command == "tar" { ArchiveFormat::Tar } else { ArchiveFormat::Zip };
            let (snapshot, mut out) = (repository.snapshot(snapshot)?, std::io::stdout().lock());
            repository.archive(&snapshot, path.as_ref(), format, &mut out, &Terminal, &cancel)?;
        }
        ("diff", [before, after]) => {
            let (before, after) = (repository.snapshot(before)?, repository.snapshot(after)?);
            let mut show = |change: roadstead_vault::Change| {
                println!("{:?} {}", change.difference, change.path.display())
            };
            println!("{:#?}", repository.diff(&before, &after, &Terminal, &cancel, &mut show)?);
        }
        ("find", [pattern, snapshots @ ..]) => {
            let options = FindOptions { patterns: vec![(*pattern).to_owned()], ..FindOptions::default() };
            let mut show = |found: roadstead_vault::Found| {
                println!("{} {}", found.snapshot, found.path.display());
                Search::Continue
            };
            repository.find(&named(repository, snapshots)?, &options, &VoidMonitor, &cancel, &mut show)?;
        }
        ("stats", snapshots) => {
            println!("{:#?}", repository.stats(&named(repository, snapshots)?, &Terminal, &cancel)?);
        }
        _ => return Err(format!("not understood; commands: {COMMANDS}").into()),
    }
    Ok(())
}

/// The snapshots with these ids; all when none is given.
fn named(repository: &Repository, ids: &[&str]) -> Outcome<Vec<Snapshot>> {
    if ids.is_empty() {
        return Ok(repository.snapshots()?);
    }
    Ok(ids.iter().map(|id| repository.snapshot(id)).collect::<Result<_, _>>()?)
}
