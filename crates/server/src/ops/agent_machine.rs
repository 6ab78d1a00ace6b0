//! The joining: which machine an agent runs on.
//!
//! Agents tell addresses and ids of their hosts, backends tell those of their machines. What is sure is joined at once,
//! when an agent connects and when a backend has told something new. What is not is only shown: private addresses are
//! the same in many networks, and short ids in many clouds. What somebody has said by hand stays.

use roadstead_api::{
    Endpoint, Page,
    agent::{Agent, HostFacts},
    agent_machine::{
        AgentMachine, AgentMachineAttach, AgentMachineDetach, AgentMachineList, JoinedBy, NewAgentMachine,
    },
    event::Event,
    id::{AccountId, AgentId, BackendId, MachineId},
};
use roadstead_providers::is_private;

use super::{Context, agent, machine};
use crate::{
    Result,
    db::{
        self, Db,
        agent_machine::{Joined, Shared, mark},
        audit::NewEntry,
        row::timestamp,
    },
};

/// From how many characters on an id is thought to be given once in the world.
const LONG_ID: usize = 16;
/// The same of an id that is more than a number.
const LONG_WORD: usize = 10;

/// Lists the machines that an agent may run on.
pub async fn list(context: &Context, id: AgentId) -> Result<Page<AgentMachine>> {
    context.authorize::<AgentMachineList>()?;
    let host = agent::get(context, id).await?.host;
    let mut read = context.db.read().await?;
    let joined = db::agent_machine::joined(&mut read, id).await?;
    let shared = db::agent_machine::shared(&mut read, context.account(), id).await?;
    let mut items: Vec<AgentMachine> = attached(joined.as_ref())?.into_iter().collect();
    for candidate in candidates(&host, &shared) {
        match items.iter_mut().find(|item| item.machine_id == *candidate.machine) {
            Some(item) => item.reasons = candidate.reasons,
            None => items.push(AgentMachine {
                machine_id: candidate.machine.clone(),
                machine_name: candidate.name.to_owned(),
                backend_id: candidate.backend.clone(),
                attached: false,
                joined_by: None,
                joined_at: None,
                reasons: candidate.reasons,
            }),
        }
    }
    Ok(Page { items, next: None })
}

fn attached(joined: Option<&Joined>) -> Result<Option<AgentMachine>> {
    let Some(joined) = joined else { return Ok(None) };
    let Some((machine, (name, backend))) = joined.machine_id.clone().zip(joined.listed.clone()) else {
        return Ok(None);
    };
    Ok(Some(AgentMachine {
        machine_id: machine,
        machine_name: name,
        backend_id: backend,
        attached: true,
        joined_by: Some(joined.joined_by),
        joined_at: Some(timestamp(joined.joined_ms)?),
        reasons: Vec::new(),
    }))
}

/// Says which machine an agent runs on.
pub async fn attach(context: &Context, id: AgentId, new: NewAgentMachine) -> Result<Agent> {
    context.authorize::<AgentMachineAttach>()?;
    agent::get(context, id).await?;
    let machine = machine::get(context, &new.machine_id).await?.id;
    join::<AgentMachineAttach>(context, id, Some(&machine), JoinedBy::Hand).await?;
    agent::get(context, id).await
}

/// Says that an agent runs on none of the machines.
pub async fn detach(context: &Context, id: AgentId) -> Result<Agent> {
    context.authorize::<AgentMachineDetach>()?;
    agent::get(context, id).await?;
    join::<AgentMachineDetach>(context, id, None, JoinedBy::Hand).await?;
    agent::get(context, id).await
}

async fn join<E: Endpoint>(
    context: &Context,
    agent: AgentId,
    machine: Option<&MachineId>,
    by: JoinedBy,
) -> Result<()> {
    let mut change = context.change::<E>().await?;
    let before = db::agent_machine::joined(&mut change, agent).await?.and_then(|joined| joined.machine_id);
    db::agent_machine::put(&mut change, context.account(), (agent, machine), by, context.now_ms()).await?;
    for touched in before.iter().chain(machine) {
        change.tell(context.account(), Event::new("machine", touched, "update"));
    }
    change.tell(context.account(), Event::new("agent", agent, "update"));
    change.commit(target(agent, machine)).await
}

fn target(agent: AgentId, machine: Option<&MachineId>) -> String {
    machine.map_or_else(|| agent.to_string(), |machine| format!("{agent}/{machine}"))
}

/// Joins the agents that wait for a machine of this backend, where that is sure.
pub async fn backend_changed(db: &Db, account: AccountId, backend: &BackendId, now_ms: i64) -> Result<()> {
    let waiting = db::agent_machine::waiting(&mut *db.read().await?, account, backend).await?;
    for agent in waiting {
        agent_connected(db, account, agent, now_ms).await?;
    }
    Ok(())
}

/// Joins an agent to its machine, where that is sure and nobody has said otherwise.
pub async fn agent_connected(db: &Db, account: AccountId, id: AgentId, now_ms: i64) -> Result<()> {
    let mut read = db.read().await?;
    let joined = db::agent_machine::joined(&mut read, id).await?;
    if joined.is_some_and(|joined| joined.machine_id.is_none() || joined.listed.is_some()) {
        return Ok(());
    }
    let Some(agent) = db::agent::get(&mut read, account, id).await? else { return Ok(()) };
    let shared = db::agent_machine::shared(&mut read, account, id).await?;
    drop(read);
    let Some(machine) = sure(&candidates(&agent.host, &shared)) else { return Ok(()) };
    tracing::info!(agent = %id, %machine, "an agent was joined to its machine");
    let mut write = db.write().await?;
    db::agent_machine::put(&mut write, account, (id, Some(&machine)), JoinedBy::Facts, now_ms).await?;
    let entry = NewEntry {
        account_id: account,
        actor: "server",
        source: "",
        action: AgentMachineAttach::NAME,
        target: &target(id, Some(&machine)),
        now_ms,
    };
    db::audit::append(&mut write, &entry).await?;
    write.tell(account, Event::new("machine", &machine, "update"));
    write.tell(account, Event::new("agent", id, "update"));
    write.commit().await
}

/// A machine that an agent may run on.
#[derive(Debug)]
struct Candidate<'a> {
    machine: &'a MachineId,
    name: &'a str,
    backend: &'a BackendId,
    is_free: bool,
    /// Its address is one that only one machine can have.
    has_public: bool,
    /// Its id is one that only one machine can have.
    has_long_id: bool,
    /// It shares some id and some address.
    has_id_and_address: bool,
    reasons: Vec<String>,
}

/// The machines that share marks with a host, and what that says.
fn candidates<'a>(host: &HostFacts, shared: &'a [Shared]) -> Vec<Candidate<'a>> {
    let mut found: Vec<Candidate<'a>> = Vec::new();
    for rows in shared.chunk_by(|a, b| a.machine_id == b.machine_id) {
        let marks = |wanted: bool| {
            let is_id = |row: &&Shared| host.instance_ids.iter().any(|id| mark(id) == row.mark);
            rows.iter().filter(move |row| is_id(row) == wanted).map(|row| row.mark.as_str())
        };
        let ids: Vec<&str> = marks(true).collect();
        let addresses: Vec<&str> = marks(false).collect();
        let is_public = |text: &&str| text.parse().is_ok_and(|address| !is_private(address));
        let reasons = ids.iter().map(|id| format!("its id in the cloud, {id}"));
        let reasons = reasons.chain(addresses.iter().map(|address| format!("the address {address}")));
        found.push(Candidate {
            machine: &rows[0].machine_id,
            name: &rows[0].machine_name,
            backend: &rows[0].backend_id,
            is_free: rows[0].agent_id.is_none(),
            has_public: addresses.iter().any(is_public),
            has_long_id: ids.iter().any(|id| is_long(id)),
            has_id_and_address: !ids.is_empty() && !addresses.is_empty(),
            reasons: reasons.collect(),
        });
    }
    found
}

fn is_long(id: &str) -> bool {
    let is_number = id.bytes().all(|b| b.is_ascii_digit());
    id.len() >= if is_number { LONG_ID } else { LONG_WORD }
}

/// The machine, if there is only one that it can be, and that has no agent yet.
fn sure(candidates: &[Candidate<'_>]) -> Option<MachineId> {
    let strong = |candidate: &&Candidate<'_>| {
        candidate.has_long_id || candidate.has_public || candidate.has_id_and_address
    };
    let mut strong = candidates.iter().filter(strong);
    match (strong.next(), strong.next()) {
        (Some(only), None) if only.is_free => Some(only.machine.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
