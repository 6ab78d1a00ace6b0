//! `roadstead sessions`: the browsers in which you are signed in.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    id::SessionId,
    session::{Session as BrowserSession, SessionList},
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum BrowserSessionCommand {
    /// List your open sessions.
    #[command(after_help = "Example:\n  roadstead sessions list")]
    List(ListArgs),
    /// End a session: that browser is signed out at once.
    #[command(after_help = "Example:\n  roadstead sessions end 3")]
    End {
        /// The session's id.
        session_id: SessionId,
    },
}

impl Row for BrowserSession {
    const COLUMNS: &'static [&'static str] = &["id", "from", "with", "begun", "last used"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.source.clone(),
            self.user_agent.clone(),
            table::age(Some(self.created_at)),
            table::age(Some(self.last_used_at)),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: BrowserSessionCommand, session: &Session) -> Result<Exit> {
    match command {
        BrowserSessionCommand::List(which) => {
            return list::print::<SessionList, _>(session, (), PageQuery::default(), which).await;
        }
        BrowserSessionCommand::End { session_id } => {
            session.client.end_session(session_id).await?;
            session.output.say("Ended.");
        }
    }
    Ok(Exit::Done)
}
