//! Errors of single files, many in a row: as an agent sent them together.

use roadstead_api::{link::RunRef, run::RunError};
use sqlx::{Executor, query};

use super::{
    Connection,
    row::{Columns, json},
    run::kind_word,
};
use crate::Result;

/// Keeps some errors of a run, of which `first` is the number of the first; those that are there already stay.
pub async fn insert(db: &mut Connection, run: RunRef, first: i64, errors: &[RunError]) -> Result<()> {
    let insert = query(
        "INSERT INTO run_errors (kind, run_id, first, count, errors) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (kind, run_id, first) DO NOTHING",
    )
    .bind(kind_word(run.kind))
    .bind(run.id)
    .bind(first)
    .bind(errors.len() as i64)
    .bind(json(&errors)?);
    db.execute(insert).await?;
    Ok(())
}

/// Up to `limit` errors of a run from this number on; `None` where none of the run are kept here.
pub async fn page(
    db: &mut Connection,
    run: RunRef,
    from: usize,
    limit: usize,
) -> Result<Option<Vec<RunError>>> {
    let any = query("SELECT COUNT(*) AS n FROM run_errors WHERE kind = $1 AND run_id = $2");
    if db.fetch_one(any.bind(kind_word(run.kind)).bind(run.id)).await?.integer("n")? == 0 {
        return Ok(None);
    }
    let until = from.saturating_add(limit);
    let select = query(
        "SELECT first, errors FROM run_errors
         WHERE kind = $1 AND run_id = $2 AND first < $3 AND first + count > $4 ORDER BY first",
    )
    .bind(kind_word(run.kind))
    .bind(run.id)
    .bind(i64::try_from(until).unwrap_or(i64::MAX))
    .bind(i64::try_from(from).unwrap_or(i64::MAX));
    let mut page = Vec::new();
    for row in db.fetch_all(select).await? {
        let first = usize::try_from(row.integer("first")?).unwrap_or(0);
        let errors: Vec<RunError> = row.json("errors")?;
        let numbered = errors.into_iter().enumerate().map(|(n, error)| (first + n, error));
        page.extend(numbered.filter(|(n, _)| (from..until).contains(n)).map(|(_, error)| error));
    }
    Ok(Some(page))
}
