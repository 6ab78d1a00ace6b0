//! Making machines, and the jobs that do: `POST /backends/ID/machines`, `GET /jobs/ID`.

use std::time::Duration;

use roadstead_api::{
    id::{BackendId, JobId},
    job::{Job, JobState},
    machine::NewMachine,
};
use serde_json::{Value, json};

use super::{asked::Asked, backend::named, container, reply::Reply};
use crate::{
    Error, Result,
    ops::{Context, job, machine},
};

/// How often it is looked whether the backend has taken an order.
const LOOK: Duration = Duration::from_millis(200);
/// What a script begins with that a machine runs by itself at its first start.
const RUNNABLE: [&str; 2] = ["#!", "#cloud-config"];

/// `POST /backends/ID/machines`: waits until the backend has taken the order and shows the first machine; with `async`
/// only the job.
pub async fn create(context: &Context, backend: &str, asked: &Asked) -> Result<Reply> {
    let order = order(context, backend, asked).await?;
    let job = machine::create(context, order).await?;
    if asked.is_true("async") {
        return Ok(Reply::Json(json!({"job_id": job.id.to_string()})));
    }
    let job = taken(context, job.id).await?;
    let made = job.machine_ids.first().ok_or_else(|| failure(&job))?;
    let machine = machine::get(context, made).await?;
    Ok(Reply::Json(json!({
        "id": machine.external_id, "name": machine.name, "extra": machine.extra, "public_ips": machine.public_ips,
        "private_ips": machine.private_ips, "job_id": job.id.to_string(),
    })))
}

async fn order(context: &Context, backend: &str, asked: &Asked) -> Result<NewMachine> {
    let key_id = match asked.text("key") {
        Some(name) => Some(named(context, &name).await?),
        None => None,
    };
    let quantity = match asked.text("quantity") {
        Some(number) => Some(number.parse().map_err(|_| Error::invalid("quantity is no number."))?),
        None => None,
    };
    Ok(NewMachine {
        backend_id: BackendId(backend.to_owned()),
        name: asked.required("name")?,
        image: asked.required("image")?,
        size: asked.required("size")?,
        location: asked.text("location"),
        networks: asked.list("networks"),
        key_id,
        cloud_init: asked.text("script").map(runnable),
        quantity,
        container: container::asked_for(asked)?,
    })
}

/// A script of the old clients, which were not particular about its first line.
fn runnable(script: String) -> String {
    match RUNNABLE.iter().any(|begin| script.starts_with(begin)) {
        true => script,
        false => format!("#!/bin/sh\n{script}\n"),
    }
}

/// Waits until the backend has taken a job's order, or the job has failed. Jobs end by themselves.
async fn taken(context: &Context, id: JobId) -> Result<Job> {
    loop {
        let job = job::get(context, id).await?;
        if !job.machine_ids.is_empty() || job.state.has_ended() {
            return Ok(job);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn failure(job: &Job) -> Error {
    let reason = job.reason.clone().unwrap_or_else(|| "The machine was not made.".to_owned());
    Error::new(crate::ErrorKind::Unavailable, reason)
}

/// `GET /jobs/ID`: `finished_at` is 0 until it has ended.
pub async fn show(context: &Context, id: &str) -> Result<Reply> {
    let unknown = || Error::not_found(format!("There is no job {id:.100?}."));
    let job = job::show(context, JobId(id.parse().map_err(|_| unknown())?)).await?;
    let error = job.reason.clone().filter(|_| job.state == JobState::Failed);
    let logs: Vec<Value> = job
        .log
        .iter()
        .map(|line| json!({"action": line.text, "time": line.at.as_second(), "error": false}))
        .chain(error.iter().map(|reason| json!({"action": reason, "error": reason})))
        .collect();
    let (success, failed) = (job.done, u32::from(error.is_some()));
    let pending = if job.state.has_ended() { 0 } else { job.total.saturating_sub(success) };
    let nothing = json!({"success": 0, "error": 0, "skipped": 0, "pending": 0});
    Ok(Reply::Json(json!({
        "job_id": job.id.to_string(),
        "finished_at": job.completed_at.map_or(0, |at| at.as_second()),
        "error": error,
        "logs": logs,
        "summary": {
            "create": {"success": success, "error": failed, "skipped": 0, "pending": pending},
            "probe": nothing, "script": nothing, "monitoring": nothing,
        },
    })))
}
