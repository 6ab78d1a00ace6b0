//! The draft of the backup bindings, line by line: connect, look around, change a configuration, run it, stop it, read its
//! report, restore from it, and in the end seal the agent's vault, and delete configuration and agent.
//!
//! ```text
//! ROADSTEAD_URL=http://127.0.0.1:7643 ROADSTEAD_USER=admin ROADSTEAD_API_KEY=... \
//!     cargo run --package roadstead-client --example backups -- CONFIGURATION_ID RESTORE_TO
//! ```
#![allow(clippy::print_stdout, reason = "this is what the example is for")]

use std::{env, error::Error};

use roadstead_client::{
    api::{
        agent::VaultFate, id::BackupConfigurationId, restore::NewRestore,
        restore_configuration::NewRestoreConfiguration, run::RunError,
    },
    blocking::{Backup, BackupStatus, Client},
};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [configuration_id, restore_to] = arguments.as_slice() else {
        return Err("which configuration, and where to restore to?".into());
    };
    let id = configuration_id.parse()?;
    let conn = Client::connect(
        &env::var("ROADSTEAD_URL")?,
        &env::var("ROADSTEAD_USER")?,
        &env::var("ROADSTEAD_API_KEY")?,
    )?;
    look_around(&conn)?;
    change_configuration(&conn, id)?;
    let mut backup = conn.create_backup(id)?;
    let stopped = run_and_stop(&conn, &mut backup)?;
    let status = run_to_the_end(&conn, &mut backup, &stopped)?;
    restore(&conn, &status, restore_to)?;
    the_end(&conn, id)
}

fn look_around(conn: &Client) -> Result<(), Box<dyn Error>> {
    println!("agents: {}", shown(&conn.agents()?));
    println!("backup_configurations: {}", shown(&conn.backup_configurations()?));
    println!("restore_configurations: {}", shown(&conn.restore_configurations()?));
    println!("active_backups: {}", shown(&conn.active_backups()?));
    println!("active_restores: {}", shown(&conn.active_restores()?));
    println!("api_endpoint: {}", conn.api_endpoint());
    println!("api_version: {}", conn.api_version());
    let first = conn.agents()?.first().map(|agent| agent.id).ok_or("there is no agent")?;
    let agent = conn.get_agent(first)?;
    println!("agent: {}", agent.name);
    println!("agent.backup_configurations: {}", shown(&agent.backup_configurations()?));
    println!("agent.restore_configurations: {}", shown(&agent.restore_configurations()?));
    println!("agent.active_backups: {}", shown(&agent.active_backups()?));
    println!("agent.active_restores: {}", shown(&agent.active_restores()?));
    println!("busy {}, encrypted {}, enabled {}", agent.is_busy(), agent.is_encrypted(), agent.is_enabled());
    Ok(())
}

fn change_configuration(conn: &Client, id: BackupConfigurationId) -> Result<(), Box<dyn Error>> {
    let mut config = conn.get_backup_configuration(id)?;
    println!("schedule: {}", config.schedule);
    println!("next_runtime: {:?}", config.next_runtime());
    println!("notifies_on_failure {}", config.notifies_on_failure());
    println!("notifies_on_success {}", config.notifies_on_success());
    println!("notification_email: {:?}", config.notification_email());
    config.disable()?;
    println!("enabled: {}", config.is_enabled());
    config.enable()?;
    config.update_from_dict(&json!({ "exclusions": ["*.tmp"] }))?;
    println!("exclusions: {:?}", config.exclusions);
    let file = env::temp_dir().join(format!("backups-example-{}.toml", std::process::id()));
    std::fs::write(&file, "notification_email = 'ops@example.org'\nnotify_failure = true\n")?;
    config.update_from_file(&file)?;
    std::fs::remove_file(&file)?;
    println!("told of failures: {:?}, {}", config.notification_email(), config.notifies_on_failure());
    Ok(())
}

fn run_and_stop(conn: &Client, backup: &mut Backup) -> Result<BackupStatus, Box<dyn Error>> {
    println!("running: {}", backup.running()?);
    println!("inclusions: {:?}, exclusions: {:?}", backup.inclusions(), backup.exclusions());
    let status = backup.start()?;
    println!("status: {}", status.state()?);
    println!("busy while it runs: {}", conn.agents()?.iter().any(|agent| agent.is_busy()));
    println!("active_backups: {}", conn.active_backups()?.len());
    backup.stop()?;
    println!("state: {}", status.state()?);
    println!("report: {}", if backup.report()?.is_none() { "None" } else { "there is one" });
    Ok(status)
}

/// The same handle, started again, stands for another run.
fn run_to_the_end(
    conn: &Client,
    backup: &mut Backup,
    stopped: &BackupStatus,
) -> Result<BackupStatus, Box<dyn Error>> {
    let status = backup.start()?;
    println!("another run: {}", status.id() != stopped.id());
    backup.wait(|_| ())?;
    let report = conn.get_backup_report(status.id())?;
    println!("ok {}, error {:?}, restorable {}", report.ok, report.error, report.is_restorable());
    println!("configuration: {}", report.get_configuration()?);
    println!("took time: {}", !report.duration().is_zero());
    println!("files_searched: {}", report.files_searched);
    println!("bytes_searched: {}", report.bytes_searched);
    println!("bytes_backed_up: {}", report.bytes_backed_up);
    println!("id: {}", report.id == status.id());
    println!("running: {}", backup.running()?);
    for time in ["once", "twice"] {
        println!("report {time}: {}", backup.report()?.is_some_and(|same| same.id == report.id));
    }
    println!("errors: {}", report.errors.len());
    for RunError { kind, reason, code, details, path } in &report.errors {
        println!("error: {path}: {kind} {code}, {reason}, {details}");
    }
    Ok(status)
}

fn restore(conn: &Client, backup: &BackupStatus, to: &str) -> Result<(), Box<dyn Error>> {
    let new = NewRestoreConfiguration {
        path: Some(to.to_owned()),
        ..NewRestoreConfiguration::new("aside", backup.id())
    };
    let id = conn.create_restore_configuration(new)?.id;
    let mut config = conn.get_restore_configuration(id)?;
    println!("restore configuration: {}", config.name);
    println!("restore schedule: {}, next_runtime: {:?}", config.schedule(), config.next_runtime());
    config.disable()?;
    config.enable()?;
    println!("restore enabled: {}", config.is_enabled());
    config.update_from_dict(
        &json!({ "overwrite": true, "notification_email": "ops@example.org", "notify_success": true }),
    )?;
    println!("told of restores: {:?}, {}", config.notification_email(), config.notifies_on_success());

    let mut restore = conn.create_restore(NewRestore::by(id))?;
    println!("restore running: {}", restore.running()?);
    let status = restore.start()?;
    restore.wait(|_| ())?;
    println!("restore state: {}", status.state()?);
    let report = conn.get_restore_report(status.id())?;
    println!("restored: ok {}, {} files, errors {:?}", report.ok, report.files_restored, report.errors);
    println!("the same report: {}", restore.report()?.is_some_and(|same| same.id == report.id));
    config.delete()?;
    println!("restore configurations left: {}", conn.restore_configurations()?.len());
    Ok(())
}

fn the_end(conn: &Client, id: BackupConfigurationId) -> Result<(), Box<dyn Error>> {
    let config = conn.get_backup_configuration(id)?;
    let mut agent = conn.get_agent(config.agent_id)?;
    let sealing = agent.encrypt("correct horse battery staple", None)?;
    println!("sealing: {}", conn.wait_for_sealing(sealing.id)?.state);
    agent.refresh()?;
    println!("is_encrypted: {}", agent.is_encrypted());
    config.delete()?;
    println!("backup configurations left: {}", agent.backup_configurations()?.len());
    agent.delete(VaultFate::Keep)?;
    println!("agents left: {}", conn.agents()?.len());
    Ok(())
}

fn shown<T: std::fmt::Display>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}
