//! Agents and machines: who runs where, and the marks by which that is found out.
//!
//! A mark is an address, or an id that a cloud gives, in one spelling. Machines and agents that share one may be the
//! same; `ops::agent_machine` judges.

use roadstead_api::{
    agent::HostFacts,
    agent_machine::JoinedBy,
    id::{AccountId, AgentId, BackendId, MachineId},
    machine::Machine,
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::Columns,
    values::{ROWS_AT_ONCE, values},
};
use crate::Result;

/// How many machines that share marks with an agent are looked at.
const MAX_SHARED: i64 = 1000;
/// How many agents are looked at after a backend was asked.
const MAX_AGENTS: i64 = 1000;

/// A machine that shares a mark with an agent: one row for each mark.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The machine.
    pub machine_id: MachineId,
    /// Its name.
    pub machine_name: String,
    /// The backend that holds it.
    pub backend_id: BackendId,
    /// The agent that is attached to it.
    pub agent_id: Option<AgentId>,
    /// What they share.
    pub mark: String,
}

/// The machine that an agent is attached to.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The machine; none where somebody has said so.
    pub machine_id: Option<MachineId>,
    /// The machine's name and backend, as long as that lists it.
    pub listed: Option<(String, BackendId)>,
    /// How they were joined.
    pub joined_by: JoinedBy,
    /// When they were joined.
    pub joined_ms: i64,
}

/// The one spelling of an id or an address. UUIDs are written with hyphens and without.
pub fn mark(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let is_uuid = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_uuid { text.replace('-', "") } else { text }
}

/// The marks of a machine.
pub fn marks_of_machine(machine: &Machine) -> Vec<String> {
    let addresses = machine.public_ips.iter().chain(&machine.private_ips);
    let addresses = addresses.filter(|address| !address.is_loopback()).map(ToString::to_string);
    unique(std::iter::once(mark(&machine.external_id)).chain(addresses))
}

/// The marks of an agent's host.
pub fn marks_of_host(host: &HostFacts) -> Vec<String> {
    let ids = host.instance_ids.iter().map(|id| mark(id));
    unique(ids.chain(host.addresses.iter().map(ToString::to_string)))
}

fn unique(marks: impl Iterator<Item = String>) -> Vec<String> {
    let mut marks: Vec<_> = marks.collect();
    marks.sort();
    marks.dedup();
    marks
}

/// Writes down the marks of machines in place of those that they had.
pub async fn set_machine_marks(
    db: &mut Connection,
    account: AccountId,
    machines: &[(&MachineId, &[String])],
) -> Result<()> {
    for machines in machines.chunks(ROWS_AT_ONCE) {
        let ids = values(machines.len(), 0, 1, |number| format!("${number}"));
        let delete = format!("DELETE FROM machine_marks WHERE machine_id IN ({ids})");
        let delete = query(AssertSqlSafe(delete));
        db.execute(machines.iter().fold(delete, |delete, (id, _)| delete.bind(id.0.as_str()))).await?;
    }
    let marks = machines.iter().flat_map(|(id, marks)| marks.iter().map(move |mark| (id.0.as_str(), mark)));
    for marks in marks.collect::<Vec<_>>().chunks(ROWS_AT_ONCE) {
        let rows = values(marks.len(), 1, 2, |first| format!("($1, ${first}, ${})", first + 1));
        let text = format!("INSERT INTO machine_marks (account_id, machine_id, mark) VALUES {rows}");
        let insert = query(AssertSqlSafe(text)).bind(account.0);
        let insert = marks.iter().fold(insert, |insert, (id, mark)| insert.bind(*id).bind(mark.as_str()));
        db.execute(insert).await?;
    }
    Ok(())
}

/// Writes down the marks of an agent in place of those that it had.
pub async fn set_agent_marks(
    db: &mut Connection,
    account: AccountId,
    agent: AgentId,
    marks: &[String],
) -> Result<()> {
    db.execute(query("DELETE FROM agent_marks WHERE agent_id = $1").bind(agent.0)).await?;
    for marks in marks.chunks(ROWS_AT_ONCE) {
        let rows = values(marks.len(), 2, 1, |number| format!("($1, $2, ${number})"));
        let text = format!("INSERT INTO agent_marks (agent_id, account_id, mark) VALUES {rows}");
        let insert = query(AssertSqlSafe(text)).bind(agent.0).bind(account.0);
        db.execute(marks.iter().fold(insert, |insert, mark| insert.bind(mark.as_str()))).await?;
    }
    Ok(())
}

/// The machines that share a mark with an agent.
pub async fn shared(db: &mut Connection, account: AccountId, agent: AgentId) -> Result<Vec<Shared>> {
    let select = query(
        "SELECT m.id AS machine_id, m.name, m.backend_id, k.mark, j.agent_id
         FROM agent_marks a
         JOIN machine_marks k ON k.account_id = a.account_id AND k.mark = a.mark
         JOIN machines m ON m.id = k.machine_id
         LEFT JOIN agent_machines j ON j.machine_id = m.id
         WHERE a.account_id = $1 AND a.agent_id = $2 ORDER BY m.number, k.mark LIMIT $3",
    )
    .bind(account.0)
    .bind(agent.0)
    .bind(MAX_SHARED);
    let shared = |row: &AnyRow| {
        Ok(Shared {
            machine_id: MachineId(row.text("machine_id")?),
            machine_name: row.text("name")?,
            backend_id: BackendId(row.text("backend_id")?),
            agent_id: row.maybe_integer("agent_id")?.map(AgentId),
            mark: row.text("mark")?,
        })
    };
    db.fetch_all(select).await?.iter().map(shared).collect()
}

/// The agents that share a mark with a machine of this backend, and are attached to none that any backend lists.
pub async fn waiting(db: &mut Connection, account: AccountId, backend: &BackendId) -> Result<Vec<AgentId>> {
    let select = query(
        "SELECT DISTINCT a.agent_id FROM agent_marks a
         JOIN machine_marks k ON k.account_id = a.account_id AND k.mark = a.mark
         JOIN machines m ON m.id = k.machine_id
         LEFT JOIN agent_machines j ON j.agent_id = a.agent_id
         LEFT JOIN machines other ON other.id = j.machine_id
         WHERE a.account_id = $1 AND m.backend_id = $2
           AND (j.agent_id IS NULL OR (j.machine_id IS NOT NULL AND other.id IS NULL)) LIMIT $3",
    )
    .bind(account.0)
    .bind(backend.0.as_str())
    .bind(MAX_AGENTS);
    db.fetch_all(select).await?.iter().map(|row| row.integer("agent_id").map(AgentId)).collect()
}

/// What an agent is attached to, if anybody has said.
pub async fn joined(db: &mut Connection, agent: AgentId) -> Result<Option<Joined>> {
    let select = query(
        "SELECT j.machine_id, j.joined_by, j.joined_ms, m.name, m.backend_id FROM agent_machines j
         LEFT JOIN machines m ON m.id = j.machine_id WHERE j.agent_id = $1",
    )
    .bind(agent.0);
    let Some(row) = db.fetch_optional(select).await? else { return Ok(None) };
    let backend = row.maybe_text("backend_id")?.map(BackendId);
    Ok(Some(Joined {
        machine_id: row.maybe_text("machine_id")?.map(MachineId),
        listed: row.maybe_text("name")?.zip(backend),
        joined_by: row.word("joined_by")?,
        joined_ms: row.integer("joined_ms")?,
    }))
}

/// Attaches an agent to a machine, or to none, in place of what it was attached to. Another agent that was attached to
/// the machine is so no more.
pub async fn put(
    db: &mut Connection,
    account: AccountId,
    (agent, machine): (AgentId, Option<&MachineId>),
    by: JoinedBy,
    now_ms: i64,
) -> Result<()> {
    let machine = machine.map(|machine| machine.0.as_str());
    let free = query("DELETE FROM agent_machines WHERE machine_id = $1 AND agent_id <> $2")
        .bind(machine)
        .bind(agent.0);
    db.execute(free).await?;
    let put = query(
        "INSERT INTO agent_machines (agent_id, account_id, machine_id, joined_by, joined_ms)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (agent_id) DO UPDATE SET machine_id = $3, joined_by = $4, joined_ms = $5",
    )
    .bind(agent.0)
    .bind(account.0)
    .bind(machine)
    .bind(by.as_str())
    .bind(now_ms);
    db.execute(put).await?;
    leave(db, agent).await?;
    let enter = query("UPDATE machines SET agent_id = $1 WHERE id = $2").bind(agent.0).bind(machine);
    db.execute(enter).await?;
    Ok(())
}

/// Forgets what an agent is attached to, and what it is known by.
pub async fn delete(db: &mut Connection, agent: AgentId) -> Result<()> {
    for sql in
        ["DELETE FROM agent_machines WHERE agent_id = $1", "DELETE FROM agent_marks WHERE agent_id = $1"]
    {
        db.execute(query(sql).bind(agent.0)).await?;
    }
    leave(db, agent).await
}

/// Takes an agent from the machine that says to have it.
async fn leave(db: &mut Connection, agent: AgentId) -> Result<()> {
    db.execute(query("UPDATE machines SET agent_id = NULL WHERE agent_id = $1").bind(agent.0)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn marks_have_one_spelling() {
        assert_eq!(
            mark("4C4C4544-0034-4A10-8054-B4C04F4D3432\n"),
            mark("4c4c454400344a108054b4c04f4d3432"),
            "a UUID with hyphens and without"
        );
        assert_eq!(mark(" I-0ABC "), "i-0abc");
        assert_eq!(mark("web-1"), "web-1");
    }
}
