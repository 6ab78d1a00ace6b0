//! `roadstead backups`: runs of a backup configuration.

use clap::Subcommand;
use roadstead_client::api::{
    backup::{Backup, BackupList, BackupQuery, BackupShow},
    id::{AgentId, BackupConfigurationId, BackupId},
};

use crate::{
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    name::Named,
    run, run_error,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum BackupCommand {
    /// Start a backup.
    #[command(
        after_help = "Exit status with --wait: 0 completed, 3 completed with errors, 1 otherwise.\n\nExample:\n  \
                            roadstead backups start --configuration etc --wait"
    )]
    Start {
        /// The configuration to run, by id or name.
        #[arg(long)]
        configuration: Named<BackupConfigurationId>,
        /// Wait until it has ended.
        #[arg(long)]
        wait: bool,
    },
    /// List backups, newest first.
    #[command(after_help = "Example:\n  roadstead backups list --active")]
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<Named<AgentId>>,
        /// Only those of this configuration.
        #[arg(long)]
        configuration: Option<Named<BackupConfigurationId>>,
        /// Only those that have not ended.
        #[arg(long)]
        active: bool,
        /// Only those that files can be restored from.
        #[arg(long)]
        restorable: bool,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a backup with its progress.
    #[command(after_help = "Example:\n  roadstead backups show 1")]
    Show {
        /// The backup's id.
        backup: BackupId,
    },
    /// Stop a backup, and wait a while for its end.
    #[command(after_help = "Example:\n  roadstead backups stop 1")]
    Stop {
        /// The backup's id.
        backup: BackupId,
    },
    /// List the files that a backup could not read.
    #[command(
        after_help = "The first 100,000 are kept; the report has the first 1,000.\n\nExample:\n  roadstead backups errors 1 --all -o csv"
    )]
    Errors {
        /// The backup's id.
        backup: BackupId,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Print the report of a backup that ended by itself.
    #[command(after_help = "Example:\n  roadstead backups report 1 -o json")]
    Report {
        /// The backup's id.
        backup: BackupId,
    },
}

impl Row for Backup {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "agent", "state", "files", "size", "added", "when"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.agent_id.to_string(),
            self.state.to_string(),
            human::count(self.progress.files_searched),
            human::size(self.progress.bytes_searched),
            human::size(self.progress.bytes_added),
            table::age(Some(self.created_at)),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: BackupCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        BackupCommand::Start { configuration, wait } => {
            let status = client.start_backup(configuration.id(session).await?).await?;
            run::started(session, &status, wait).await
        }
        BackupCommand::List { agent, configuration, active, restorable, which } => {
            let query = BackupQuery {
                agent_id: Named::id_of(agent, session).await?,
                configuration_id: Named::id_of(configuration, session).await?,
                active: active.then_some(true),
                restorable: restorable.then_some(true),
                ..BackupQuery::default()
            };
            list::print::<BackupList, _>(session, (), query, which).await
        }
        BackupCommand::Show { backup } => {
            output.object(&client.call::<BackupShow>(&backup, &(), &()).await?)?;
            Ok(Exit::Done)
        }
        BackupCommand::Stop { backup } => run::stop(session, &client.get_backup(backup).await?).await,
        BackupCommand::Errors { backup, which } => run_error::of_backup(session, backup, which).await,
        BackupCommand::Report { backup } => run::report::<Backup>(session, backup).await,
    }
}
