//! `agent run`: the link on one side, jobs on the other, until somebody ends it.

use std::{path::PathBuf, pin::pin, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{
    backoff::Reconnect,
    child::{self, JobCommand},
    data_dir::DataDir,
    desk::Desk,
    error::{Error, Result},
    identity::Identity,
    link,
    log::Log,
    order::JobOrder,
    results::Results,
    runs::Runs,
};

/// How long a job may take to end at a shutdown: longer than its stop may, and so only if it cannot be killed.
const JOB_LIMIT: Duration = Duration::from_secs(3);
/// How long results may take to the server after that.
const RESULTS_LIMIT: Duration = Duration::from_secs(1);

/// How an agent runs.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder of the agent.
    pub data_dir: PathBuf,
    /// What to run for a job; see [`JobCommand::this_program`].
    pub job_command: JobCommand,
    /// How long to wait before the server is tried again.
    pub reconnect: Reconnect,
    /// The log, as the server may ask for it.
    pub log: Log,
}

/// Runs the agent until `shutdown` is ready, and then for at most five seconds: a job in hand is stopped and fails
/// with the reason, and its result is sent if the link stands.
///
/// Errors: [`crate::ErrorKind::NotEnrolled`], [`crate::ErrorKind::Busy`] where another agent runs in the folder,
/// [`crate::ErrorKind::Io`]. A server that is away or refuses the agent is no error: it is tried again for ever.
pub async fn run(options: RunOptions, shutdown: impl Future<Output = ()>) -> Result<()> {
    let data = DataDir::new(options.data_dir);
    let identity = Identity::load(&data)?;
    let _lock = data.lock_agent()?;
    let results = Results::open(data.results())
        .map_err(|e| Error::io(format!("cannot make the folder {}", data.results().display()), e))?;
    sweep(&data, &results)?;
    let runs = Runs::new(results);
    let desk = Desk::new(data.clone(), options.log.clone());
    let link = link::keep(&identity, &runs, &desk, options.reconnect);
    let jobs = work_through(&identity, &data, (&options.job_command, &options.log), &runs);
    // Neither ends before the runs are closed, and the link not before all results are told.
    let mut work = pin!(async { tokio::join!(link, jobs) });
    tokio::select! {
        _ = &mut work => return Ok(()),
        () = shutdown => {}
    }
    tracing::info!("shutting down");
    runs.close();
    let patience = async {
        // A job that the kernel does not let die is not waited for.
        let _ = timeout(JOB_LIMIT, runs.wait_idle()).await;
        sleep(RESULTS_LIMIT).await;
    };
    tokio::select! {
        _ = work => {}
        () = patience => tracing::info!("some results are not with the server yet; they go at the next start"),
    }
    Ok(())
}

/// Removes what was left half-written, unless a job of the agent before this one is still ending.
fn sweep(data: &DataDir, results: &Results) -> Result<()> {
    let Some(_no_job) = data.try_lock_run()? else { return Ok(()) };
    results.sweep().map_err(|e| Error::io("cannot tidy the folder of results", e))
}

/// Takes one run after the other in hand.
async fn work_through(identity: &Identity, data: &DataDir, (command, log): (&JobCommand, &Log), runs: &Runs) {
    while let Some(job) = runs.next().await {
        let run = job.run;
        let order = JobOrder {
            server: identity.server.clone(),
            ca_pem: identity.ca_pem.clone(),
            // One that cannot be used keeps the link from being made, and no job comes without that.
            proxy: identity.proxy().unwrap_or_default(),
            credential: identity.credential.clone(),
            data_dir: data.path().to_owned(),
            job,
        };
        let outcome = child::carry_out(command, log, &order, runs).await;
        runs.end(run, outcome);
    }
}
