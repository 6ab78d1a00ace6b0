//! Errors of single files: taken from agents a piece at a time, shown a page at a time.

use roadstead_api::{
    Page, PageQuery,
    id::{AgentId, BackupId, RestoreId},
    link::{RunKind, RunRef},
    run::RunError,
    run_error::{
        BackupErrorList, MAX_ERROR_BYTES_PER_MESSAGE, MAX_ERRORS_PER_MESSAGE, MAX_KEPT_ERRORS,
        RestoreErrorList,
    },
};

use super::{Context, backup, page, restore};
use crate::{Error, Result, app::App, db};

/// Lists the files that a backup could not read.
pub async fn of_backup(context: &Context, id: BackupId, query: PageQuery) -> Result<Page<RunError>> {
    context.authorize::<BackupErrorList>()?;
    let report = backup::report(context, id).await?;
    list(context, RunRef { kind: RunKind::Backup, id: id.0 }, query, report.errors).await
}

/// Lists the files that a restore could not write.
pub async fn of_restore(context: &Context, id: RestoreId, query: PageQuery) -> Result<Page<RunError>> {
    context.authorize::<RestoreErrorList>()?;
    let report = restore::report(context, id).await?;
    list(context, RunRef { kind: RunKind::Restore, id: id.0 }, query, report.errors).await
}

/// A page of what is kept of the run, or of what its report has.
async fn list(
    context: &Context,
    run: RunRef,
    query: PageQuery,
    reported: Vec<RunError>,
) -> Result<Page<RunError>> {
    let limit = page::limit(query.limit)?;
    let from = usize::try_from(page::number(query.cursor.as_deref(), 0)?)
        .map_err(|_| Error::invalid("cursor is negative."))?;
    let mut read = context.db.read().await?;
    let kept = db::run_error::page(&mut read, run, from, limit + 1).await?;
    let items = kept.unwrap_or_else(|| reported.into_iter().skip(from).take(limit + 1).collect());
    Ok(page::page(items, limit, |_| (from + limit).to_string()))
}

/// An agent tells errors of a run that it is about to end; safe to be told twice.
pub async fn told(app: &App, agent: AgentId, run: RunRef, first: u32, errors: &[RunError]) -> Result<()> {
    let first = first as usize;
    let bytes =
        errors.iter().map(|error| error.path.len() + error.reason.len() + error.details.len()).sum::<usize>();
    let fits = !errors.is_empty()
        && errors.len() <= MAX_ERRORS_PER_MESSAGE
        && first.saturating_add(errors.len()) <= MAX_KEPT_ERRORS
        && bytes <= MAX_ERROR_BYTES_PER_MESSAGE;
    if !fits {
        return Err(Error::invalid("The agent sent more errors of a run than are taken."));
    }
    let mut write = app.db.write().await?;
    let known = db::run::get(&mut write, run).await?;
    if known.is_some_and(|known| known.agent_id == agent && !known.state.has_ended()) {
        db::run_error::insert(&mut write, run, first as i64, errors).await?;
    }
    write.commit().await
}
