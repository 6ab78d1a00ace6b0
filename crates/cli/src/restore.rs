//! `roadstead restores`: files of a backup written to a path on an agent's machine.

use clap::{Args, Subcommand};
use roadstead_client::api::{
    id::{AgentId, BackupId, RestoreConfigurationId, RestoreId},
    restore::{NewRestore, Restore, RestoreList, RestoreQuery, RestoreShow},
};

use crate::{
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    run,
    session::Session,
    table::{self, Row},
    vault_password,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum RestoreCommand {
    /// Start a restore.
    #[command(
        after_help = "Exit status with --wait: 0 completed, 3 completed with errors, 1 otherwise.\n\nExample:\n  \
                            roadstead restores start --backup 1 --path /tmp/restored --wait\n  roadstead restores start --restore-configuration 1"
    )]
    Start(StartArgs),
    /// List restores, newest first.
    #[command(after_help = "Example:\n  roadstead restores list")]
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<AgentId>,
        /// Only those that have not ended.
        #[arg(long)]
        active: bool,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a restore with its progress.
    #[command(after_help = "Example:\n  roadstead restores show 1")]
    Show {
        /// The restore's id.
        restore: RestoreId,
    },
    /// Stop a restore, and wait a while for its end.
    #[command(after_help = "Example:\n  roadstead restores stop 1")]
    Stop {
        /// The restore's id.
        restore: RestoreId,
    },
    /// Print the report of a restore that ended by itself.
    #[command(after_help = "Example:\n  roadstead restores report 1 -o json")]
    Report {
        /// The restore's id.
        restore: RestoreId,
    },
}

/// A restore to be started.
#[derive(Args, Debug)]
pub struct StartArgs {
    /// The backup to restore.
    #[arg(long, required_unless_present = "restore_configuration")]
    backup: Option<BackupId>,
    /// The restore configuration to run; what else is given takes the place of what that says.
    #[arg(long, value_name = "CONFIGURATION")]
    restore_configuration: Option<RestoreConfigurationId>,
    /// The agent to restore to; the one that made the backup when absent.
    #[arg(long)]
    agent: Option<AgentId>,
    /// The folder that the files go under, each with its full path; / (where they were) when absent.
    #[arg(long)]
    path: Option<String>,
    /// Only files that match a pattern.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    include: Vec<String>,
    /// Leave out files that match a pattern.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Overwrite files that differ.
    #[arg(long)]
    overwrite: bool,
    /// The password of a sealed vault, needed where --agent is another than the vault's own: @FILE, or - for standard
    /// input.
    #[arg(long, requires = "agent")]
    password: Option<String>,
    /// Wait until it has ended.
    #[arg(long)]
    wait: bool,
}

impl Row for Restore {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "backup", "agent", "path", "state", "files", "size", "when"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.backup_id.to_string(),
            self.agent_id.to_string(),
            self.path.clone(),
            self.state.to_string(),
            human::count(self.progress.files_done),
            human::size(self.progress.bytes_done),
            table::age(Some(self.created_at)),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: RestoreCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        RestoreCommand::Start(args) => {
            let (wait, password) = (args.wait, args.password.clone());
            let mut new = NewRestore::from(args);
            if let (Some(argument), Some(agent)) = (password, new.agent_id) {
                let password = vault_password::of_now(Some(&argument))?;
                new.password = Some(client.encrypt_password(agent, &password, None).await?);
            }
            run::started(session, &client.start_restore(&new).await?, wait).await
        }
        RestoreCommand::List { agent, active, which } => {
            let query =
                RestoreQuery { agent_id: agent, active: active.then_some(true), ..RestoreQuery::default() };
            list::print::<RestoreList, _>(session, (), query, which).await
        }
        RestoreCommand::Show { restore } => {
            output.object(&client.call::<RestoreShow>(&restore, &(), &()).await?)?;
            Ok(Exit::Done)
        }
        RestoreCommand::Stop { restore } => run::stop(session, &client.get_restore(restore).await?).await,
        RestoreCommand::Report { restore } => run::report::<Restore>(session, restore).await,
    }
}

impl From<StartArgs> for NewRestore {
    fn from(args: StartArgs) -> Self {
        Self {
            backup_id: args.backup,
            restore_configuration_id: args.restore_configuration,
            agent_id: args.agent,
            path: args.path,
            inclusions: args.include,
            exclusions: args.exclude,
            overwrite: args.overwrite,
            password: None,
        }
    }
}
