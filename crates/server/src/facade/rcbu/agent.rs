//! Agents: `/agent` and `/user`.

use std::collections::HashMap;

use axum::http::Method;
use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    PageQuery, Permission,
    agent::{Agent, AgentDeletion, VaultFate},
    id::{AgentId, VaultId},
    sealing::{EncryptedPassword, NewSealing, NewVaultPassword, Padding, Sealing, VaultMigration},
    vault::VaultMode,
};
use serde_json::{Value, json};

use super::{
    agent_configuration, agent_log,
    answer::Answer,
    call::Call,
    nothing_here,
    value::{flag, id, integer, maybe_date, required, size, text},
};
use crate::{
    Error, ErrorKind, Result,
    auth::public_key::PublicKey,
    db,
    ops::{Context, agent, sealing, vault},
};

/// The one data centre that everything is said to lie in.
pub const DATACENTER: &str = "DFW";
/// The kind of machine that everything is said to be.
pub const FLAVOR: &str = "RaxCloudServer";

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
        (&Method::POST, ["encrypt"]) => {
            let id = AgentId(required(&call.body, "MachineAgentId")?);
            agent::show(context, id).await?;
            let password = password(&call.body, "EncryptedPasswordHex")?;
            Ok(request_id(&sealing::encrypt(context, id, NewSealing { password }).await?))
        }
        (&Method::POST, ["changeencryption"]) => {
            let id = AgentId(required(&call.body, "MachineAgentId")?);
            agent::show(context, id).await?;
            let current = password(&call.body, "OldEncryptedPasswordHex")?;
            let new = password(&call.body, "NewEncryptedPasswordHex")?;
            let change = NewVaultPassword { current, new };
            Ok(request_id(&sealing::change_password(context, id, change).await?))
        }
        (&Method::POST, ["delete"]) => {
            let id = AgentId(required(&call.body, "MachineAgentId")?);
            agent::delete(context, id, AgentDeletion { vault: Some(VaultFate::Delete) }).await?;
            Ok(Answer::NoContent)
        }
        (&Method::PUT | &Method::POST, ["migratevault"]) => {
            let from = AgentId(required(&call.body, "SourceMachineAgentId")?);
            // The documentation spells it in both ways.
            let to = match integer(&call.body, "DestinationMachineAgentId")? {
                Some(to) => to,
                None => required(&call.body, "DestinationMachineAgentID")?,
            };
            if agent::show(context, from).await?.encrypted {
                return Err(Error::forbidden("A sealed vault is not migrated without its password."));
            }
            // What stands against it is a 403 there, whatever it is.
            let migrated =
                agent::migrate(context, from, VaultMigration { to: AgentId(to), password: None }).await;
            match migrated {
                Err(error) if error.kind == ErrorKind::Conflict => Err(Error::forbidden(error.message)),
                migrated => migrated.map(|_| Answer::Empty),
            }
        }
        (_, ["logging", ..] | ["requestlog" | "logfiles", _]) => agent_log::answer(call, parts).await,
        (&Method::GET, ["server", server]) => {
            let known = agent::show(context, AgentId(number_of(server)?)).await?;
            Ok(Answer::Json(shown(context, &known, true).await?))
        }
        (&Method::GET, ["configuration", agent]) => {
            let known = agent::show(context, AgentId(id(agent)?)).await?;
            Ok(Answer::Json(agent_configuration::of(context, &known).await?))
        }
        (&Method::GET, ["events", agent]) => events(context, AgentId(id(agent)?)).await,
        (method @ (&Method::GET | &Method::POST), [agent]) => {
            // It changed where backups go there.
            if method == Method::POST {
                context.require(Permission::Creator)?;
            }
            let known = agent::show(context, AgentId(id(agent)?)).await?;
            Ok(Answer::Json(shown(context, &known, true).await?))
        }
        _ => Err(nothing_here()),
    }
}

/// A password, encrypted as this service's clients do: PKCS #1 v1.5, in hexadecimal.
pub fn password(body: &Value, field: &str) -> Result<EncryptedPassword> {
    let hex = text(body, field)?.ok_or_else(|| Error::invalid(format!("{field} is missing.")))?;
    let bytes = hex::decode(&hex)
        .map_err(|e| Error::invalid(format!("{field} must be hexadecimal.")).caused_by(e))?;
    Ok(EncryptedPassword { padding: Padding::Pkcs1, text: BASE64_STANDARD.encode(bytes) })
}

/// The id of a request that goes on, as a text in the form of a GUID.
fn request_id(sealing: &Sealing) -> Answer {
    Answer::Text(format!("00000000-0000-4000-8000-{:012x}", sealing.id.0))
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
        (&Method::POST, ["wakeupagents"]) => {
            call.context.require(Permission::Creator).map(|()| Answer::Empty)
        }
        (&Method::GET, ["wakeupagents"]) => Ok(Answer::Empty),
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
        "OperatingSystem": system(&agent.host.os).0,
        "OperatingSystemVersion": system(&agent.host.os).1,
        "Flavor": FLAVOR,
        "IPAddress": address(agent),
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
        "TimeOfLastSuccessfulBackup": maybe_date(agent.last_good_backup_at),
        "UseServiceNet": false,
        "UseFailoverUri": false,
        "HostServerId": format!("00000000-0000-4000-8000-{:012x}", agent.id.0),
    }))
}

/// The first address of an agent's host; one of IPv4, if it has one.
fn address(agent: &Agent) -> String {
    let addresses = &agent.host.addresses;
    let first = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    first.map(ToString::to_string).unwrap_or_default()
}

/// An operating system's name and its version, which begins with the first word that has a digit.
fn system(os: &str) -> (&str, &str) {
    let at = os.match_indices(' ').find(|(at, _)| os[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    at.map_or((os, ""), |(at, _)| (&os[..at], &os[at + 1..]))
}

/// Whether nobody but user and agent has a vault's password: what clients call encrypted.
pub async fn is_sealed(context: &Context, vault: &VaultId) -> bool {
    vault::get(context, vault).await.is_ok_and(|vault| vault.mode == VaultMode::Sealed)
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

#[cfg(test)]
mod tests {
    use super::system;

    #[test]
    fn a_system_has_a_name_and_a_version() {
        assert_eq!(system("Debian GNU/Linux 12 (bookworm)"), ("Debian GNU/Linux", "12 (bookworm)"));
        assert_eq!(system("Ubuntu 24.04"), ("Ubuntu", "24.04"));
        assert_eq!(system("Arch Linux"), ("Arch Linux", ""));
        assert_eq!(system(""), ("", ""));
    }
}
