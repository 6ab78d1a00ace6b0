//! The schema, as a list of steps that are only ever appended to. Each runs once, in a transaction of its own.
//!
//! A step is written for both databases: `{id}` stands for the dialect's type of a row's own number, and ` TEXT` is
//! made to compare bytewise where that is not so anyway. Statements end with `;`, which stands nowhere else, not even
//! in a comment.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

use super::dialect::Dialect;
use crate::{Error, Result};

#[cfg(test)]
mod upgrade;

/// Every step since the first release, in order.
const STEPS: [&str; 6] = [
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_audit.sql"),
    include_str!("schema/0003_keys.sql"),
    include_str!("schema/0004_schedules.sql"),
    include_str!("schema/0005_backends.sql"),
    include_str!("schema/0006_sessions.sql"),
];

/// Brings the schema up to date. Nobody else may be at it on the same database. A database of a newer version is refused
/// and left as it is.
pub async fn migrate(connection: &mut AnyConnection) -> Result<()> {
    let dialect = Dialect::of(connection);
    connection.execute("CREATE TABLE IF NOT EXISTS schema_steps (step BIGINT NOT NULL PRIMARY KEY)").await?;
    let row = connection.fetch_one("SELECT COUNT(*) AS done FROM schema_steps").await?;
    let done = usize::try_from(row.try_get::<i64, _>("done")?).unwrap_or(usize::MAX);
    if done > STEPS.len() {
        return Err(Error::conflict(format!(
            "The database has schema {done}, and this version knows {}: it was written by a newer Roadstead.",
            STEPS.len()
        )));
    }
    for (index, step) in STEPS.iter().enumerate().skip(done) {
        let mut transaction = connection.begin().await?;
        for statement in statements(&dialect.schema(step)) {
            transaction.execute(AssertSqlSafe(statement.to_owned())).await?;
        }
        let insert = sqlx::query("INSERT INTO schema_steps (step) VALUES ($1)").bind(index as i64 + 1);
        transaction.execute(insert).await?;
        transaction.commit().await?;
    }
    Ok(())
}

fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').filter(|statement| !statement.trim().is_empty())
}
