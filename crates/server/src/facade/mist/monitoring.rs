//! Monitoring: the old calls, answered from what the machine's agent measures. There is nothing to switch on: who has an
//! agent is measured, and who has none is told how to get one.

use jiff::Timestamp;
use roadstead_api::{
    machine::{Machine, MachineQuery},
    metric::{MetricQuery, Sample},
};
use serde_json::{Map, Value, json};

use super::{asked::Asked, machine::find, reply::Reply};
use crate::{
    Error, Result,
    ops::{Context, machine, metric},
};

/// The measures under the names of collectd, which Mist.io measured with: name for programs, for people, unit.
const METRICS: [(&str, &str, &str); Sample::NUMBERS] = [
    ("load.shortterm", "Load", ""),
    ("cpu.total.nonidle", "CPU", "%"),
    ("memory.used", "Memory used", "B"),
    ("memory.total", "Memory", "B"),
    ("df.root.used", "Disk used", "B"),
    ("df.root.total", "Disk", "B"),
    ("disk.total.read", "Disk read", "B/s"),
    ("disk.total.write", "Disk written", "B/s"),
    ("network.total.rx", "Network received", "B/s"),
    ("network.total.tx", "Network sent", "B/s"),
];

/// `GET /monitoring`: the machines that are measured.
pub async fn overview(context: &Context) -> Result<Reply> {
    let mut query =
        MachineQuery { has_agent: Some(true), limit: Some(super::backend::PAGE), ..MachineQuery::default() };
    let (mut pairs, mut machines) = (Vec::new(), Map::new());
    loop {
        let page = machine::list(context, query.clone()).await?;
        for machine in page.items {
            pairs.push(json!([machine.backend_id, machine.external_id]));
            machines.insert(
                format!("{}-{}", machine.backend_id, machine.external_id),
                json!({"name": machine.name, "metrics": METRICS.map(|metric| metric.0)}),
            );
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(Reply::Json(json!({
        "machines": pairs, "monitored_machines": machines, "rules": {}, "builtin_metrics": known(),
        "custom_metrics": {}, "current_plan": {"title": "self-hosted", "started": 0, "expiration": 0},
    })))
}

/// `POST .../monitoring`: refuses what cannot be measured.
pub async fn switch(context: &Context, place: (&str, &str), asked: &Asked) -> Result<Reply> {
    let machine = find(context, place.0, place.1).await?;
    match asked.required("action")?.as_str() {
        "enable" => {
            measured(&machine)?;
            Ok(Reply::Json(json!({"monitoring": true, "extra_vars": {}})))
        }
        "disable" => Ok(Reply::Done),
        _ => Err(Error::invalid("action is enable or disable.")),
    }
}

/// `GET .../stats`: a series for each measure, as pairs of value and time.
pub async fn stats(context: &Context, place: (&str, &str), asked: &Asked) -> Result<Reply> {
    let machine = find(context, place.0, place.1).await?;
    measured(&machine)?;
    let time = |name: &str| match asked.text(name) {
        // Their clocks count seconds, with a fraction now and then.
        Some(text) => text
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds as i64).ok())
            .map(Some)
            .ok_or_else(|| Error::invalid(format!("{name} is no time."))),
        None => Ok(None),
    };
    let (since, until) = (time("start")?, time("stop")?);
    // The library asks from now to in ten seconds by default, and shows nothing then: it gets the last minutes.
    let earliest = Timestamp::from_millisecond(context.now_ms() - 300_000).unwrap_or(Timestamp::UNIX_EPOCH);
    let query =
        MetricQuery { since: since.map(|since| since.min(earliest)), until, ..MetricQuery::default() };
    let points = metric::of_machine(context, &machine.id, query).await?.points;
    let series = METRICS.iter().enumerate().map(|(index, (id, name, unit))| {
        let pair = |point: &roadstead_api::metric::MetricPoint| {
            json!([point.sample.numbers()[index], point.at.as_second()])
        };
        let datapoints: Vec<Value> = points.iter().map(pair).collect();
        ((*id).to_owned(), json!({"name": name, "unit": unit, "datapoints": datapoints}))
    });
    Ok(Reply::Json(Value::Object(series.collect())))
}

/// `GET .../metrics`: what there is to be shown.
pub async fn metrics(context: &Context, place: (&str, &str)) -> Result<Reply> {
    find(context, place.0, place.1).await?;
    Ok(Reply::Json(known()))
}

/// `PUT .../metrics` and `DELETE .../metrics`: all measures are there, and none can be taken away.
pub async fn choose(context: &Context, place: (&str, &str), asked: &Asked) -> Result<Reply> {
    find(context, place.0, place.1).await?;
    let wanted = asked.required("metric_id")?;
    if METRICS.iter().any(|metric| metric.0 == wanted) {
        return Ok(Reply::Done);
    }
    let names = METRICS.map(|metric| metric.0).join(", ");
    Err(Error::not_found(format!("There is no metric {wanted:.100?}; there are {names}.")))
}

fn known() -> Value {
    let metric = |(id, name, unit): &(&str, &str, &str)| {
        ((*id).to_owned(), json!({"name": name, "unit": unit, "max_value": null, "min_value": null}))
    };
    Value::Object(METRICS.iter().map(metric).collect())
}

fn measured(machine: &Machine) -> Result<()> {
    if machine.agent_id.is_some() {
        return Ok(());
    }
    Err(Error::conflict(format!("The machine {} has no agent that could measure it.", machine.name)))
}
