//! `roadstead machines protect`: an agent is put on a machine, and the machine is backed up from then on.

use std::time::Duration;

use clap::Args;
use roadstead_client::api::{
    protection::{
        AgentInstall, Installation, MachineProtect, MachineProtectionPlanShow, NewInstallation, NewProtection,
    },
    retention::Retention,
    schedule::Schedule,
};

use super::Which;
use crate::{
    backup_configuration::RetentionArgs,
    error::{Exit, Result},
    human, job,
    session::Session,
};

/// A machine to be protected, and how.
#[derive(Args, Debug)]
pub struct ProtectArgs {
    /// The machine's id, or its name where no other has it.
    #[arg(
        value_name = "MACHINE",
        required_unless_present_any = ["print_command", "print_cloud_init"],
        conflicts_with_all = ["print_command", "print_cloud_init"]
    )]
    machine: Option<String>,
    /// Print a command, to be run as root on a machine that the server cannot log in to.
    #[arg(long, conflicts_with = "print_cloud_init")]
    print_command: bool,
    /// Print user data for cloud-init, to make a machine with.
    #[arg(long)]
    print_cloud_init: bool,
    /// How long what is printed can be used, such as 1h or 7d; a day when absent.
    #[arg(long, value_parser = human::parse_duration, value_name = "TIME")]
    ttl: Option<Duration>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Wait until it is done.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// What a machine is protected with.
#[derive(Args, Debug)]
pub struct HowArgs {
    /// The name of the agent and of its backup configuration; the machine's when absent.
    #[arg(long = "agent-name", value_name = "NAME")]
    name: Option<String>,
    /// A file or folder to back up; those of /etc, /home, /root and /var that are there when absent.
    #[arg(long = "include", value_name = "PATH")]
    inclusions: Vec<String>,
    /// What to leave out; caches and the like when absent.
    #[arg(long = "exclude", value_name = "PATTERN")]
    exclusions: Vec<String>,
    /// When it is backed up: manual, hourly:N, daily@HH:MM, weekly:DAY@HH:MM or cron:EXPR; every night when absent.
    #[arg(long)]
    schedule: Option<Schedule>,
    /// The time zone whose clocks the schedule goes by; UTC when absent.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    #[command(flatten)]
    retention: RetentionArgs,
    /// A folder for program and agent, with nothing beside it; nothing starts the agent again with the machine.
    #[arg(long)]
    folder: Option<String>,
    /// Start the first backup at once.
    #[arg(long)]
    start: bool,
}

impl HowArgs {
    /// As the API has it.
    pub fn protection(self) -> NewProtection {
        let retention = Retention::from(self.retention);
        NewProtection {
            name: self.name,
            inclusions: self.inclusions,
            exclusions: (!self.exclusions.is_empty()).then_some(self.exclusions),
            schedule: self.schedule,
            timezone: self.timezone,
            retention: (!retention.is_forever()).then_some(retention),
            folder: self.folder,
            start: self.start,
        }
    }
}

/// Protects a machine, or prints what does it elsewhere.
pub async fn run(session: &Session, args: ProtectArgs) -> Result<Exit> {
    let new = args.how.protection();
    let Some(machine) = args.machine else {
        let ttl_seconds = args.ttl.map(|ttl| u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX));
        let new = NewInstallation { ttl_seconds, protection: new };
        let made = session.client.call::<AgentInstall>(&(), &(), &new).await?;
        return printed(session, &made, args.print_cloud_init);
    };
    let id = Which::named(machine).find(session).await?.id.clone();
    if args.dry_run {
        session.output.object(&session.client.call::<MachineProtectionPlanShow>(&id, &(), &new).await?)?;
        return Ok(Exit::Done);
    }
    let job = session.client.call::<MachineProtect>(&id, &(), &new).await?;
    job::print(session, job, args.wait).await
}

fn printed(session: &Session, made: &Installation, is_cloud_init: bool) -> Result<Exit> {
    if !session.output.is_for_people() {
        session.output.object(made)?;
        return Ok(Exit::Done);
    }
    session.output.text(if is_cloud_init { &made.cloud_init } else { &made.command })?;
    session.output.say(&format!("It lets one agent in, once, until {:.0}.", made.expires_at));
    Ok(Exit::Done)
}
