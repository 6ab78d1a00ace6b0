//! Machines, as their backends were last seen to hold them.

use std::collections::HashMap;

use roadstead_api::{
    id::{AccountId, AgentId, BackendId, MachineId},
    machine::{Machine, MachineQuery},
};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    agent_machine::{self, marks_of_machine},
    filter::{Filter, anywhere, literal},
    row::{Columns, json},
    values::{ROWS_AT_ONCE, values},
};
use crate::Result;

/// Counts the open alarms over backups of a machine's agent. Alarms keep ids as text.
macro_rules! overdue {
    () => {
        "(SELECT COUNT(*) FROM alarms w WHERE w.account_id = m.account_id AND w.kind = 'backup_overdue'
          AND w.noun = 'backup_configuration' AND w.closed_ms IS NULL AND w.noun_id IN
          (SELECT CAST(c.id AS TEXT) FROM backup_configurations c
           WHERE c.agent_id = a.id AND c.deleted_ms IS NULL))"
    };
}

/// A machine as the API shows it.
const SELECT: &str = concat!(
    "SELECT m.number, m.facts, b.refreshed_ms, a.id AS agent_id, a.last_good_ms,
            CASE WHEN a.last_good_ms IS NULL THEN CAST(0 AS BIGINT) ELSE ",
    overdue!(),
    " END AS overdue
     FROM machines m JOIN backends b ON b.id = m.backend_id
     LEFT JOIN agents a ON a.id = m.agent_id"
);
/// Each of these goes along the index of just those machines.
const HAS_AGENT: &str = "m.agent_id IS NOT NULL";
const HAS_NO_AGENT: &str = "m.agent_id IS NULL";
const PROTECTED: &str =
    concat!("m.agent_id IS NOT NULL AND a.last_good_ms IS NOT NULL AND ", overdue!(), " = 0");
const UNPROTECTED: &str = concat!("(a.last_good_ms IS NULL OR ", overdue!(), " > 0)");

/// What is known of a machine that was seen before.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id.
    pub id: MachineId,
    /// Its name.
    pub name: String,
    /// The word of its state.
    pub state: String,
    /// Tells whether it has changed.
    pub hash: String,
}

/// What there is to write of a machine.
#[derive(Debug)]
pub struct MachineRow {
    facts: String,
    /// Tells whether it has changed.
    pub hash: String,
    search: String,
    tags: String,
    marks: Vec<String>,
}

impl MachineRow {
    /// The row of a machine. When it was refreshed is its backend's to say, so that a machine that stayed as it was
    /// need not be written again.
    pub fn of(machine: &Machine) -> Result<Self> {
        let mut facts = machine.clone();
        facts.refreshed_at = jiff::Timestamp::UNIX_EPOCH;
        // What is known of its agent lies elsewhere.
        (facts.agent_id, facts.protected) = (None, false);
        (facts.last_good_backup_at, facts.last_good_backup_age_seconds) = (None, None);
        let facts = json(&facts)?;
        let mut search = vec![machine.name.clone(), machine.id.0.clone(), machine.external_id.clone()];
        search.extend(machine.public_ips.iter().chain(&machine.private_ips).map(ToString::to_string));
        search.extend(machine.tags.iter().cloned());
        Ok(Self {
            hash: hex::encode(&Sha256::digest(&facts)[..16]),
            facts,
            search: search.join("\n").to_lowercase(),
            tags: format!("\n{}\n", machine.tags.join("\n")),
            marks: marks_of_machine(machine),
        })
    }
}

/// Every machine of a backend, by the cloud's ids.
pub async fn known(db: &mut Connection, backend: &BackendId) -> Result<HashMap<String, Known>> {
    let select = query("SELECT external_id, id, name, state, hash FROM machines WHERE backend_id = $1")
        .bind(backend.0.as_str());
    let known = |row: &AnyRow| {
        let known = Known {
            id: MachineId(row.text("id")?),
            name: row.text("name")?,
            state: row.text("state")?,
            hash: row.text("hash")?,
        };
        Ok((row.text("external_id")?, known))
    };
    db.fetch_all(select).await?.iter().map(known).collect()
}

/// Writes down machines of one backend, whether or not they were seen before; none of them stands there twice. One that
/// comes back has the agent that it had.
pub async fn put(
    db: &mut Connection,
    account: AccountId,
    machines: &[(&Machine, &MachineRow)],
    now_ms: i64,
) -> Result<()> {
    for machines in machines.chunks(ROWS_AT_ONCE) {
        let rows = values(machines.len(), 2, 9, |first| {
            let [id, backend, external, name, state, search, tags, facts, hash] =
                std::array::from_fn(|index| first + index);
            format!(
                "(${id}, $1, ${backend}, ${external}, ${name}, ${state}, ${search}, ${tags}, ${facts}, ${hash}, $2,
                  (SELECT j.agent_id FROM agent_machines j WHERE j.machine_id = ${id}))"
            )
        });
        let text = format!(
            "INSERT INTO machines (id, account_id, backend_id, external_id, name, state, search, tags, facts, hash,
                                   created_ms, agent_id)
             VALUES {rows}
             ON CONFLICT (backend_id, external_id) DO UPDATE SET
                 name = excluded.name, state = excluded.state, search = excluded.search, tags = excluded.tags,
                 facts = excluded.facts, hash = excluded.hash"
        );
        let insert = query(AssertSqlSafe(text)).bind(account.0).bind(now_ms);
        let insert = machines.iter().fold(insert, |insert, (machine, row)| {
            insert
                .bind(machine.id.0.as_str())
                .bind(machine.backend_id.0.as_str())
                .bind(machine.external_id.as_str())
                .bind(machine.name.as_str())
                .bind(machine.state.as_str())
                .bind(row.search.as_str())
                .bind(row.tags.as_str())
                .bind(row.facts.as_str())
                .bind(row.hash.as_str())
        });
        db.execute(insert).await?;
        let marks: Vec<_> =
            machines.iter().map(|(machine, row)| (&machine.id, row.marks.as_slice())).collect();
        agent_machine::set_machine_marks(db, account, &marks).await?;
    }
    Ok(())
}

/// Forgets a machine that is no longer there.
pub async fn delete(db: &mut Connection, id: &MachineId) -> Result<()> {
    db.execute(query("DELETE FROM machines WHERE id = $1").bind(id.0.as_str())).await?;
    Ok(())
}

/// An account's machines above the number `after`, in the order in which they were first seen, each with its number.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &MachineQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Machine)>> {
    let has_agent = filter.has_agent.map(|yes| if yes { HAS_AGENT } else { HAS_NO_AGENT });
    let protected = filter.protected.map(|yes| if yes { PROTECTED } else { UNPROTECTED });
    let filter = Filter::from(4)
        .and("m.backend_id = {}", filter.backend_id.as_ref().map(|id| id.0.as_str()))
        .and("b.provider = {}", filter.provider.as_ref().map(|id| id.0.as_str()))
        .and("m.state = {}", filter.state.map(|state| state.as_str()))
        .and("m.search LIKE {} ESCAPE '!'", filter.search.as_deref().map(|t| anywhere(&t.to_lowercase())))
        .and(
            "(m.tags LIKE '%\n' || {} || '\n%' ESCAPE '!' OR m.tags LIKE '%\n' || {} || '=%' ESCAPE '!')",
            filter.tag.as_deref().map(literal),
        )
        .and_where(has_agent)
        .and_where(protected);
    let text = format!(
        "{SELECT}
         WHERE m.account_id = $1 AND m.number > $2{} ORDER BY m.number LIMIT $3",
        filter.sql()
    );
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(after).bind(limit);
    let numbered = |row: &AnyRow| Ok((row.integer("number")?, machine(row)?));
    db.fetch_all(filter.bind(select)).await?.iter().map(numbered).collect()
}

/// How many machines an account has.
pub async fn count(db: &mut Connection, account: AccountId) -> Result<i64> {
    let select = query("SELECT COUNT(*) AS n FROM machines WHERE account_id = $1").bind(account.0);
    db.fetch_one(select).await?.integer("n")
}

/// How many machines of an account are without a good backup, or have overdue ones.
pub async fn count_unprotected(db: &mut Connection, account: AccountId) -> Result<i64> {
    let text = format!(
        "SELECT COUNT(*) AS n FROM machines m LEFT JOIN agents a ON a.id = m.agent_id
         WHERE m.account_id = $1 AND {UNPROTECTED}"
    );
    db.fetch_one(query(AssertSqlSafe(text)).bind(account.0)).await?.integer("n")
}

/// An account's machine.
pub async fn get(db: &mut Connection, account: AccountId, id: &MachineId) -> Result<Option<Machine>> {
    let text = format!("{SELECT} WHERE m.account_id = $1 AND m.id = $2");
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(id.0.as_str());
    db.fetch_optional(select).await?.as_ref().map(machine).transpose()
}

/// One machine by its cloud's id.
pub async fn by_external_id(
    db: &mut Connection,
    account: AccountId,
    backend: &BackendId,
    id: &str,
) -> Result<Option<Machine>> {
    let text = format!("{SELECT} WHERE m.account_id = $1 AND m.backend_id = $2 AND m.external_id = $3");
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(backend.0.as_str()).bind(id);
    db.fetch_optional(select).await?.as_ref().map(machine).transpose()
}

fn machine(row: &AnyRow) -> Result<Machine> {
    let mut machine: Machine = row.json("facts")?;
    if let Some(refreshed) = row.maybe_time("refreshed_ms")? {
        machine.refreshed_at = refreshed;
    }
    machine.agent_id = row.maybe_integer("agent_id")?.map(AgentId);
    machine.last_good_backup_at = row.maybe_time("last_good_ms")?;
    machine.protected = machine.last_good_backup_at.is_some() && row.integer("overdue")? == 0;
    Ok(machine)
}
