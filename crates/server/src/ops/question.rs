//! Asking an agent over its link, and waiting for what it says.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_api::{
    agent::Agent,
    link::ServerMessage,
    question::{ANSWER_SECONDS, Answer, Question, Refusal},
};
use tokio::time::timeout;

use super::Context;
use crate::{Error, ErrorKind, Result};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(ANSWER_SECONDS as u64);

/// Since when an agent was heard of that is somewhere, in milliseconds: servers write that down twice a minute.
const RECENTLY_MS: i64 = 90_000;
const AWAY: &str = "it is not connected to this server";
const ELSEWHERE: &str =
    "it hangs on another server of the same database: ask through that server's own address";

/// Asks an agent; what it refuses is an error with its reason.
pub async fn ask(context: &Context, agent: &Agent, what: Question) -> Result<Answer> {
    let unavailable = |why: &str| {
        Error::new(ErrorKind::Unavailable, format!("Agent {} cannot be asked: {why}.", agent.name))
    };
    let not_connected = || unavailable(if is_elsewhere(context, agent) { ELSEWHERE } else { AWAY });
    let mut asked = context
        .live
        .questions
        .open(agent.id)
        .ok_or_else(|| unavailable("too many questions wait for its answer already"))?;
    if !context.live.send(agent.id, ServerMessage::Ask { question: asked.number, what }) {
        return Err(not_connected());
    }
    match timeout(PATIENCE, &mut asked.answer).await {
        Ok(Ok(Answer::Refused { why, reason })) => Err(refused(agent, why, &reason)),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(not_connected()),
        Err(_) => {
            Err(unavailable("it does not answer; it may be busy, or of a version before this was asked"))
        }
    }
}

/// Whether the agent seems to hang on another server of the same database.
fn is_elsewhere(context: &Context, agent: &Agent) -> bool {
    let heard = |at: Timestamp| context.now_ms() - at.as_millisecond() < RECENTLY_MS;
    context.db.neighbours().is_some() && !agent.connected && agent.last_seen_at.is_some_and(heard)
}

fn refused(agent: &Agent, why: Refusal, reason: &str) -> Error {
    let kind = match why {
        Refusal::Invalid => ErrorKind::Invalid,
        Refusal::Forbidden => ErrorKind::Forbidden,
        Refusal::NotFound => ErrorKind::NotFound,
        Refusal::Failed | Refusal::Unknown => ErrorKind::Conflict,
    };
    Error::new(kind, format!("Agent {} says: {reason:.1000}.", agent.name))
}

/// An answer to another question than was asked.
pub fn beside_the_point(agent: &Agent) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("Agent {} answered something else than was asked.", agent.name),
    )
}
