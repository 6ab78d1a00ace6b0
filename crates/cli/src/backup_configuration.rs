//! `roadstead backup-configurations`: what is backed up, and when.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use roadstead_client::api::{
    Page,
    backup_configuration::{
        BackupConfiguration, BackupConfigurationCreate, BackupConfigurationDisable,
        BackupConfigurationEnable, BackupConfigurationList, BackupConfigurationQuery,
        BackupConfigurationShow, MissedAction, NewBackupConfiguration,
    },
    backup_options::{BackupOptions, Hook, Hooks, USUAL_HOOK_SECONDS},
    bandwidth::BandwidthLimit,
    dump::Dump,
    id::{AgentId, BackupConfigurationId},
    retention::Retention,
    schedule::{Schedule, SchedulePreview, ScheduleQuery},
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    human,
    list::{self, ListArgs},
    name::Named,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum BackupConfigurationCommand {
    /// Make a backup configuration.
    #[command(
        after_help = "Example:\n  roadstead backup-configurations create --name etc --agent 1 --include /etc \
                            --exclude '*.bak'\n  roadstead backup-configurations create --name home --agent 1 \
                            --include /home --schedule daily@02:30 --timezone Europe/Paris --retention-days 30"
    )]
    Create(Box<CreateArgs>),
    /// List the backup configurations, oldest first.
    #[command(after_help = "Example:\n  roadstead backup-configurations list --agent 1")]
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<Named<AgentId>>,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show a backup configuration.
    #[command(after_help = "Example:\n  roadstead backup-configurations show 1 -o json")]
    Show {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
    },
    /// Show when a schedule would run next, without keeping it.
    #[command(after_help = "Example:\n  roadstead backup-configurations preview-schedule weekly:sun@02:30 \
                            --timezone Europe/Paris")]
    PreviewSchedule {
        /// The schedule: hourly:N, daily@HH:MM, weekly:DAY@HH:MM or cron:EXPR.
        schedule: Schedule,
        /// The time zone whose clocks it goes by, such as Europe/Paris.
        #[arg(long, default_value = "UTC", value_name = "ZONE")]
        timezone: String,
    },
    /// Change a backup configuration; what the file leaves out stays as it is.
    #[command(after_help = "Example:\n  echo '{\"exclusions\": [\"*.bak\"]}' > change.json\n  roadstead \
                            backup-configurations update 1 --from-file change.json")]
    Update {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
        /// A JSON or TOML (.toml) file with the fields to change, named as show -o json has them.
        #[arg(long, value_name = "FILE")]
        from_file: PathBuf,
    },
    /// Show which backups would stay and which would go, if a configuration had these rules; changes nothing.
    #[command(
        after_help = "Example:\n  roadstead backup-configurations retention-plan 1 --keep-daily 7 --keep-monthly 12"
    )]
    RetentionPlan {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
        #[command(flatten)]
        retention: RetentionArgs,
    },
    /// Let a backup configuration be started again.
    #[command(after_help = "Example:\n  roadstead backup-configurations enable 1")]
    Enable {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
    },
    /// Keep a backup configuration from being started; a run in hand goes on.
    #[command(after_help = "Example:\n  roadstead backup-configurations disable 1")]
    Disable {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
    },
    /// Delete a backup configuration. Its backups stay, and can be restored.
    #[command(after_help = "Example:\n  roadstead backup-configurations delete 1 --yes")]
    Delete {
        /// The configuration's id, or its name where no other has it.
        configuration: Named<BackupConfigurationId>,
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
    /// The agent that is to carry it out, by id or name.
    #[arg(long)]
    agent: Named<AgentId>,
    /// Files and folders to back up: absolute paths.
    #[arg(long, required_unless_present_any = ["database", "dump_command"], num_args = 1.., value_name = "PATH")]
    include: Vec<String>,
    /// What to leave out: restic's exclude patterns.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    exclude: Vec<String>,
    /// When it runs by itself: manual, hourly:N, daily@HH:MM, weekly:DAY@HH:MM or cron:EXPR.
    #[arg(long, default_value = "manual")]
    schedule: Schedule,
    /// The time zone whose clocks the schedule goes by, such as Europe/Paris.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    timezone: String,
    /// Spread its runs over so many minutes after their times; its own place in them is always the same.
    #[arg(long, default_value_t = 0, value_name = "N")]
    spread_minutes: u32,
    /// What becomes of times that pass while nobody can run it: asap (make up for them) or next-slot.
    #[arg(long, default_value = "asap", value_name = "ACTION")]
    missed: MissedAction,
    #[command(flatten)]
    retention: RetentionArgs,
    #[command(flatten)]
    options: OptionArgs,
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

/// How long backups are kept: one stays if any rule wants it, and all stay where there is no rule.
#[derive(Args, Debug)]
pub struct RetentionArgs {
    /// Keep all backups of so many days.
    #[arg(long, value_name = "N")]
    retention_days: Option<u32>,
    /// Keep so many of the newest.
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep the last of each of so many days.
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Keep the last of each of so many weeks.
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Keep the last of each of so many months.
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Keep the last of each of so many years.
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
}

/// What is passed over whatever its name, and which commands run.
#[derive(Args, Debug)]
pub struct OptionArgs {
    /// Back up only what matches one of these patterns beneath the inclusions.
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    only: Vec<String>,
    /// Leave out of each folder what a file of this name in it says, such as .gitignore.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    ignore_file: Vec<String>,
    /// Stay on the file systems of the inclusions.
    #[arg(long)]
    one_file_system: bool,
    /// Leave out what is in folders that a CACHEDIR.TAG marks as caches.
    #[arg(long)]
    exclude_caches: bool,
    /// Leave out files larger than this, such as 4GiB.
    #[arg(long, value_name = "SIZE", value_parser = human::parse_size)]
    exclude_larger_than: Option<u64>,
    /// Databases to dump into the backup: postgresql:NAME, mysql:NAME, sqlite:/PATH, or postgresql or mysql for all; the
    /// agent's policy.toml says how they are reached.
    #[arg(long, num_args = 1.., value_name = "DATABASE")]
    database: Vec<Dump>,
    /// A file of the backup and the command that prints it; policy.toml must allow it. Admins only.
    #[arg(long, value_name = "NAME=COMMAND", value_parser = dump_command)]
    dump_command: Vec<Dump>,
    /// How fast to send in a part of the day, by the clocks of --timezone, such as 08:00-18:00=2MiB (a second); the
    /// first that holds counts.
    #[arg(long, num_args = 1.., value_name = "FROM-UNTIL=RATE")]
    bandwidth: Vec<BandwidthLimit>,
    /// A command for /bin/sh before the backup; the agent's policy.toml must allow it. Admins only, as all three.
    #[arg(long, value_name = "COMMAND")]
    pre_hook: Option<String>,
    /// A command after a backup that has left a snapshot.
    #[arg(long, value_name = "COMMAND")]
    post_hook: Option<String>,
    /// A command after a backup that has failed.
    #[arg(long, value_name = "COMMAND")]
    error_hook: Option<String>,
    /// How long each command may run.
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_HOOK_SECONDS)]
    hook_timeout: u32,
    /// Back up also when the command before it fails.
    #[arg(long)]
    ignore_pre_hook: bool,
}

fn dump_command(text: &str) -> Result<Dump, String> {
    let (name, command) = text.split_once('=').ok_or("write NAME=COMMAND")?;
    let dump = Dump::Command { name: name.to_owned(), command: command.to_owned() };
    dump.fault().map_or(Ok(dump), Err)
}

impl From<OptionArgs> for BackupOptions {
    fn from(args: OptionArgs) -> Self {
        let hook = |command: Option<String>| {
            command.map(|command| Hook { command, timeout_seconds: args.hook_timeout })
        };
        let hooks = Hooks {
            pre: hook(args.pre_hook),
            post: hook(args.post_hook),
            error: hook(args.error_hook),
            cancel_when_pre_fails: !args.ignore_pre_hook,
        };
        Self {
            patterns: args.only,
            ignore_files: args.ignore_file,
            one_file_system: args.one_file_system,
            exclude_caches: args.exclude_caches,
            exclude_larger_than: args.exclude_larger_than,
            bandwidth: args.bandwidth,
            dumps: [args.database, args.dump_command].concat(),
            hooks,
        }
    }
}

impl From<RetentionArgs> for Retention {
    fn from(args: RetentionArgs) -> Self {
        Self {
            // As in the services before this one, 0 days is for ever.
            days: args.retention_days.filter(|&days| days > 0),
            keep_last: args.keep_last,
            keep_daily: args.keep_daily,
            keep_weekly: args.keep_weekly,
            keep_monthly: args.keep_monthly,
            keep_yearly: args.keep_yearly,
        }
    }
}

impl Row for BackupConfiguration {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "agent", "enabled", "schedule", "next", "includes"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.agent_id.to_string(),
            table::yes(self.enabled),
            self.schedule.to_string(),
            table::age(self.next_runtime),
            self.inclusions.join("\n"),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: BackupConfigurationCommand, session: &Session) -> Result<Exit> {
    use BackupConfigurationCommand as Command;
    let Session { client, output } = session;
    let shown = match command {
        Command::Create(args) => {
            let agent = args.agent.id(session).await?;
            client.call::<BackupConfigurationCreate>(&(), &(), &args.described(agent)).await?
        }
        Command::List { agent, which } => {
            let query = BackupConfigurationQuery {
                agent_id: Named::id_of(agent, session).await?,
                ..BackupConfigurationQuery::default()
            };
            return list::print::<BackupConfigurationList, _>(session, (), query, which).await;
        }
        Command::Show { configuration } => {
            client.call::<BackupConfigurationShow>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::PreviewSchedule { schedule, timezone } => {
            let query = ScheduleQuery { schedule, timezone: Some(timezone) };
            output.object(&client.call::<SchedulePreview>(&(), &query, &()).await?)?;
            return Ok(Exit::Done);
        }
        Command::Update { configuration, from_file } => {
            let mut configuration = client.get_backup_configuration(configuration.id(session).await?).await?;
            configuration.update_from_file(from_file).await?;
            configuration.into_inner()
        }
        Command::RetentionPlan { configuration, retention } => {
            let plan = client.plan_retention(configuration.id(session).await?, &retention.into()).await?;
            output.page(&Page { items: plan.verdicts, next: None })?;
            return Ok(Exit::Done);
        }
        Command::Enable { configuration } => {
            client.call::<BackupConfigurationEnable>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::Disable { configuration } => {
            client.call::<BackupConfigurationDisable>(&configuration.id(session).await?, &(), &()).await?
        }
        Command::Delete { configuration, delete } => {
            return remove(session, configuration.id(session).await?, delete).await;
        }
    };
    output.object(&shown)?;
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: BackupConfigurationId, delete: DeleteArgs) -> Result<Exit> {
    let configuration = session.client.get_backup_configuration(id).await?;
    if delete.dry_run {
        session.output.say("This would be deleted; its backups would stay:");
        session.output.object(&*configuration)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the backup configuration {configuration}"))? {
        return Ok(Exit::NotDone);
    }
    configuration.delete().await?;
    session.output.say("Deleted; its backups stay.");
    Ok(Exit::Done)
}

impl CreateArgs {
    /// The configuration as the API has it, for the agent that was found.
    pub fn described(self, agent: AgentId) -> NewBackupConfiguration {
        NewBackupConfiguration {
            exclusions: self.exclude,
            schedule: self.schedule,
            timezone: self.timezone,
            spread_minutes: self.spread_minutes,
            missed: self.missed,
            retention: self.retention.into(),
            options: self.options.into(),
            notification_email: self.notify,
            notify_success: self.notify_success,
            notify_failure: self.notify_failure,
            ..NewBackupConfiguration::new(self.name, agent, self.include)
        }
    }
}
