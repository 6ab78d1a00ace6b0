//! Agents. What only memory knows (whether the link is up) is laid over these rows by `ops`.

use std::net::IpAddr;

use roadstead_api::{
    agent::{Agent, HostFacts},
    id::{AccountId, AgentId, MachineId, VaultId},
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    agent_machine::{self, marks_of_host},
    row::{Columns, active_states, is_duplicate, json},
};
use crate::{Error, Result};

/// An agent to be made.
#[derive(Debug)]
pub struct NewAgent<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Its name.
    pub name: &'a str,
    /// Its public key in PEM.
    pub public_key: &'a str,
    /// The fingerprint of that key.
    pub fingerprint: &'a str,
    /// What is stored of its credential.
    pub credential_hash: &'a str,
    /// Its machine.
    pub host: &'a HostFacts,
    /// Now.
    pub now_ms: i64,
}

/// Makes an agent. A key that is enrolled already is a conflict.
pub async fn insert(db: &mut Connection, agent: &NewAgent<'_>) -> Result<AgentId> {
    let insert = query(
        "INSERT INTO agents (account_id, name, enabled, public_key, fingerprint, credential_hash,
                             hostname, os, arch, agent_version, created_ms, facts)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
    )
    .bind(agent.account_id.0)
    .bind(agent.name)
    .bind(agent.public_key)
    .bind(agent.fingerprint)
    .bind(agent.credential_hash)
    .bind(agent.host.hostname.as_str())
    .bind(agent.host.os.as_str())
    .bind(agent.host.arch.as_str())
    .bind(agent.host.agent_version.as_str())
    .bind(agent.now_ms)
    .bind(json(&Facts::of(agent.host))?);
    match db.fetch_one(insert).await {
        Ok(row) => Ok(AgentId(row.integer("id")?)),
        Err(error) if is_duplicate(&error) => {
            Err(Error::conflict("An agent with this key is enrolled already; enrol with a new data folder."))
        }
        Err(error) => Err(error.into()),
    }
}

/// An account's agents above `after`, oldest first.
pub async fn list(db: &mut Connection, account: AccountId, after: i64, limit: i64) -> Result<Vec<Agent>> {
    let sql = format!(
        "{} WHERE a.account_id = $1 AND a.id > $2 AND a.deleted_ms IS NULL ORDER BY a.id LIMIT $3",
        select()
    );
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(after).bind(limit);
    db.fetch_all(select).await?.iter().map(agent).collect()
}

/// An account's agent.
pub async fn get(db: &mut Connection, account: AccountId, id: AgentId) -> Result<Option<Agent>> {
    let sql = format!("{} WHERE a.account_id = $1 AND a.id = $2 AND a.deleted_ms IS NULL", select());
    let select = query(AssertSqlSafe(sql));
    db.fetch_optional(select.bind(account.0).bind(id.0)).await?.as_ref().map(agent).transpose()
}

/// The public key of an account's agent, in PEM.
pub async fn public_key(db: &mut Connection, account: AccountId, id: AgentId) -> Result<Option<String>> {
    let select =
        query("SELECT public_key FROM agents WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.map(|row| row.text("public_key")).transpose()
}

/// The agent whose credential has this fingerprint.
pub async fn by_credential(db: &mut Connection, credential_hash: &str) -> Result<Option<AgentId>> {
    let select = query("SELECT id FROM agents WHERE credential_hash = $1").bind(credential_hash);
    db.fetch_optional(select).await?.map(|row| row.integer("id").map(AgentId)).transpose()
}

/// An account's agent whose key has this fingerprint.
pub async fn by_fingerprint(
    db: &mut Connection,
    account: AccountId,
    fingerprint: &str,
) -> Result<Option<AgentId>> {
    let select =
        query("SELECT id FROM agents WHERE account_id = $1 AND fingerprint = $2 AND deleted_ms IS NULL");
    let row = db.fetch_optional(select.bind(account.0).bind(fingerprint)).await?;
    row.map(|row| row.integer("id").map(AgentId)).transpose()
}

/// Enables or disables an account's agent; says whether there is one.
pub async fn set_enabled(
    db: &mut Connection,
    account: AccountId,
    id: AgentId,
    enabled: bool,
) -> Result<bool> {
    let update = query("UPDATE agents SET enabled = $3 WHERE account_id = $1 AND id = $2")
        .bind(account.0)
        .bind(id.0)
        .bind(i64::from(enabled));
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// The account of an agent, and its name.
pub async fn owner(db: &mut Connection, id: AgentId) -> Result<Option<(AccountId, String)>> {
    let select = query("SELECT account_id, name FROM agents WHERE id = $1").bind(id.0);
    let row = db.fetch_optional(select).await?;
    row.map(|row| Ok((AccountId(row.integer("account_id")?), row.text("name")?))).transpose()
}

/// Whether an agent takes work.
pub async fn is_enabled(db: &mut Connection, id: AgentId) -> Result<bool> {
    let row = db.fetch_optional(query("SELECT enabled FROM agents WHERE id = $1").bind(id.0)).await?;
    row.map_or(Ok(false), |row| row.flag("enabled"))
}

/// Gives an agent that has never connected another credential; says whether it was so.
pub async fn renew_credential(db: &mut Connection, id: AgentId, credential_hash: &str) -> Result<bool> {
    let update = query("UPDATE agents SET credential_hash = $2 WHERE id = $1 AND last_seen_ms IS NULL AND deleted_ms IS NULL")
        .bind(id.0)
        .bind(credential_hash);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Notes what an agent said of its machine when it connected, and returns whose agent it is.
pub async fn set_host(db: &mut Connection, id: AgentId, host: &HostFacts, now_ms: i64) -> Result<AccountId> {
    let update = query(
        "UPDATE agents SET hostname = $2, os = $3, arch = $4, agent_version = $5, last_seen_ms = $6, facts = $7
         WHERE id = $1 RETURNING account_id",
    )
    .bind(id.0)
    .bind(host.hostname.as_str())
    .bind(host.os.as_str())
    .bind(host.arch.as_str())
    .bind(host.agent_version.as_str())
    .bind(now_ms)
    .bind(json(&Facts::of(host))?);
    let account = AccountId(db.fetch_one(update).await?.integer("account_id")?);
    agent_machine::set_agent_marks(db, account, id, &marks_of_host(host)).await?;
    Ok(account)
}

/// Notes when an agent's last backup ended that can be restored.
pub async fn set_last_good(db: &mut Connection, id: AgentId, ended_ms: i64) -> Result<()> {
    db.execute(query("UPDATE agents SET last_good_ms = $2 WHERE id = $1").bind(id.0).bind(ended_ms)).await?;
    Ok(())
}

/// Notes when an agent was last heard of; says whether there is one, which was not deleted.
pub async fn set_last_seen(db: &mut Connection, id: AgentId, seen_ms: i64) -> Result<bool> {
    let update = query("UPDATE agents SET last_seen_ms = $2 WHERE id = $1 AND deleted_ms IS NULL");
    Ok(db.execute(update.bind(id.0).bind(seen_ms)).await?.rows_affected() > 0)
}

/// Deletes an account's agent: from now on its credential opens nothing. Says whether there was one.
pub async fn delete(db: &mut Connection, account: AccountId, id: AgentId, now_ms: i64) -> Result<bool> {
    let update = query(
        "UPDATE agents SET deleted_ms = $3, enabled = 0, credential_hash = $4
         WHERE account_id = $1 AND id = $2 AND deleted_ms IS NULL",
    )
    .bind(account.0)
    .bind(id.0)
    .bind(now_ms)
    .bind(format!("deleted-{id}"));
    let deleted = db.execute(update).await?.rows_affected() > 0;
    if deleted {
        // It runs on no machine any more, and nothing is to be joined to it.
        agent_machine::delete(db, id).await?;
    }
    Ok(deleted)
}

fn select() -> String {
    let active = active_states();
    format!(
        "SELECT a.*, v.id AS vault_id, v.mode AS vault_mode,
            (SELECT COUNT(*) FROM backups b WHERE b.agent_id = a.id AND b.state IN {active})
            + (SELECT COUNT(*) FROM restores r WHERE r.agent_id = a.id AND r.state IN {active})
            + (SELECT COUNT(*) FROM sealings s WHERE s.agent_id = a.id AND s.state IN {active})
            + (SELECT COUNT(*) FROM upkeeps u WHERE u.agent_id = a.id AND u.state IN {active}) AS active_runs,
            m.id AS machine_id
         FROM agents a JOIN vaults v ON v.agent_id = a.id AND v.retired_ms IS NULL
         LEFT JOIN agent_machines j ON j.agent_id = a.id LEFT JOIN machines m ON m.id = j.machine_id"
    )
}

/// What of a host has no column of its own.
#[derive(Default, Serialize, Deserialize)]
struct Facts {
    #[serde(default)]
    addresses: Vec<IpAddr>,
    #[serde(default)]
    instance_ids: Vec<String>,
}

impl Facts {
    fn of(host: &HostFacts) -> Self {
        Self { addresses: host.addresses.clone(), instance_ids: host.instance_ids.clone() }
    }
}

fn agent(row: &AnyRow) -> Result<Agent> {
    let facts: Facts = row.json("facts")?;
    Ok(Agent {
        id: AgentId(row.integer("id")?),
        name: row.text("name")?,
        enabled: row.flag("enabled")?,
        encrypted: row.text("vault_mode")? == "sealed",
        connected: false,
        busy: row.integer("active_runs")? > 0,
        vault_id: VaultId(row.text("vault_id")?),
        fingerprint: row.text("fingerprint")?,
        host: HostFacts {
            hostname: row.text("hostname")?,
            os: row.text("os")?,
            arch: row.text("arch")?,
            agent_version: row.text("agent_version")?,
            addresses: facts.addresses,
            instance_ids: facts.instance_ids,
        },
        machine_id: row.maybe_text("machine_id")?.map(MachineId),
        last_good_backup_at: row.maybe_time("last_good_ms")?,
        created_at: row.time("created_ms")?,
        last_seen_at: row.maybe_time("last_seen_ms")?,
    })
}
