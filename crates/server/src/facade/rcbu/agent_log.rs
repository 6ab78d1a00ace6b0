//! How much an agent logs, and its log: `/agent/logging`, `/agent/requestlog` and `/agent/logfiles`.
//!
//! There an agent uploaded its log when it was asked to, and clients looked for the file; here it is read over the link
//! when somebody wants it, so that a request only makes sure that the agent answers, and the one file is where our own
//! API shows the log.

use axum::http::Method;
use roadstead_api::{
    agent_log::{AgentLogQuery, LogLevel, LogLevelChange},
    id::AgentId,
};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    call::Call,
    nothing_here,
    value::{id, integer, required},
};
use crate::{
    Error, Result,
    ops::{Context, agent, agent_log},
};

/// An operation on an agent's log.
pub async fn answer(call: &Call, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, parts) {
        (&Method::PUT, ["logging"]) => {
            let id = AgentId(required(&call.body, "MachineAgentId")?);
            agent::show(context, id).await?;
            // The documentation and a client spell it in two ways.
            let number = match integer(&call.body, "LoggingLevelId")? {
                Some(number) => number,
                None => required(&call.body, "LoggingLevelid")?,
            };
            agent_log::set_level(context, id, LogLevelChange { level: level(number)? }).await?;
            Ok(Answer::NoContent)
        }
        (&Method::GET, ["logging", agent]) => {
            let said = last_line(context, AgentId(id(agent)?)).await?;
            Ok(Answer::Json(Value::from(word(said))))
        }
        (&Method::POST, ["requestlog", agent]) => {
            let id = AgentId(id(agent)?);
            last_line(context, id).await?;
            Ok(Answer::Json(Value::from(format!("00000000-0000-4000-8000-{:012x}", id.0))))
        }
        (&Method::GET, ["logfiles", agent]) => files(context, AgentId(id(agent)?)).await,
        _ => Err(nothing_here()),
    }
}

/// Asks the agent for one line, and so for how much it says.
async fn last_line(context: &Context, id: AgentId) -> Result<Option<LogLevel>> {
    Ok(agent_log::show(context, id, AgentLogQuery { lines: Some(1) }).await?.level)
}

/// The log of an agent that can be asked for it.
async fn files(context: &Context, id: AgentId) -> Result<Answer> {
    let known = agent::show(context, id).await?;
    let file = json!({
        "DisplayName": format!("{}.log", known.name),
        "CurrentState": "Uploaded",
        "FilePath": format!("{}/api/v1/agents/{id}/log", context.public_url),
    });
    Ok(Answer::Json(Value::Array(if known.connected { vec![file] } else { Vec::new() })))
}

/// The level of a number: 1 fatal, 2 error, 3 warn, 4 info, 5 debug, 6 trace, 7 all.
fn level(number: i64) -> Result<LogLevel> {
    Ok(match number {
        1 | 2 => LogLevel::Error,
        3 => LogLevel::Warn,
        4 => LogLevel::Info,
        5 => LogLevel::Debug,
        6 | 7 => LogLevel::Trace,
        _ => return Err(Error::invalid("LoggingLevelId goes from 1 (fatal) to 7 (all).")),
    })
}

/// What the level is called there. Where the machine's own settings say it in other words, it is the usual one.
fn word(level: Option<LogLevel>) -> &'static str {
    match level.unwrap_or_default() {
        LogLevel::Error => "Error",
        LogLevel::Warn => "Warn",
        LogLevel::Info => "Info",
        LogLevel::Debug => "Debug",
        LogLevel::Trace => "Trace",
    }
}

#[cfg(test)]
mod tests {
    use super::{level, word};

    #[test]
    fn numbers_are_the_levels_that_they_are_called_there() {
        let words: Vec<&str> = (1..=7).map(|number| word(Some(level(number).unwrap()))).collect();
        assert_eq!(words, ["Error", "Error", "Warn", "Info", "Debug", "Trace", "Trace"]);
        for wrong in [i64::MIN, -1, 0, 8, i64::MAX] {
            assert!(level(wrong).is_err());
        }
        assert_eq!(word(None), "Info");
    }
}
