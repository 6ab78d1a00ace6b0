//! Agents: `/agent` and `/user`.

use std::collections::HashMap;

use axum::http::Method;
use roadstead_api::{PageQuery, agent::Agent, id::AgentId};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    call::Call,
    nothing_here,
    value::{flag, id, required, size},
};
use crate::{
    Error, Result,
    auth::public_key::PublicKey,
    db,
    ops::{Context, agent, vault},
};

/// The one data centre that everything is said to lie in.
pub const DATACENTER: &str = "DFW";
/// The kind of machine that everything is said to be.
pub const FLAVOR: &str = "RaxCloudServer";
const NO_SEALING: &str = "Vaults cannot be sealed with a password of yours yet.";
const NO_LOGGING: &str = "The log level of an agent is set where it runs.";

/// An operation below `/agent`.
pub async fn answer(call: &Call, parts: &[&str]) -> Result<Answer> {
    let context = &call.context;
    match (&call.method, parts) {
        (&Method::POST, ["enable"]) => {
            let id = AgentId(required(&call.body, "MachineAgentId")?);
            let wanted = flag(&call.body, "Enable")?.ok_or_else(|| Error::invalid("Enable is missing."))?;
            if wanted {
                agent::enable(context, id).await?
            } else {
                agent::disable(context, id).await?
            };
            Ok(Answer::NoContent)
        }
        (&Method::POST, ["encrypt" | "changeencryption"]) => {
            agent::show(context, AgentId(required(&call.body, "MachineAgentId")?)).await?;
            Ok(Answer::NotImplemented(NO_SEALING))
        }
        (&Method::POST, ["delete"]) => {
            agent::show(context, AgentId(required(&call.body, "MachineAgentId")?)).await?;
            Ok(Answer::NotImplemented("Agents cannot be deleted yet; disable it."))
        }
        (&Method::PUT | &Method::POST, ["migratevault"]) => {
            Ok(Answer::NotImplemented("A vault cannot be given to another agent yet."))
        }
        (&Method::PUT, ["logging"]) | (&Method::GET, ["logging", _]) => {
            Ok(Answer::NotImplemented(NO_LOGGING))
        }
        (&Method::POST, ["requestlog", _]) | (&Method::GET, ["logfiles", _]) => {
            Ok(Answer::NotImplemented("The log of an agent is read where it runs."))
        }
        (&Method::GET, ["server", server]) => {
            let known = agent::show(context, AgentId(number_of(server)?)).await?;
            Ok(Answer::Json(shown(context, &known, true).await?))
        }
        (&Method::GET, ["events", agent]) => events(context, AgentId(id(agent)?)).await,
        (&Method::GET | &Method::POST, [agent]) => {
            let known = agent::show(context, AgentId(id(agent)?)).await?;
            Ok(Answer::Json(shown(context, &known, true).await?))
        }
        _ => Err(nothing_here()),
    }
}

/// An operation below `/user`.
pub async fn of_user(call: &Call, parts: &[&str]) -> Result<Answer> {
    match (&call.method, parts) {
        (&Method::GET, ["agents"]) => {
            let mut found = Vec::new();
            for agent in all(&call.context).await? {
                found.push(shown(&call.context, &agent, false).await?);
            }
            Ok(Answer::Json(Value::Array(found)))
        }
        // An agent whose link is up is awake.
        (&Method::POST | &Method::GET, ["wakeupagents"]) => Ok(Answer::Empty),
        _ => Err(nothing_here()),
    }
}

/// Every agent of the account.
pub async fn all(context: &Context) -> Result<Vec<Agent>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = agent::list(context, PageQuery { limit: Some(1000), cursor }).await?;
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(found);
        }
    }
}

/// The names of the account's agents.
pub async fn names(context: &Context) -> Result<HashMap<AgentId, String>> {
    Ok(all(context).await?.into_iter().map(|agent| (agent.id, agent.name)).collect())
}

/// The public key of an agent, as clients encrypt passwords with.
pub async fn public_key(context: &Context, agent: AgentId) -> Result<Value> {
    let pem = db::agent::public_key(&mut *context.db.read().await?, context.account(), agent).await?;
    let key = pem.as_deref().and_then(|pem| PublicKey::from_pem(pem).ok());
    let modulus = key.map(|key| key.modulus_hex()).unwrap_or_default();
    // A number, whose digits are hexadecimal.
    Ok(json!({ "ModulusHex": modulus, "ExponentHex": 10001 }))
}

/// An agent; `fresh` also says what takes a look at its vault.
async fn shown(context: &Context, agent: &Agent, fresh: bool) -> Result<Value> {
    let vault = match fresh {
        true => Some(vault::show(context, &agent.vault_id).await?),
        false => None,
    };
    let status = match (fresh, agent.connected) {
        (true, true) => "Online",
        (true, false) => "Offline",
        // Clients then ask for the one that they want to know of.
        (false, _) => "Unknown",
    };
    Ok(json!({
        "MachineAgentId": agent.id,
        "MachineName": agent.name,
        "AgentVersion": agent.host.agent_version,
        "Architecture": if agent.host.arch.contains("64") { "64-bit" } else { "32-bit" },
        "OperatingSystem": agent.host.os,
        "OperatingSystemVersion": "",
        "Flavor": FLAVOR,
        "IPAddress": "",
        "Datacenter": DATACENTER,
        "BackupDatacenter": DATACENTER,
        "BackupDataCenter": DATACENTER,
        "BackupVaultSize": vault.as_ref().map(|vault| size(vault.size_bytes)),
        "BackupContainer": format!("{}/vaults/{}/", context.public_url, agent.vault_id),
        "CleanupAllowed": true,
        "IsDisabled": !agent.enabled,
        "IsEncrypted": agent.encrypted,
        "Status": status,
        "PublicKey": public_key(context, agent.id).await?,
        "TimeOfLastSuccessfulBackup": null,
        "UseServiceNet": false,
        "UseFailoverUri": false,
        "HostServerId": format!("00000000-0000-4000-8000-{:012x}", agent.id.0),
    }))
}

/// The number in what [`shown`] calls the id of a server.
fn number_of(server: &str) -> Result<i64> {
    let number = server.rsplit('-').next().and_then(|digits| i64::from_str_radix(digits, 16).ok());
    number.ok_or_else(|| Error::not_found(format!("There is no server {server:.50?}.")))
}

async fn events(context: &Context, id: AgentId) -> Result<Answer> {
    let known = agent::show(context, id).await?;
    let heard = known.last_seen_at.map(|at| (context.now_ms() - at.as_millisecond()).max(0) / 1000);
    let beat = |age| json!({ "id": 1, "age": age, "data": { "Event": "Heartbeat", "MachineAgentId": id } });
    // Whose link is up is awake, however long it has been silent.
    let age = if known.connected { heard.map(|age| age.min(20)) } else { heard };
    Ok(Answer::Json(Value::Array(age.map(beat).into_iter().collect())))
}
