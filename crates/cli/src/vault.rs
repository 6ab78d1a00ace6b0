//! `roadstead vaults`: the repositories that hold backup data, their checks, and the files of a backup in them.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    id::{BackupId, VaultId},
    vault::{Vault, VaultKeyExport, VaultList, VaultMode, VaultShow},
};

use crate::{
    check,
    cleanup::{self, TrashArgs},
    confirm::DeleteArgs,
    error::{Exit, Result},
    file, human,
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
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
    const COLUMNS: &'static [&'static str] = &["id", "agent", "mode", "size", "snapshots", "created"];
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
        ]
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
        VaultCommand::Cleanup { vault, delete } => return cleanup::run(session, &vault, delete).await,
        VaultCommand::Trash(args) => return cleanup::trash(session, args).await,
        VaultCommand::ExportKey { vault } => {
            output.object(&client.call::<VaultKeyExport>(&vault, &(), &()).await?)?
        }
        VaultCommand::Ls { backup, path, which } => return file::list(session, backup, path, which).await,
        VaultCommand::Cat { backup, path } => return file::cat(session, backup, &path).await,
    }
    Ok(Exit::Done)
}
