//! Asking an agent over its link, and waiting for what it says.

use std::time::Duration;

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

/// Asks an agent; what it refuses is an error with its reason.
pub async fn ask(context: &Context, agent: &Agent, what: Question) -> Result<Answer> {
    let unavailable = |why: &str| {
        Error::new(ErrorKind::Unavailable, format!("Agent {} cannot be asked: {why}.", agent.name))
    };
    let not_connected = || unavailable("it is not connected to this server");
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
