//! `roadstead activity`: backups, restores, checks, cleanups and drills in one list.

use clap::Subcommand;
use roadstead_client::api::{
    activity::{Activity, ActivityKind, ActivityList, ActivityQuery},
    id::AgentId,
    run::RunState,
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    name::Named,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ActivityCommand {
    /// List backups, restores, checks, cleanups and drills, newest first.
    #[command(
        after_help = "Example:\n  roadstead activity list --active\n  roadstead activity list --agent 1 --kind restore"
    )]
    List {
        /// Only those of this agent.
        #[arg(long)]
        agent: Option<Named<AgentId>>,
        /// Only those of this kind: backup, check, cleanup, copy, drill, repair or restore.
        #[arg(long)]
        kind: Option<ActivityKind>,
        /// Only those in this state, such as failed or missed.
        #[arg(long)]
        state: Option<RunState>,
        /// Only those that have not ended.
        #[arg(long)]
        active: bool,
        #[command(flatten)]
        which: ListArgs,
    },
}

impl Row for Activity {
    const COLUMNS: &'static [&'static str] = &["kind", "id", "name", "agent", "state", "when", "reason"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.to_string(),
            self.id.to_string(),
            self.name.clone(),
            self.agent_id.to_string(),
            self.state.to_string(),
            table::age(Some(self.created_at)),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: ActivityCommand, session: &Session) -> Result<Exit> {
    let ActivityCommand::List { agent, kind, state, active, which } = command;
    let query = ActivityQuery {
        kind,
        agent_id: Named::id_of(agent, session).await?,
        active: active.then_some(true),
        state,
        ..ActivityQuery::default()
    };
    list::print::<ActivityList, _>(session, (), query, which).await
}
