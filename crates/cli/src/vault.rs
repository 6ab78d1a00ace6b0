//! `roadstead vaults`: the repositories that hold backup data, their checks, and the files of a backup in them.

use clap::Subcommand;
use roadstead_client::api::{
    Page, PageQuery,
    file::{DiffQuery, FileDiff, FileFind, FindQuery},
    id::{BackupId, VaultId},
    vault::{Vault, VaultDay, VaultKeyExport, VaultList, VaultMode, VaultShow},
};

use crate::{
    check,
    cleanup::{self, TrashArgs},
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    file::{self, ArchiveArgs},
    human,
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
    vault_task::{self, CopyArgs, DrillArgs, DrillSettingsArgs, RepairArgs, VaultTaskCommand},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum VaultCommand {
    /// List the vaults, oldest first.
    #[command(after_help = "Example:\n  roadstead vaults list")]
    List(ListArgs),
    /// Show a vault.
    #[command(after_help = "Example:\n  roadstead vaults show VAULT")]
    Show {
        /// The vault's id.
        vault: VaultId,
    },
    /// Check a vault, and wait until that has ended.
    #[command(
        after_help = "Exit status: 0 sound, 3 problems found, 1 the check failed.\n\nExample:\n  roadstead vaults \
                            check VAULT --read-data"
    )]
    Check {
        /// The vault's id.
        vault: VaultId,
        /// Also read and verify all data.
        #[arg(long)]
        read_data: bool,
    },
    /// Restore a sample of files of the last good backups to scratch, compare them with what was backed up, and wait until
    /// that has ended.
    #[command(
        after_help = "Exit status: 0 all came back, 3 something did not, 1 the drill failed.\n\nExample:\n  roadstead vaults \
                            drill VAULT\n  roadstead vaults drill VAULT --files 500 --bytes 4GiB"
    )]
    Drill(DrillArgs),
    /// Copy backups to another vault, or to a place that the server's operator allows, and wait until that has ended.
    #[command(
        after_help = "What is there already is not copied again. At a place of the operator's each vault has a repository of \
                            its own, with the vault's password (vaults export-key).\n\nMachines that will be backed up to the \
                            destination send less the first time if what is copied is cut as they cut it: --rechunk.\n\nExample:\n  roadstead vaults copy \
                            VAULT --to-target offsite\n  roadstead vaults copy VAULT --to-vault OTHER --backup 17 --rechunk"
    )]
    Copy(CopyArgs),
    /// List the places that the server's operator allows copies to.
    #[command(
        after_help = "Copies go there with vaults copy VAULT --to-target NAME. The operator sets them with the server's \
                            setting copy_targets.\n\nExample:\n  roadstead vaults copy-targets"
    )]
    CopyTargets,
    /// Save what is left of a damaged vault, and wait until that has ended.
    #[command(
        after_help = "Makes the index anew, saves what is sound in damaged packs, and writes backups with holes anew without \
                            what is lost. What is taken away goes to the trash.\n\nExit status: 0 nothing is lost, 3 \
                            something is, 1 the repair failed.\n\nExample:\n  roadstead vaults repair VAULT --read-data \
                            --dry-run\n  roadstead vaults repair VAULT --read-data --yes"
    )]
    Repair(RepairArgs),
    /// Show or set when vaults are drilled, and how much of each.
    #[command(
        after_help = "Example:\n  roadstead vaults drill-settings\n  roadstead vaults drill-settings --every-days 30 --files 200"
    )]
    DrillSettings(DrillSettingsArgs),
    /// The work on a vault that the server does: list, show, stop.
    Tasks {
        /// The verb.
        #[command(subcommand)]
        command: VaultTaskCommand,
    },
    /// Forget the backups that no rule of retention keeps, win their space back, and wait until that has ended.
    #[command(
        after_help = "What is forgotten can be brought back from the trash for 7 days.\n\nExample:\n  roadstead \
                            vaults cleanup VAULT --dry-run\n  roadstead vaults cleanup VAULT --yes"
    )]
    Cleanup {
        /// The vault's id.
        vault: VaultId,
        #[command(flatten)]
        delete: DeleteArgs,
    },
    /// Show what lies in a vault's trash, or bring it back.
    #[command(
        after_help = "Example:\n  roadstead vaults trash VAULT\n  roadstead vaults trash VAULT --restore"
    )]
    Trash(TrashArgs),
    /// Delete a vault that no agent backs up to any more, with every backup in it.
    #[command(after_help = "Example:\n  roadstead vaults delete VAULT --yes")]
    Delete {
        /// The vault's id.
        vault: VaultId,
        #[command(flatten)]
        delete: DeleteArgs,
    },
    /// Print what plain restic needs to open a vault: its repository and password.
    #[command(after_help = "Example:\n  roadstead vaults export-key VAULT -o json")]
    ExportKey {
        /// The vault's id.
        vault: VaultId,
    },
    /// List a folder of a backup.
    #[command(after_help = "Example:\n  roadstead vaults ls --backup 1 /etc")]
    Ls {
        /// The backup.
        #[arg(long)]
        backup: BackupId,
        /// The folder: an absolute path.
        #[arg(default_value = "/")]
        path: String,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Write a file or folder of a backup to an archive, with all that is beneath it.
    #[command(
        after_help = "Example:\n  roadstead vaults archive --backup 1 /etc --format zip -O etc.zip\n  roadstead vaults archive \
                      --backup 1 /etc | tar -t"
    )]
    Archive(ArchiveArgs),
    /// Find files by name in all backups of a vault, newest backup first.
    #[command(after_help = "Example:\n  roadstead vaults find VAULT '*.conf'")]
    Find {
        /// The vault's id.
        vault: VaultId,
        /// A pattern in restic's syntax.
        pattern: String,
        /// Take letters of either case for the same.
        #[arg(long)]
        ignore_case: bool,
        #[command(flatten)]
        which: ListArgs,
    },
    /// List what differs between two backups of a vault.
    #[command(after_help = "Example:\n  roadstead vaults diff 1 2")]
    Diff {
        /// The earlier backup.
        before: BackupId,
        /// The later backup.
        after: BackupId,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show how large a vault was on each day; the last line is of now.
    #[command(after_help = "Example:\n  roadstead vaults growth VAULT --days 30")]
    Growth {
        /// The vault's id.
        vault: VaultId,
        /// How many days back.
        #[arg(long, value_name = "N", default_value_t = 90)]
        days: u32,
    },
    /// Count what a vault holds: what its backups share, and what each brought.
    #[command(after_help = "Example:\n  roadstead vaults stats VAULT")]
    Stats {
        /// The vault's id.
        vault: VaultId,
    },
    /// Write a file of a backup to standard output.
    #[command(after_help = "Example:\n  roadstead vaults cat --backup 1 /etc/hosts > hosts")]
    Cat {
        /// The backup.
        #[arg(long)]
        backup: BackupId,
        /// The file: an absolute path.
        path: String,
    },
}

impl Row for Vault {
    const COLUMNS: &'static [&'static str] =
        &["id", "agent", "mode", "size", "snapshots", "created", "drilled"];
    fn cells(&self) -> Vec<String> {
        let mode = match self.mode {
            VaultMode::Managed => "managed",
            VaultMode::Sealed => "sealed",
        };
        vec![
            self.id.to_string(),
            self.agent_id.to_string(),
            mode.to_owned(),
            human::size(self.size_bytes),
            human::count(self.snapshot_count),
            table::age(Some(self.created_at)),
            table::age(self.last_good_drill_at),
        ]
    }
}

impl Row for VaultDay {
    const COLUMNS: &'static [&'static str] = &["day", "size", "snapshots"];
    fn cells(&self) -> Vec<String> {
        vec![self.day.clone(), human::size(self.size_bytes), human::count(self.snapshot_count)]
    }
}

/// Carries out a verb.
pub async fn run(command: VaultCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        VaultCommand::List(which) => {
            return list::print::<VaultList, _>(session, (), PageQuery::default(), which).await;
        }
        VaultCommand::Show { vault } => output.object(&client.call::<VaultShow>(&vault, &(), &()).await?)?,
        VaultCommand::Check { vault, read_data } => return check::run(session, &vault, read_data).await,
        VaultCommand::Drill(args) => return vault_task::drill(session, args).await,
        VaultCommand::CopyTargets => {
            output.page(&Page { items: client.copy_targets().await?, next: None })?;
        }
        VaultCommand::Copy(args) => return vault_task::copy(session, args).await,
        VaultCommand::Repair(args) => return vault_task::repair(session, args).await,
        VaultCommand::DrillSettings(args) => return vault_task::drill_settings(session, args).await,
        VaultCommand::Tasks { command } => return vault_task::run(command, session).await,
        VaultCommand::Cleanup { vault, delete } => return cleanup::run(session, &vault, delete).await,
        VaultCommand::Trash(args) => return cleanup::trash(session, args).await,
        VaultCommand::Delete { vault, delete } => return delete_vault(session, &vault, delete).await,
        VaultCommand::ExportKey { vault } => {
            output.object(&client.call::<VaultKeyExport>(&vault, &(), &()).await?)?
        }
        VaultCommand::Ls { backup, path, which } => return file::list(session, backup, path, which).await,
        VaultCommand::Archive(args) => return file::archive(session, args).await,
        VaultCommand::Find { vault, pattern, ignore_case, which } => {
            let query =
                FindQuery { pattern: Some(pattern), ignore_case: Some(ignore_case), ..FindQuery::default() };
            return list::print::<FileFind, _>(session, vault, query, which).await;
        }
        VaultCommand::Diff { before, after, which } => {
            let query = DiffQuery { with: Some(after), ..DiffQuery::default() };
            return list::print::<FileDiff, _>(session, before, query, which).await;
        }
        VaultCommand::Growth { vault, days } => {
            let growth = client.get_vault(&vault).await?.growth(Some(days)).await?;
            output.page(&Page { items: growth.days, next: None })?;
        }
        VaultCommand::Stats { vault } => output.object(&client.get_vault(&vault).await?.stats().await?)?,
        VaultCommand::Cat { backup, path } => return file::cat(session, backup, &path).await,
    }
    Ok(Exit::Done)
}

async fn delete_vault(session: &Session, id: &VaultId, delete: DeleteArgs) -> Result<Exit> {
    let vault = session.client.get_vault(id).await?;
    if vault.current {
        // The server would say no more, and a plan that it would refuse is none.
        let agent = vault.agent_id;
        return Err(Error::local(format!(
            "agent {agent} backs up to vault {id}; it is deleted with its agent: roadstead agents delete {agent} \
             --delete-vault"
        )));
    }
    if delete.dry_run {
        session.output.object(&*vault)?;
        return Ok(Exit::Done);
    }
    let size = human::size(vault.size_bytes);
    if !delete.confirm(&format!("vault {id} ({size}, {} snapshots)", vault.snapshot_count))? {
        return Ok(Exit::NotDone);
    }
    vault.delete().await?;
    Ok(Exit::Done)
}
