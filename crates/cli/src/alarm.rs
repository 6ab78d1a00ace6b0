//! `roadstead alarms`: what somebody should look at.

use clap::Subcommand;
use roadstead_client::api::{
    alarm::{Alarm, AlarmList, AlarmQuery},
    id::AlarmId,
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum AlarmCommand {
    /// List the alarms, newest first.
    #[command(after_help = "Example:\n  roadstead alarms list --open")]
    List {
        /// Only those that are open.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Show an alarm, and what to do.
    #[command(after_help = "Example:\n  roadstead alarms show 1")]
    Show {
        /// The alarm's id.
        alarm: AlarmId,
    },
    /// Say that you know of an alarm. It is closed when its condition is over; one of what has happened once, at once.
    #[command(after_help = "Example:\n  roadstead alarms acknowledge 1")]
    Acknowledge {
        /// The alarm's id.
        alarm: AlarmId,
    },
}

impl Row for Alarm {
    const COLUMNS: &'static [&'static str] = &["id", "kind", "about", "opened", "known to", "closed"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.kind.to_string(),
            format!("{} {}", self.noun, self.noun_id),
            table::age(Some(self.opened_at)),
            self.acknowledged_by.clone().unwrap_or_else(|| "-".to_owned()),
            table::age(self.closed_at),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: AlarmCommand, session: &Session) -> Result<Exit> {
    let alarm = match command {
        AlarmCommand::List { open, which } => {
            let query = AlarmQuery { open: open.then_some(true), ..AlarmQuery::default() };
            return list::print::<AlarmList, _>(session, (), query, which).await;
        }
        AlarmCommand::Show { alarm } => session.client.get_alarm(alarm).await?,
        AlarmCommand::Acknowledge { alarm } => session.client.acknowledge_alarm(alarm).await?,
    };
    session.output.object(&alarm)?;
    Ok(Exit::Done)
}
