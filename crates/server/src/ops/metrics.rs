//! What Prometheus asks for, in its text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write;

use roadstead_api::{PageQuery, Permission};

use super::{Context, agent};
use crate::{Error, Result, db};

/// The metrics of the caller's account.
pub async fn show(context: &Context) -> Result<String> {
    context.require(Permission::Observer)?;
    let mut text = String::new();
    write_agents(context, &mut text).await?;
    let mut read = context.db.read().await?;
    let runs = db::metrics::runs_by_state(&mut read, context.account()).await?;
    head(&mut text, "roadstead_runs", "Backups and restores in each state.")?;
    for (kind, state, count) in runs {
        line(&mut text, format_args!("roadstead_runs{{kind=\"{kind}\",state=\"{state}\"}} {count}"))?;
    }
    let last = db::metrics::last_good_backups(&mut read, context.account()).await?;
    let help = "When the last good backup ended, in seconds since 1970; 0 for never.";
    head(&mut text, "roadstead_last_good_backup_timestamp_seconds", help)?;
    for (id, name, ms) in last {
        let (name, seconds) = (escaped(&name), ms as f64 / 1000.0);
        let labels = format!("configuration_id=\"{id}\",configuration=\"{name}\"");
        line(&mut text, format_args!("roadstead_last_good_backup_timestamp_seconds{{{labels}}} {seconds}"))?;
    }
    Ok(text)
}

async fn write_agents(context: &Context, text: &mut String) -> Result<()> {
    head(text, "roadstead_agent_connected", "Whether the link of an agent is up.")?;
    let mut query = PageQuery { limit: Some(1000), cursor: None };
    loop {
        let page = agent::list(context, query).await?;
        for agent in page.items {
            let (name, up) = (escaped(&agent.name), u8::from(agent.connected));
            line(
                text,
                format_args!("roadstead_agent_connected{{agent_id=\"{}\",agent=\"{name}\"}} {up}", agent.id),
            )?;
        }
        match page.next {
            Some(next) => query = PageQuery { limit: Some(1000), cursor: Some(next) },
            None => return Ok(()),
        }
    }
}

pub(super) fn head(text: &mut String, name: &str, help: &str) -> Result<()> {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} gauge"))
}

pub(super) fn line(text: &mut String, line: std::fmt::Arguments<'_>) -> Result<()> {
    writeln!(text, "{line}").map_err(|e| Error::internal("A metric could not be written.").caused_by(e))
}

pub(super) fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
