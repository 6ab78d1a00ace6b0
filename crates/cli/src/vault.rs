//! `roadstead vaults`: the repositories that hold backup data, their checks, and the files of a backup in them.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    id::{BackupId, VaultId},
    vault::{Vault, VaultKeyExport, VaultList, VaultMode, VaultShow},
};

use crate::{
    check,
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
        VaultCommand::ExportKey { vault } => {
            output.object(&client.call::<VaultKeyExport>(&vault, &(), &()).await?)?
        }
        VaultCommand::Ls { backup, path, which } => return file::list(session, backup, path, which).await,
        VaultCommand::Cat { backup, path } => return file::cat(session, backup, &path).await,
    }
    Ok(Exit::Done)
}
