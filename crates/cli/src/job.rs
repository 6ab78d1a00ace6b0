//! `roadstead jobs`: work that takes time and goes on by itself.

use clap::Subcommand;
use roadstead_client::api::{
    id::JobId,
    job::{Job, JobList, JobQuery, JobState},
};

use crate::{
    backend,
    error::{Exit, Result},
    list::{self, ListArgs},
    output,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum JobCommand {
    /// List the jobs, newest first.
    #[command(after_help = "Example:\n  roadstead jobs list --state running")]
    List {
        /// Only those in this state: queued, running, completed or failed.
        #[arg(long)]
        state: Option<JobState>,
        /// Only those that work on this backend, by id or title.
        #[arg(long)]
        backend: Option<String>,
        #[command(flatten)]
        part: ListArgs,
    },
    /// Show a job with its log.
    #[command(after_help = "Example:\n  roadstead jobs show 7 --wait")]
    Show {
        /// The job's id.
        job: JobId,
        /// Wait until it has ended.
        #[arg(long)]
        wait: bool,
    },
}

impl Row for Job {
    const COLUMNS: &'static [&'static str] =
        &["id", "kind", "state", "backend", "done", "by", "created", "reason"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.kind.to_string(),
            self.state.to_string(),
            self.backend_id.to_string(),
            format!("{}/{}", self.done, self.total),
            self.created_by.clone(),
            table::age(Some(self.created_at)),
            self.reason.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: JobCommand, session: &Session) -> Result<Exit> {
    match command {
        JobCommand::List { state, backend, part } => {
            let backend_id = match backend {
                Some(text) => Some(backend::find(session, &text).await?.id.clone()),
                None => None,
            };
            let query = JobQuery { state, backend_id, ..JobQuery::default() };
            list::print::<JobList, _>(session, (), query, part).await
        }
        JobCommand::Show { job, wait } => {
            let job = session.client.get_job(job).await?;
            print(session, job, wait).await
        }
    }
}

/// Prints a job; with `wait`, once it has ended. On the way people see its log.
pub async fn print(session: &Session, job: Job, wait: bool) -> Result<Exit> {
    if !wait {
        session.output.object(&job)?;
        return Ok(Exit::Done);
    }
    let mut shown = None;
    let ended = session.client.wait_for_job(job.id, |job| {
        for line in job.log.iter().filter(|line| shown.is_none_or(|at| line.at > at)) {
            if output::stderr_is_terminal() {
                session.output.say(&line.text);
            }
        }
        shown = job.log.last().map(|line| line.at).or(shown);
    });
    let ended = ended.await?;
    session.output.object(&ended)?;
    Ok(if ended.state == JobState::Completed { Exit::Done } else { Exit::NotDone })
}
