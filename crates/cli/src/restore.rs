//! `roadstead restores`: files of a backup written to a path on an agent's machine.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use roadstead_client::{
    Status,
    api::{
        Page,
        id::{AgentId, BackupId, RestoreConfigurationId, RestoreId},
        restore::{
            NewRestore, OverwriteRule, PlannedFile, PlannedFiles, Restore, RestoreAction, RestoreList,
            RestorePlan, RestoreQuery, RestoreShow,
        },
        run::RunState,
    },
};

use crate::{
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    name::Named,
    run, run_error,
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
                            roadstead restores start --backup 1 --path /tmp/restored --wait\n  roadstead restores start --backup 1 \
                            --overwrite if-newer --dry-run\n  roadstead restores start --restore-configuration 1"
    )]
    Start(StartArgs),
    /// List restores, newest first.
    #[command(after_help = "Example:\n  roadstead restores list")]
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<Named<AgentId>>,
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
    /// List the files that a restore could not write.
    #[command(
        after_help = "The first 100,000 are kept; the report has the first 1,000.\n\nExample:\n  roadstead restores errors 1 --all -o csv"
    )]
    Errors {
        /// The restore's id.
        restore: RestoreId,
        #[command(flatten)]
        which: ListArgs,
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
#[command(group(ArgGroup::new("source").args(["backup", "restore_configuration"]).required(true).multiple(true)))]
pub struct StartArgs {
    /// The backup to restore.
    #[arg(long)]
    backup: Option<BackupId>,
    /// The restore configuration to run, by id or name; what else is given takes the place of what that says.
    #[arg(long, value_name = "CONFIGURATION")]
    restore_configuration: Option<Named<RestoreConfigurationId>>,
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
    /// Change nothing: wait for the agent to tell what would be made, overwritten and left.
    #[arg(long)]
    dry_run: bool,
    /// The password of a sealed vault, needed where --agent is another than the vault's own: @FILE, or - for standard
    /// input.
    #[arg(long, requires = "agent")]
    password: Option<String>,
    /// Wait until it has ended.
    #[arg(long)]
    wait: bool,
}

/// Which files that are there are overwritten.
#[derive(Args, Clone, Copy, Debug)]
pub struct OverwriteArgs {
    /// Which files that are there are overwritten; those that differ when nothing else is said.
    #[arg(long, value_enum, value_name = "RULE", num_args = 0..=1, default_missing_value = "if-changed")]
    overwrite: Option<Overwrite>,
}

/// A rule of overwriting.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Overwrite {
    /// All.
    Always,
    /// Those that have another size or time, and other content.
    IfChanged,
    /// Those that are older than in the backup.
    IfNewer,
    /// None.
    Never,
}

impl OverwriteArgs {
    /// The rule, if one was given.
    pub fn rule(self) -> Option<OverwriteRule> {
        self.overwrite.map(|rule| match rule {
            Overwrite::Always => OverwriteRule::Always,
            Overwrite::IfChanged => OverwriteRule::IfChanged,
            Overwrite::IfNewer => OverwriteRule::IfNewer,
            Overwrite::Never => OverwriteRule::Never,
        })
    }
}

impl Row for PlannedFile {
    const COLUMNS: &'static [&'static str] = &["action", "size", "path"];
    fn cells(&self) -> Vec<String> {
        let word = match self.action {
            RestoreAction::Create => "create",
            RestoreAction::Overwrite => "overwrite",
            RestoreAction::Leave => "leave",
            RestoreAction::Refuse => "refuse",
        };
        vec![word.to_owned(), human::size(self.size_bytes), self.path.clone()]
    }
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
            let mut new = args.described(session).await?;
            if let (Some(argument), Some(agent)) = (password, new.agent_id) {
                let password = vault_password::of_now(Some(&argument))?;
                new.password = Some(client.encrypt_password(agent, &password, None).await?);
            }
            let status = client.start_restore(&new).await?;
            match new.dry_run {
                true => show_plan(session, &status).await,
                false => {
                    let exit = run::started(session, &status, wait).await?;
                    if wait {
                        tell_of_nothing(session, &status).await?;
                    }
                    Ok(exit)
                }
            }
        }
        RestoreCommand::List { agent, active, which } => {
            let query = RestoreQuery {
                agent_id: Named::id_of(agent, session).await?,
                active: active.then_some(true),
                ..RestoreQuery::default()
            };
            list::print::<RestoreList, _>(session, (), query, which).await
        }
        RestoreCommand::Show { restore } => {
            output.object(&client.call::<RestoreShow>(&restore, &(), &()).await?)?;
            Ok(Exit::Done)
        }
        RestoreCommand::Stop { restore } => run::stop(session, &client.get_restore(restore).await?).await,
        RestoreCommand::Errors { restore, which } => run_error::of_restore(session, restore, which).await,
        RestoreCommand::Report { restore } => run::report::<Restore>(session, restore).await,
    }
}

/// A pattern that matches nothing is most often a slip of the pen, and a restore of nothing goes well.
async fn tell_of_nothing(session: &Session, status: &Status<Restore>) -> Result<()> {
    let ended = status.read().await?;
    let nothing = ended.state == RunState::Completed && ended.progress.files_searched == 0;
    if nothing && !ended.inclusions.is_empty() {
        session.output.say("No regular file of the backup matches --include.");
    }
    Ok(())
}

/// Waits for the plan and prints it: in words and as a table, or the whole report.
async fn show_plan(session: &Session, status: &Status<Restore>) -> Result<Exit> {
    let ended = run::watch(status).await?;
    let Some(report) = status.report().await? else {
        session.output.object(&ended)?;
        return Ok(run::exit_of(ended.state));
    };
    match &report.plan {
        Some(plan) if session.output.is_for_people() => {
            session.output.page(&Page { items: plan.files.clone(), next: None })?;
            session.output.say(&in_words(plan));
        }
        _ => session.output.object(&*report)?,
    }
    Ok(run::exit_of(ended.state))
}

fn in_words(plan: &RestorePlan) -> String {
    let part = |planned: PlannedFiles, word: &str| {
        format!("{} {word} ({})", human::count(planned.files), human::size(planned.bytes))
    };
    let parts = [
        part(plan.created, "to create"),
        part(plan.overwritten, "to overwrite"),
        part(plan.left, "to leave"),
        part(plan.refused, "that something stands in the way of"),
    ];
    let all =
        [plan.created, plan.overwritten, plan.left, plan.refused].iter().map(|part| part.files).sum::<u64>();
    let shown = match plan.files.len() as u64 {
        listed if listed < all => format!(" The first {listed} are listed."),
        _ => String::new(),
    };
    format!("{}.{shown}", parts.join(", "))
}

impl StartArgs {
    /// The restore as the API has it.
    async fn described(self, session: &Session) -> Result<NewRestore> {
        Ok(NewRestore {
            backup_id: self.backup,
            restore_configuration_id: Named::id_of(self.restore_configuration, session).await?,
            agent_id: Named::id_of(self.agent, session).await?,
            path: self.path,
            inclusions: self.include,
            exclusions: self.exclude,
            overwrite: false,
            overwrite_rule: self.overwrite.rule(),
            dry_run: self.dry_run,
            password: None,
        })
    }
}
