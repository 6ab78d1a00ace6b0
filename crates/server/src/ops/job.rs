//! Jobs, as those see them who wait for them.

use roadstead_api::{
    Page,
    id::JobId,
    job::{Job, JobList, JobQuery, JobShow},
};

use super::{Context, page};
use crate::{Error, Result, db};

/// Lists jobs.
pub async fn list(context: &Context, query: JobQuery) -> Result<Page<Job>> {
    context.authorize::<JobList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let jobs = db::job::list(&mut read, context.account(), &query, before, page::fetch(limit)).await?;
    Ok(page::page(jobs, limit, |job| job.id.to_string()))
}

/// Shows one job.
pub async fn show(context: &Context, id: JobId) -> Result<Job> {
    context.authorize::<JobShow>()?;
    get(context, id).await
}

/// A job of the caller's account.
pub async fn get(context: &Context, id: JobId) -> Result<Job> {
    let found = db::job::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no job {id}.")))
}
