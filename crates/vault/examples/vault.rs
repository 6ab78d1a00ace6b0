//! The engine from the command line, for measuring:
//! `vault init|backup|restore|check|check-data|snapshots|forget|prune STORE [ARGUMENTS]`, password
//! `VAULT_PASSWORD`. STORE is a folder or an HTTP URL of a REST server. `forget` takes the ids of snapshots;
//! it and `prune` remove for good.

use std::error::Error;
use std::sync::Arc;

use roadstead_vault::store::{Disposal, LocalStore, RestConfig, RestStore, Store};
use roadstead_vault::{
    BackupOptions, Cancel, CheckOptions, FileError, InitOptions, Monitor, PruneOptions, Repository,
    RestoreOptions,
};

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

#[allow(clippy::print_stdout, reason = "this is a command")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, store, rest @ ..] = arguments.as_slice() else {
        return Err("which command, which store?".into());
    };
    let store: Arc<dyn Store> = match store.starts_with("http") {
        true => Arc::new(RestStore::new(RestConfig { url: store.clone(), ..RestConfig::default() })?),
        false => Arc::new(LocalStore::new(store)),
    };
    let password = std::env::var("VAULT_PASSWORD")?;
    let cancel = Cancel::new();
    if command == "init" {
        Repository::init(store, password.as_bytes(), &InitOptions::default())?;
        return Ok(());
    }
    let repository = Repository::open(store, password.as_bytes())?;
    match command.as_str() {
        "backup" => {
            let paths = rest.iter().map(Into::into).collect();
            let options = BackupOptions { paths, ..BackupOptions::default() };
            println!("{:#?}", repository.backup(&options, &Terminal, &cancel)?);
        }
        "restore" => {
            let [snapshot, target] = rest else { return Err("which snapshot, where to?".into()) };
            let snapshot = repository.snapshot(snapshot)?;
            let options = RestoreOptions::to(target);
            println!("{:#?}", repository.restore(&snapshot, &options, &Terminal, &cancel)?);
        }
        "check" | "check-data" => {
            let options = CheckOptions { read_data: command == "check-data", ..CheckOptions::default() };
            println!("{:#?}", repository.check(&options, &Terminal, &cancel)?);
        }
        "snapshots" => {
            repository.snapshots()?.iter().for_each(|s| println!("{} {} {:?}", s.id, s.time, s.paths))
        }
        "forget" => {
            let ids =
                rest.iter().map(|id| repository.snapshot(id).map(|s| s.id)).collect::<Result<Vec<_>, _>>()?;
            println!("{} forgotten", repository.forget(&ids, Disposal::Remove, &cancel)?);
        }
        "prune" => {
            let options = PruneOptions { disposal: Disposal::Remove, ..PruneOptions::default() };
            println!("{:#?}", repository.prune(&options, &Terminal, &cancel)?);
        }
        _ => return Err("unknown command".into()),
    }
    Ok(())
}
