//! How busy machines are, as their agents measure it.

use roadstead_api::{
    id::{AgentId, MachineId},
    link::ServerMessage,
    metric::{AgentMetricsShow, MachineMetricsShow, MetricPoint, MetricQuery, Metrics},
};

use super::{Context, agent, machine};
use crate::{
    Error, Result, db,
    db::row::timestamp,
    meters::{Step, merged},
};

/// How often an agent measures that somebody watches, in seconds.
const WATCHED_SECONDS: u32 = 10;
/// For how long, in seconds.
const WATCH_SECONDS: u32 = 120;
/// How long a span is that nobody has given, in seconds.
const SPAN_SECONDS: i64 = 3600;

/// Shows how busy an agent's machine is and was.
pub async fn of_agent(context: &Context, id: AgentId, query: MetricQuery) -> Result<Metrics> {
    context.authorize::<AgentMetricsShow>()?;
    let agent = agent::get(context, id).await?.id;
    series(context, agent, query).await
}

/// Shows how busy a machine is and was.
pub async fn of_machine(context: &Context, id: &MachineId, query: MetricQuery) -> Result<Metrics> {
    context.authorize::<MachineMetricsShow>()?;
    let machine = machine::get(context, id).await?;
    let agent = machine.agent_id.ok_or_else(|| {
        Error::conflict(format!(
            "The machine {} has no agent that could measure; see `roadstead agents attach`.",
            machine.name
        ))
    })?;
    series(context, agent, query).await
}

async fn series(context: &Context, agent: AgentId, query: MetricQuery) -> Result<Metrics> {
    let now = context.now_ms().div_euclid(1000);
    let until = query.until.map_or(now + 1, |until| until.as_second());
    let since = query.since.map_or(until - SPAN_SECONDS, |since| since.as_second());
    if since >= until {
        return Err(Error::invalid("since has to be earlier than until."));
    }
    let watch = query.watch == Some(true);
    if watch {
        let (every_seconds, for_seconds) = (WATCHED_SECONDS, Some(WATCH_SECONDS));
        context.live.send(agent, ServerMessage::Measure { every_seconds, for_seconds });
    }
    let step = step(query.step_seconds, now - since, watch)?;
    // What is older than what is kept has no points, but would be looked for.
    let since = since.max(now - step.kept_seconds());
    let mut points = context.live.meters.unwritten(agent, step);
    points.retain(|point| (since..until).contains(&point.at));
    points.extend(
        db::metric::points(&mut *context.db.read().await?, agent, step, (since, until.max(since))).await?,
    );
    let shown = merged(points)
        .into_iter()
        .map(|point| Ok(MetricPoint { at: timestamp(point.at.saturating_mul(1000))?, sample: point.sample }));
    Ok(Metrics {
        agent_id: agent,
        step_seconds: step.seconds() as u32,
        points: shown.collect::<Result<_>>()?,
    })
}

/// The step that is asked for, or the finest that reaches so far back.
fn step(asked: Option<u32>, back_seconds: i64, watch: bool) -> Result<Step> {
    let Some(asked) = asked else {
        let fits = |step: &&Step| step.kept_seconds() >= back_seconds && (watch || **step != Step::Watched);
        return Ok(Step::ALL.iter().find(fits).copied().unwrap_or(Step::Hour));
    };
    let found = Step::ALL.into_iter().find(|step| step.seconds() == i64::from(asked));
    found.ok_or_else(|| Error::invalid(format!("step_seconds is {asked}; it is 10, 60, 300 or 3600.")))
}

#[cfg(test)]
mod tests {
    use super::{Step, step};

    #[test]
    fn the_finest_step_that_is_kept_is_taken() {
        let day = 24 * 3600;
        for (back, watch, expected) in [
            (60, false, Step::Minute),
            (60, true, Step::Watched),
            (2 * 3600, true, Step::Minute),
            (day, false, Step::Minute),
            (day + 1, false, Step::FiveMinutes),
            (40 * day, false, Step::Hour),
            (4000 * day, false, Step::Hour),
        ] {
            assert_eq!(step(None, back, watch).unwrap(), expected, "{back}");
        }
        assert_eq!(step(Some(300), 1, false).unwrap(), Step::FiveMinutes);
        assert!(step(Some(7), 1, false).is_err());
    }
}
