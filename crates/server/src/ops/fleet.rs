//! The whole fleet for Prometheus, in its text format
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>): machines by state, those without a good backup, and
//! what agents measure.

use std::collections::HashMap;

use roadstead_api::{PageQuery, Permission, agent::Agent, id::AgentId, metric::Sample};

use super::{
    Context, agent,
    metrics::{escaped, head, line},
};
use crate::{Result, db};

/// How old a sample may be, in seconds: older ones say nothing of now.
const FRESH_SECONDS: i64 = 300;

/// The numbers of a sample, as Prometheus knows them.
const MEASURES: [(&str, &str); Sample::NUMBERS] = [
    ("roadstead_machine_load1", "The load of the last minute."),
    ("roadstead_machine_cpu_percent", "How much of its processors a machine uses."),
    ("roadstead_machine_memory_used_bytes", "Memory that programs cannot have."),
    ("roadstead_machine_memory_total_bytes", "Memory that there is."),
    ("roadstead_machine_disk_used_bytes", "What is taken of the root file system."),
    ("roadstead_machine_disk_total_bytes", "What the root file system holds at the most."),
    ("roadstead_machine_disk_read_bytes_per_second", "What is read from all disks."),
    ("roadstead_machine_disk_written_bytes_per_second", "What is written to all disks."),
    ("roadstead_machine_network_received_bytes_per_second", "What comes in over all networks."),
    ("roadstead_machine_network_sent_bytes_per_second", "What goes out over all networks."),
];

/// The metrics of the caller's fleet.
pub async fn show(context: &Context) -> Result<String> {
    context.require(Permission::Observer)?;
    let mut text = String::new();
    write_machines(context, &mut text).await?;
    let samples = samples(context).await?;
    let agents: Vec<Agent> =
        agents(context).await?.into_iter().filter(|agent| samples.contains_key(&agent.id)).collect();
    for (index, (name, help)) in MEASURES.iter().enumerate() {
        head(&mut text, name, help)?;
        for agent in &agents {
            let number = samples.get(&agent.id).map_or(0.0, |sample| sample.numbers()[index]);
            let machine = agent.machine_id.as_ref().map_or("", |machine| machine.0.as_str());
            let labels = format!(
                "agent_id=\"{}\",agent=\"{}\",machine_id=\"{}\"",
                agent.id,
                escaped(&agent.name),
                escaped(machine)
            );
            line(&mut text, format_args!("{name}{{{labels}}} {number}"))?;
        }
    }
    Ok(text)
}

async fn write_machines(context: &Context, text: &mut String) -> Result<()> {
    let mut read = context.db.read().await?;
    let counts = db::metrics::machines_by_state(&mut read, context.account()).await?;
    head(text, "roadstead_machines", "Machines of each backend in each state.")?;
    for (backend, state, count) in counts {
        let backend = escaped(&backend);
        line(text, format_args!("roadstead_machines{{backend_id=\"{backend}\",state=\"{state}\"}} {count}"))?;
    }
    let unprotected = db::machine::count_unprotected(&mut read, context.account()).await?;
    head(text, "roadstead_machines_unprotected", "Machines without a good backup, or with overdue ones.")?;
    line(text, format_args!("roadstead_machines_unprotected {unprotected}"))
}

/// The last sample of each agent, wherever it is connected.
async fn samples(context: &Context) -> Result<HashMap<AgentId, Sample>> {
    let now = context.now_ms().div_euclid(1000);
    let mut read = context.db.read().await?;
    let kept = db::metric::latest(&mut read, context.account(), now - FRESH_SECONDS).await?;
    let mut samples: HashMap<AgentId, Sample> =
        kept.into_iter().map(|(agent, point)| (agent, point.sample)).collect();
    for agent in context.live.connected() {
        let latest = context.live.meters.latest(agent);
        samples.extend(latest.map(|(_, sample)| (agent, sample)));
    }
    Ok(samples)
}

async fn agents(context: &Context) -> Result<Vec<Agent>> {
    let mut query = PageQuery { limit: Some(1000), cursor: None };
    let mut all = Vec::new();
    loop {
        let page = agent::list(context, query).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => query = PageQuery { limit: Some(1000), cursor: Some(next) },
            None => return Ok(all),
        }
    }
}
