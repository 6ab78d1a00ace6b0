//! `roadstead vaults drill`, `copy`, `repair` and `tasks`: work on a vault that the server does, and that can be watched and stopped.

use clap::{Args, Subcommand};
use roadstead_client::api::{
    PageQuery,
    id::{BackupId, VaultId, VaultTaskId},
    run::RunState,
    setup::VaultStoreKind,
    vault_task::{CopyTarget, DrillSettings, NewVaultTask, VaultTask, VaultTaskList},
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    progress::ProgressBar,
    session::Session,
    table::{self, Row},
};

/// How much to drill.
#[derive(Args, Debug)]
pub struct DrillArgs {
    /// The vault's id.
    vault: VaultId,
    /// How many files at the most; what the settings say otherwise.
    #[arg(long, value_name = "N")]
    files: Option<u32>,
    /// How many bytes at the most: a number with KiB, MiB, GiB or TiB; what the settings say otherwise.
    #[arg(long, value_name = "SIZE", value_parser = human::parse_size)]
    bytes: Option<u64>,
    /// Start it, and do not wait for its end.
    #[arg(long)]
    no_wait: bool,
}

/// What to copy, and where to.
#[derive(Args, Debug)]
pub struct CopyArgs {
    /// The vault's id.
    vault: VaultId,
    /// To another vault of the account.
    #[arg(long, value_name = "VAULT", required_unless_present = "to_target", conflicts_with = "to_target")]
    to_vault: Option<VaultId>,
    /// To a place that the server's operator has given this name.
    #[arg(long, value_name = "NAME")]
    to_target: Option<String>,
    /// Which backups; everything in the vault when absent.
    #[arg(long, value_name = "BACKUP", num_args = 1..)]
    backup: Vec<BackupId>,
    /// Cut files anew, as the destination does with its own backups: what is backed up there later shares its parts with the
    /// copies.
    #[arg(long)]
    rechunk: bool,
    /// Start it, and do not wait for its end.
    #[arg(long)]
    no_wait: bool,
}

/// What to repair.
#[derive(Args, Debug)]
pub struct RepairArgs {
    /// The vault's id.
    vault: VaultId,
    /// Read all data, to find what is damaged.
    #[arg(long)]
    read_data: bool,
    #[command(flatten)]
    sure: DeleteArgs,
}

/// When vaults are drilled. Without options the settings are shown.
#[derive(Args, Debug)]
pub struct DrillSettingsArgs {
    /// Drill each vault every so many days; 0 for never.
    #[arg(long, value_name = "DAYS")]
    every_days: Option<u32>,
    /// How many files at the most.
    #[arg(long, value_name = "N")]
    files: Option<u32>,
    /// How many bytes at the most: a number with KiB, MiB, GiB or TiB.
    #[arg(long, value_name = "SIZE", value_parser = human::parse_size)]
    bytes: Option<u64>,
}

/// The verbs of tasks.
#[derive(Subcommand, Debug)]
pub enum VaultTaskCommand {
    /// List the tasks of a vault, newest first.
    #[command(after_help = "Example:\n  roadstead vaults tasks list VAULT")]
    List {
        /// The vault's id.
        vault: VaultId,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a task, how far it has come, and what it found.
    #[command(after_help = "Example:\n  roadstead vaults tasks show 1")]
    Show {
        /// The task's id.
        task: VaultTaskId,
    },
    /// Stop a task.
    #[command(after_help = "Example:\n  roadstead vaults tasks stop 1")]
    Stop {
        /// The task's id.
        task: VaultTaskId,
    },
    /// Wait until a task has ended.
    #[command(after_help = "Example:\n  roadstead vaults tasks wait 1")]
    Wait {
        /// The task's id.
        task: VaultTaskId,
    },
}

impl Row for CopyTarget {
    const COLUMNS: &'static [&'static str] = &["name", "store"];
    fn cells(&self) -> Vec<String> {
        let store = match self.store {
            VaultStoreKind::Disk => "folder",
            VaultStoreKind::Bucket => "bucket",
        };
        vec![self.name.clone(), store.to_owned()]
    }
}

impl Row for VaultTask {
    const COLUMNS: &'static [&'static str] = &["id", "kind", "state", "when", "reason"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.kind.to_string(),
            self.state.to_string(),
            table::age(Some(self.created_at)),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: VaultTaskCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        VaultTaskCommand::List { vault, which } => {
            return list::print::<VaultTaskList, _>(session, vault, PageQuery::default(), which).await;
        }
        VaultTaskCommand::Show { task } => output.object(&client.get_vault_task(task).await?)?,
        VaultTaskCommand::Stop { task } => output.object(&client.stop_vault_task(task).await?)?,
        VaultTaskCommand::Wait { task } => return watch(session, task).await,
    }
    Ok(Exit::Done)
}

/// Drills a vault.
pub async fn drill(session: &Session, args: DrillArgs) -> Result<Exit> {
    let DrillArgs { vault, files, bytes, no_wait } = args;
    start(session, &vault, &NewVaultTask::Drill { files, bytes }, no_wait).await
}

/// Copies backups.
pub async fn copy(session: &Session, args: CopyArgs) -> Result<Exit> {
    let CopyArgs { vault, to_vault, to_target, backup, rechunk, no_wait } = args;
    let new = NewVaultTask::Copy { to_vault, to_target, backup_ids: backup, rechunk };
    start(session, &vault, &new, no_wait).await
}

/// Repairs a vault.
pub async fn repair(session: &Session, args: RepairArgs) -> Result<Exit> {
    let RepairArgs { vault, read_data, sure } = args;
    let dry_run = sure.dry_run;
    if !dry_run
        && !sure.confirm_to("repair", &format!("vault {vault} (what is lost is left out of its backups)"))?
    {
        return Ok(Exit::NotDone);
    }
    start(session, &vault, &NewVaultTask::Repair { read_data, dry_run }, false).await
}

/// Shows or changes when vaults are drilled.
pub async fn drill_settings(session: &Session, args: DrillSettingsArgs) -> Result<Exit> {
    let DrillSettingsArgs { every_days, files, bytes } = args;
    let now = session.client.drill_settings().await?;
    let new = DrillSettings {
        every_days: every_days.unwrap_or(now.every_days),
        files: files.unwrap_or(now.files),
        bytes: bytes.unwrap_or(now.bytes),
    };
    let settings = if new == now { now } else { session.client.set_drill_settings(&new).await? };
    session.output.object(&settings)?;
    Ok(Exit::Done)
}

/// Starts a task, and waits for its end if that is wanted.
async fn start(session: &Session, vault: &VaultId, new: &NewVaultTask, no_wait: bool) -> Result<Exit> {
    let started = session.client.start_vault_task(vault, new).await?;
    if no_wait {
        session.output.object(&started)?;
        return Ok(Exit::Done);
    }
    watch(session, started.id).await
}

/// Waits for a task's end with a progress bar, and prints what it found.
async fn watch(session: &Session, id: VaultTaskId) -> Result<Exit> {
    let bar = ProgressBar::new();
    let ended = session.client.wait_for_vault_task(id, |task| {
        let done = (task.progress.files_searched, task.progress.bytes_searched);
        bar.show(task.state, &task.progress, done);
    });
    let ended = ended.await;
    bar.clear();
    let ended = ended?;
    session.output.object(&ended)?;
    Ok(match ended.state {
        RunState::Completed => Exit::Done,
        RunState::CompletedWithErrors => Exit::DoneWithErrors,
        _ => Exit::NotDone,
    })
}
