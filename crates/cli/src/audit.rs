//! `roadstead audit`: every change, who made it, and from where.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    audit::{AuditEntry, AuditList},
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// List the audit log, newest first.
    #[command(after_help = "Example:\n  roadstead audit list --limit 20")]
    List(ListArgs),
    /// Verify that no entry was changed or removed.
    #[command(after_help = "Example:\n  roadstead audit verify\n\nExit status 1: the log is broken.")]
    Verify,
}

impl Row for AuditEntry {
    const COLUMNS: &'static [&'static str] = &["id", "when", "who", "from", "what", "to what"];
    fn cells(&self) -> Vec<String> {
        let Self { id, at, actor, source, action, target, .. } = self;
        vec![
            id.to_string(),
            table::age(Some(*at)),
            actor.clone(),
            source.clone(),
            action.clone(),
            target.clone(),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: AuditCommand, session: &Session) -> Result<Exit> {
    match command {
        AuditCommand::List(which) => {
            list::print::<AuditList, _>(session, (), PageQuery::default(), which).await
        }
        AuditCommand::Verify => {
            let check = session.client.verify_audit().await?;
            session.output.object(&check)?;
            Ok(if check.broken_at.is_none() { Exit::Done } else { Exit::NotDone })
        }
    }
}
