//! `agent run-job`: the process of one job.
//!
//! It reads its order, does the work, and keeps the outcome on disk before it ends, so that the agent's death, or
//! the server's absence, loses nothing. The end of its standard input ends it within two seconds, whatever it does.

use std::{
    io::{self, BufRead, Read, Write},
    process,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use roadstead_api::{
    link::{Outcome, RunRef},
    run::RunState,
};

use crate::{
    data_dir::DataDir,
    error::{Chain, Error, ErrorKind, Result},
    error_spool::ErrorSpool,
    hooked,
    order::{JobOrder, MAX_LINE_BYTES, Report, Stop, line},
    reporter::Reporter,
    results::{Results, idle, milliseconds, now_ms},
    work::{Cancel, Done},
};

/// How long work may go on after it was stopped.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// The exit status of a process whose work would not stop.
const STUCK: i32 = 70;

/// Carries out the one job that standard input orders. To be called by a program of its own, which does nothing
/// else: it may end the process.
///
/// Errors: [`ErrorKind::Protocol`] for a wrong order, [`ErrorKind::Io`]. A job that fails is no error: that is what
/// its outcome says.
pub fn run_job() -> Result<()> {
    let order = read_order()?;
    let cancel = Cancel::new();
    let stop = watch_input(cancel.clone())?;
    let data = DataDir::new(&order.data_dir);
    let results =
        Results::open(data.results()).map_err(|e| Error::io("cannot make the folder of results", e))?;
    // Held to the end: the result, too, is written under it.
    let lock = data.lock_run(|| !cancel.is_cancelled());
    let outcome = match &lock {
        Ok(_) => outcome(&order, ErrorSpool::new(results.errors(order.job.run)), &cancel, &stop),
        Err(e) => {
            let (state, reason) = ending(&stop, e.chain().to_string());
            idle(state, reason)
        }
    };
    keep(order.job.run, &outcome, &results)
}

fn read_order() -> Result<JobOrder> {
    let mut text = Vec::new();
    let read = io::stdin().lock().take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
    read.map_err(|e| Error::io("cannot read the order", e))?;
    // The cause might quote the order, which holds secrets.
    serde_json::from_slice(&text)
        .map_err(|_| Error::new(ErrorKind::Protocol, "standard input holds no order of a job"))
}

/// Watches the rest of standard input: a [`Stop`], or its end, ends the work, and soon the process.
fn watch_input(cancel: Cancel) -> Result<Arc<OnceLock<Stop>>> {
    let stop = Arc::new(OnceLock::new());
    let told = Arc::clone(&stop);
    let watch = move || {
        let mut text = Vec::new();
        let read = io::stdin().lock().take(MAX_LINE_BYTES).read_until(b'\n', &mut text);
        let reason = read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or(Stop::Orphaned);
        // This thread alone sets it, and before the work can look.
        let _ = told.set(reason);
        cancel.cancel();
        thread::sleep(STOP_LIMIT);
        process::exit(STUCK);
    };
    let spawned = thread::Builder::new().name("input".to_owned()).spawn(watch);
    spawned.map_err(|e| Error::io("cannot watch standard input", e))?;
    Ok(stop)
}

/// Does the work, and puts into words how it ended.
fn outcome(order: &JobOrder, spool: ErrorSpool, cancel: &Cancel, stop: &OnceLock<Stop>) -> Outcome {
    let (started_ms, started) = (now_ms(), Instant::now());
    let reporter = Reporter::new(io::stdout(), spool);
    let (done, hooks) = hooked::carry_out(order, &reporter, cancel);
    let (progress, errors) = reporter.finish();
    let (state, reason) = match &done {
        Ok(_) if progress.error_count > 0 => (RunState::CompletedWithErrors, None),
        Ok(_) => (RunState::Completed, None),
        Err(e) => ending(stop, Chain(e).to_string()),
    };
    let Done { snapshot_id, files_skipped, plan, upkeep } = done.unwrap_or_default();
    let duration_ms = milliseconds(started.elapsed());
    Outcome {
        state,
        reason,
        snapshot_id,
        started_ms,
        duration_ms,
        progress,
        files_skipped,
        errors,
        hooks,
        plan,
        upkeep: upkeep.map(Box::new),
    }
}

/// The state and reason of work that was not done: once stopped, whatever it failed with came of that.
fn ending(stop: &OnceLock<Stop>, failure: String) -> (RunState, Option<String>) {
    match stop.get() {
        Some(stop) => (stop.state(), stop.reason()),
        None => (RunState::Failed, Some(failure)),
    }
}

/// Keeps an outcome on disk, or hands it to the agent where the disk will not take it.
fn keep(run: RunRef, outcome: &Outcome, results: &Results) -> Result<()> {
    let Err(e) = results.save(run, outcome) else { return Ok(()) };
    tracing::warn!(error = %e, "the result cannot be written; the agent is to keep it");
    let failed = |e: io::Error| Error::io("cannot tell the agent the result", e);
    let line = line(&Report::Unsaved { outcome: Box::new(outcome.clone()) }).map_err(|e| failed(e.into()))?;
    let mut stdout = io::stdout();
    stdout.write_all(&line).and_then(|()| stdout.flush()).map_err(failed)
}
