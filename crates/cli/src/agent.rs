//! `roadstead agents`: the agents that the server knows. (The agent itself is in `agent_process`.)

use std::time::Duration;

use clap::Subcommand;
use jiff::{Span, SpanRelativeTo};
use roadstead_client::api::{
    PageQuery,
    agent::{Agent, AgentDisable, AgentEnable, AgentList, AgentShow},
    id::AgentId,
    metric::AgentMetricsShow,
};

use crate::{
    agent_machine,
    error::{Exit, Result},
    list::{self, ListArgs},
    machine::Which,
    metric::{self, MetricArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum AgentCommand {
    /// Make a token that enrols one agent.
    #[command(after_help = "Example:\n  roadstead agents token --ttl 1h -o json")]
    Token {
        /// How long it can be used, such as 90s, 15m, 1h or 7d.
        #[arg(long, value_parser = duration, value_name = "TIME")]
        ttl: Option<Duration>,
    },
    /// List the agents, oldest first.
    #[command(after_help = "Example:\n  roadstead agents list")]
    List(ListArgs),
    /// Show an agent.
    #[command(after_help = "Example:\n  roadstead agents show 1")]
    Show {
        /// The agent's id.
        agent: AgentId,
    },
    /// Let an agent take work again.
    #[command(after_help = "Example:\n  roadstead agents enable 1")]
    Enable {
        /// The agent's id.
        agent: AgentId,
    },
    /// Keep an agent from new work; what it has in hand goes on.
    #[command(after_help = "Example:\n  roadstead agents disable 1")]
    Disable {
        /// The agent's id.
        agent: AgentId,
    },
    /// List the machines that an agent may run on, and what speaks for each.
    #[command(after_help = "Example:\n  roadstead agents machines 1")]
    Machines {
        /// The agent's id.
        agent: AgentId,
    },
    /// Show how busy an agent's machine is and was.
    #[command(after_help = "Example:\n  roadstead agents metrics 1 --since 1d")]
    Metrics {
        /// The agent's id.
        agent: AgentId,
        #[command(flatten)]
        part: MetricArgs,
    },
    /// Say which machine an agent runs on.
    #[command(after_help = "Example:\n  roadstead agents attach 1 web-1")]
    Attach {
        /// The agent's id.
        agent: AgentId,
        #[command(flatten)]
        machine: Which,
    },
    /// Say that an agent runs on none of the machines; the server does not join it by itself any more.
    #[command(after_help = "Example:\n  roadstead agents detach 1")]
    Detach {
        /// The agent's id.
        agent: AgentId,
    },
}

impl Row for Agent {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "enabled", "connected", "busy", "vault", "os", "last seen"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.name.clone(),
            table::yes(self.enabled),
            table::yes(self.connected),
            table::yes(self.busy),
            self.vault_id.to_string(),
            self.host.os.clone(),
            table::age(self.last_seen_at),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: AgentCommand, session: &Session) -> Result<Exit> {
    let Session { client, output } = session;
    match command {
        AgentCommand::Token { ttl } => output.object(&client.create_enrolment_token(ttl).await?)?,
        AgentCommand::List(which) => {
            return list::print::<AgentList, _>(session, (), PageQuery::default(), which).await;
        }
        AgentCommand::Show { agent } => output.object(&client.call::<AgentShow>(&agent, &(), &()).await?)?,
        AgentCommand::Enable { agent } => {
            output.object(&client.call::<AgentEnable>(&agent, &(), &()).await?)?
        }
        AgentCommand::Disable { agent } => {
            output.object(&client.call::<AgentDisable>(&agent, &(), &()).await?)?
        }
        AgentCommand::Machines { agent } => return agent_machine::list(session, agent).await,
        AgentCommand::Metrics { agent, part } => {
            let found = client.call::<AgentMetricsShow>(&agent, &part.query(), &()).await?;
            return metric::print(session, found);
        }
        AgentCommand::Attach { agent, machine } => {
            return agent_machine::attach(session, agent, &machine).await;
        }
        AgentCommand::Detach { agent } => return agent_machine::detach(session, agent).await,
    }
    Ok(Exit::Done)
}

/// A time such as 15m or 7d.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: Span = text.parse().map_err(|e: jiff::Error| e.to_string())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|e| e.to_string())?;
    Duration::try_from(duration).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("1h 30m", 5400)];
        for (text, seconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "15", "-5m", "soon", "1y"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
