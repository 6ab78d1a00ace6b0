//! Activity: `/activity`, `/system/activity/AGENT`, and the report of a cleanup.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use roadstead_api::{
    activity::{Activity, ActivityKind, ActivityQuery},
    id::{AgentId, CleanupId},
    restore_configuration::{RestoreConfiguration, RestoreConfigurationQuery},
};
use serde_json::{Value, json};

use super::{
    agent::{self, DATACENTER},
    answer::Answer,
    call::Call,
    nothing_here,
    state::state_word,
    value::{date, duration, id},
};
use crate::{
    Error, Result,
    ops::{Context, activity, cleanup, restore_configuration},
};

/// How much of the past is told.
const MAX_TOLD: u32 = 1000;

/// An operation below `/activity`, `/system` or `/cleanup`.
pub async fn answer(call: &Call, noun: &str, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, noun, parts) {
        (&Method::GET, "activity", []) => listed(context, None).await,
        (&Method::GET, "system", ["activity", agent]) => {
            let agent = AgentId(id(agent)?);
            crate::ops::agent::show(context, agent).await?;
            listed(context, Some(agent)).await
        }
        (&Method::GET, "cleanup", ["report", cleanup]) => report(context, CleanupId(id(cleanup)?)).await,
        _ => Err(nothing_here()),
    }
}

/// What a restore is called by, which is its configuration, is told once: with its latest run, or as one that was made
/// and never started.
async fn listed(context: &Context, agent: Option<AgentId>) -> Result<Answer> {
    let names = agent::names(context).await?;
    let query = ActivityQuery { agent_id: agent, limit: Some(MAX_TOLD), ..ActivityQuery::default() };
    let mut seen = HashSet::new();
    let mut told: Vec<(i64, Value)> = Vec::new();
    for activity in activity::list(context, query).await?.items {
        let row = match (activity.kind, activity.configuration_id) {
            (ActivityKind::Backup, Some(parent)) => run(&activity, "Backup", activity.id, parent, &names),
            (ActivityKind::Restore, Some(configuration)) if seen.insert(configuration) => {
                run(&activity, "Restore", configuration, configuration, &names)
            }
            (ActivityKind::Cleanup, _) => run(&activity, "Cleanup", activity.id, 0, &names),
            // The service knew no checks, and no restores but by what they are called.
            _ => continue,
        };
        told.push((activity.created_at.as_millisecond(), row));
    }
    let query = RestoreConfigurationQuery {
        agent_id: agent,
        limit: Some(MAX_TOLD),
        ..RestoreConfigurationQuery::default()
    };
    for known in restore_configuration::list(context, query).await?.items {
        if known.latest_restore_id.is_none() {
            told.push((known.created_at.as_millisecond(), made(&known, &names)));
        }
    }
    told.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(Answer::Json(told.into_iter().map(|(_, row)| row).collect()))
}

fn run(activity: &Activity, kind: &str, id: i64, parent: i64, names: &HashMap<AgentId, String>) -> Value {
    let at = activity.completed_at.or(activity.started_at).unwrap_or(activity.created_at);
    let destination = activity.destination_agent_id;
    json!({
        "ID": id,
        "Type": kind,
        "ParentId": parent,
        "DisplayName": activity.name,
        "IsBackupConfigurationDeleted": activity.configuration_deleted,
        "SourceMachineAgentId": activity.agent_id,
        "SourceMachineName": names.get(&activity.agent_id),
        "SourceDatacenter": DATACENTER,
        "DestinationMachineAgentId": destination.map_or(0, |agent| agent.0),
        "DestinationMachineName": destination.and_then(|agent| names.get(&agent)).map_or("", String::as_str),
        "DestinationDatacenter": if destination.is_some() { DATACENTER } else { "" },
        "CurrentState": state_word(activity.state),
        "TimeOfActivity": date(at),
        "BackupId": if activity.kind == ActivityKind::Backup { activity.id } else { 0 },
    })
}

fn made(known: &RestoreConfiguration, names: &HashMap<AgentId, String>) -> Value {
    let name = names.get(&known.agent_id).map_or("", String::as_str);
    json!({
        "ID": known.id,
        "Type": "Restore",
        "ParentId": known.id,
        "DisplayName": known.name,
        "IsBackupConfigurationDeleted": false,
        "SourceMachineAgentId": known.agent_id,
        "SourceMachineName": name,
        "SourceDatacenter": DATACENTER,
        "DestinationMachineAgentId": known.agent_id,
        "DestinationMachineName": name,
        "DestinationDatacenter": DATACENTER,
        "CurrentState": "Creating",
        "TimeOfActivity": date(known.created_at),
        "BackupId": known.backup_id,
    })
}

async fn report(context: &Context, id: CleanupId) -> Result<Answer> {
    let known = cleanup::show(context, id).await?;
    let Some(ended) = known.completed_at else {
        return Err(Error::not_found(format!("Cleanup {id} has not ended, so there is no report.")));
    };
    let begun = known.started_at.unwrap_or(known.created_at);
    Ok(Answer::Json(json!({
        "CleanupId": known.id,
        "State": state_word(known.state),
        "StartTime": date(begun),
        "CompletedTime": date(ended),
        "Duration": duration(begun.duration_until(ended).as_secs_f64()),
        "BackupsKept": known.backups_kept,
        "BackupsRemoved": known.backups_forgotten,
        "BytesRemoved": known.bytes_dropped,
        "Reason": known.reason.unwrap_or_else(|| "Success".to_owned()),
        "ErrorList": [],
    })))
}
