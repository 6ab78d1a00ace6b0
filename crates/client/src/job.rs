//! Jobs: work that takes time and goes on by itself.

use roadstead_api::{
    id::JobId,
    job::{Job, JobList, JobQuery, JobShow},
};

use crate::{Client, error::Result, poll};

impl Client {
    /// Lists the jobs that a query picks, newest first. Talks to the server.
    pub async fn find_jobs(&self, query: JobQuery) -> Result<Vec<Job>> {
        self.list_all::<JobList, _>((), query).await
    }

    /// Reads one job. Talks to the server.
    pub async fn get_job(&self, id: JobId) -> Result<Job> {
        self.call::<JobShow>(&id, &(), &()).await
    }

    /// Waits until a job has ended, and hands `progress` each answer on the way. Asks the server again and again.
    pub async fn wait_for_job(&self, id: JobId, mut progress: impl FnMut(&Job) + Send) -> Result<Job> {
        let done = |job: &Job| {
            progress(job);
            job.state.has_ended()
        };
        poll::until(|| self.call::<JobShow>(&id, &(), &()), done).await
    }
}
