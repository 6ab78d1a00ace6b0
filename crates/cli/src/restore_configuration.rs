//! `roadstead restore-configurations`: restores that are kept, to be run again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use roadstead_client::api::{
    id::{AgentId, BackupId, RestoreConfigurationId},
    restore_configuration::{
        NewRestoreConfiguration, RestoreConfiguration, RestoreConfigurationCreate,
        RestoreConfigurationDisable, RestoreConfigurationEnable, RestoreConfigurationList,
        RestoreConfigurationQuery, RestoreConfigurationShow,
    },
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    list::{self, ListArgs},
    name::Named,
    restore::OverwriteArgs,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum RestoreConfigurationCommand {
    /// Make a restore configuration; `restores start --restore-configuration` runs it.
    #[command(
        after_help = "Example:\n  roadstead restore-configurations create --name etc-aside --backup 1 --path \
                            /tmp/restored --include /etc"
    )]
    Create(Box<CreateArgs>),
    /// List the restore configurations, oldest first.
    #[command(after_help = "Example:\n  roadstead restore-configurations list")]
    List {
        /// Only those that restore to this agent.
        #[arg(long)]
        agent: Option<Named<AgentId>>,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a restore configuration.
    #[command(after_help = "Example:\n  roadstead restore-configurations show 1 -o json")]
    Show {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<RestoreConfigurationId>,
    },
    /// Change a restore configuration; what the file leaves out stays as it is.
    #[command(after_help = "Example:\n  echo '{\"overwrite\": true}' > change.json\n  roadstead \
                            restore-configurations update 1 --from-file change.json")]
    Update {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<RestoreConfigurationId>,
        /// A JSON or TOML (.toml) file with the fields to change, named as show -o json has them.
        #[arg(long, value_name = "FILE")]
        from_file: PathBuf,
    },
    /// Let a restore configuration be started again.
    #[command(after_help = "Example:\n  roadstead restore-configurations enable 1")]
    Enable {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<RestoreConfigurationId>,
    },
    /// Keep a restore configuration from being started; a run in hand goes on.
    #[command(after_help = "Example:\n  roadstead restore-configurations disable 1")]
    Disable {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<RestoreConfigurationId>,
    },
    /// Delete a restore configuration. Its restores stay known.
    #[command(after_help = "Example:\n  roadstead restore-configurations delete 1 --yes")]
    Delete {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<RestoreConfigurationId>,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// A configuration to be made.
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// Its name.
    #[arg(long)]
    name: String,
    /// The backup to restore.
    #[arg(long)]
    backup: BackupId,
    /// The agent to restore to, by id or name; the one that made the backup when absent.
    #[arg(long)]
    agent: Option<Named<AgentId>>,
    /// The folder that the files go under, each with its full path; / (where they were) when absent.
    #[arg(long)]
    path: Option<String>,
    /// Only files that match a pattern.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    include: Vec<String>,
    /// Leave out files that match a pattern.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    overwrite: OverwriteArgs,
    /// Whom to tell of its runs: mail addresses with commas between them.
    #[arg(long, value_name = "MAIL")]
    notify: Option<String>,
    /// Tell when a run ended well.
    #[arg(long, requires = "notify")]
    notify_success: bool,
    /// Tell when a run did not.
    #[arg(long, requires = "notify")]
    notify_failure: bool,
}

impl CreateArgs {
    /// The configuration as the API has it.
    async fn described(self, session: &Session) -> Result<NewRestoreConfiguration> {
        Ok(NewRestoreConfiguration {
            agent_id: Named::id_of(self.agent, session).await?,
            path: self.path,
            inclusions: self.include,
            exclusions: self.exclude,
            overwrite_rule: self.overwrite.rule(),
            notification_email: self.notify,
            notify_success: self.notify_success,
            notify_failure: self.notify_failure,
            ..NewRestoreConfiguration::new(self.name, self.backup)
        })
    }
}

impl Row for RestoreConfiguration {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "backup", "agent", "enabled", "path", "overwrite", "includes"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.backup_id.to_string(),
            self.agent_id.to_string(),
            table::yes(self.enabled),
            self.path.clone(),
            table::yes(self.overwrite),
            self.inclusions.join("\n"),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: RestoreConfigurationCommand, session: &Session) -> Result<Exit> {
    use RestoreConfigurationCommand as Command;
    let Session { client, output } = session;
    let shown = match command {
        Command::Create(args) => {
            let new = args.described(session).await?;
            client.call::<RestoreConfigurationCreate>(&(), &(), &new).await?
        }
        Command::List { agent, which } => {
            let query = RestoreConfigurationQuery {
                agent_id: Named::id_of(agent, session).await?,
                ..RestoreConfigurationQuery::default()
            };
            return list::print::<RestoreConfigurationList, _>(session, (), query, which).await;
        }
        Command::Show { configuration } => {
            client.call::<RestoreConfigurationShow>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::Update { configuration, from_file } => {
            let mut configuration =
                client.get_restore_configuration(configuration.id(session).await?).await?;
            configuration.update_from_file(from_file).await?;
            configuration.into_inner()
        }
        Command::Enable { configuration } => {
            client.call::<RestoreConfigurationEnable>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::Disable { configuration } => {
            client.call::<RestoreConfigurationDisable>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::Delete { configuration, delete } => {
            return remove(session, configuration.id(session).await?, delete).await;
        }
    };
    output.object(&shown)?;
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: RestoreConfigurationId, delete: DeleteArgs) -> Result<Exit> {
    let configuration = session.client.get_restore_configuration(id).await?;
    if delete.dry_run {
        session.output.say("This would be deleted; its restores would stay known:");
        session.output.object(&*configuration)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the restore configuration {configuration}"))? {
        return Ok(Exit::NotDone);
    }
    configuration.delete().await?;
    session.output.say("Deleted; its restores stay known.");
    Ok(Exit::Done)
}
