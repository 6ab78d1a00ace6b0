//! What a job is to do, and the story that it tells meanwhile.

use roadstead_api::job::Job;
use serde::de::DeserializeOwned;

use crate::{
    Error, Result,
    app::{App, job_input_place},
    db::{self, job::JobRow},
};

/// Opens the input of a job.
pub async fn input<T: DeserializeOwned>(app: &App, row: &JobRow) -> Result<T> {
    let key = app.account_key(row.account_id).await?;
    let input = key.open(&job_input_place(&row.token), &row.sealed_input)?;
    serde_json::from_str(&input)
        .map_err(|e| Error::internal("The input of a job is of another shape.").caused_by(e))
}

/// Writes down how far a job is, with one line more in its log.
pub async fn advance(app: &App, job: &mut Job, text: impl Into<String>) -> Result<()> {
    let mut write = app.db.write().await?;
    db::job::advance(&mut write, job, text.into(), app.now_ms()).await?;
    write.commit().await
}
