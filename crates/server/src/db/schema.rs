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
const STEPS: [&str; 31] = [
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_audit.sql"),
    include_str!("schema/0003_keys.sql"),
    include_str!("schema/0004_schedules.sql"),
    include_str!("schema/0005_backends.sql"),
    include_str!("schema/0006_sessions.sql"),
    include_str!("schema/0007_keys_of_machines.sql"),
    include_str!("schema/0008_alarms.sql"),
    include_str!("schema/0009_quotas.sql"),
    include_str!("schema/0010_restore_configurations.sql"),
    include_str!("schema/0011_cleanups.sql"),
    include_str!("schema/0012_rcbu.sql"),
    include_str!("schema/0013_jobs.sql"),
    include_str!("schema/0014_agents_of_machines.sql"),
    include_str!("schema/0015_notifications.sql"),
    include_str!("schema/0016_mail.sql"),
    include_str!("schema/0017_backup_options.sql"),
    include_str!("schema/0018_metrics.sql"),
    include_str!("schema/0019_image_stars.sql"),
    include_str!("schema/0020_deletions.sql"),
    include_str!("schema/0021_sealings.sql"),
    include_str!("schema/0022_commands.sql"),
    include_str!("schema/0023_setup.sql"),
    include_str!("schema/0024_vault_tasks.sql"),
    include_str!("schema/0025_vault_growth.sql"),
    include_str!("schema/0026_protection.sql"),
    include_str!("schema/0027_restore_plans.sql"),
    include_str!("schema/0028_run_errors.sql"),
    include_str!("schema/0029_agents_in_machines.sql"),
    include_str!("schema/0030_upkeeps.sql"),
    include_str!("schema/0031_states_of_activity.sql"),
];

/// Brings the schema up to date. Nobody else may be at it on the same database. A database of a newer version is refused
/// and left as it is.
pub async fn migrate(connection: &mut AnyConnection) -> Result<()> {
    migrate_to(connection, STEPS.len()).await
}

/// Brings the schema as far as it was after so many steps.
pub async fn migrate_to(connection: &mut AnyConnection, steps: usize) -> Result<()> {
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
    for (index, step) in STEPS.iter().enumerate().take(steps).skip(done) {
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

/// How many steps a database has; none where it is not one of ours.
pub async fn done(connection: &mut AnyConnection) -> Result<usize> {
    let has_schema = Dialect::of(connection).has_schema();
    if connection.fetch_one(has_schema).await?.try_get::<i64, _>("found")? == 0 {
        return Ok(0);
    }
    let row = connection.fetch_one("SELECT COUNT(*) AS done FROM schema_steps").await?;
    Ok(usize::try_from(row.try_get::<i64, _>("done")?).unwrap_or(0))
}

/// How many steps there are.
pub fn newest() -> usize {
    STEPS.len()
}

/// The tables that there are after so many steps, each after those that its rows refer to.
pub fn tables_after(steps: usize) -> Vec<String> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for statement in STEPS.iter().take(steps).flat_map(|step| statements(step)) {
        let words = words(statement);
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["CREATE", "TABLE", name, ..] => tables.push((name.to_owned(), referred_to(&words))),
            ["DROP", "TABLE", name, ..] => tables.retain(|(table, _)| table != name),
            ["ALTER", "TABLE", name, ..] => {
                let altered = tables.iter_mut().find(|(table, _)| table == name);
                if let Some((table, references)) = altered {
                    references.extend(referred_to(&words));
                    if let ["RENAME", "TO", new] =
                        words.iter().skip(3).map(String::as_str).collect::<Vec<_>>()[..]
                    {
                        new.clone_into(table);
                    }
                }
            }
            _ => {}
        }
    }
    in_order(tables)
}

/// Whether the rows of a table have numbers that the database gives.
pub fn is_numbered(table: &str) -> bool {
    let begins = |statement: &str| {
        let words = words(statement);
        words.get(2).is_some_and(|name| name == table) && words[..2] == ["CREATE", "TABLE"]
    };
    STEPS.iter().flat_map(|step| statements(step)).any(|text| begins(text) && text.contains("{id}"))
}

/// A statement's words, without its comments.
fn words(statement: &str) -> Vec<String> {
    let lines = statement.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    lines
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn referred_to(words: &[String]) -> Vec<String> {
    words.windows(2).filter(|pair| pair[0] == "REFERENCES").map(|pair| pair[1].clone()).collect()
}

/// Each table after those that it refers to; in the order of their making where that says nothing.
fn in_order(mut tables: Vec<(String, Vec<String>)>) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::new();
    while !tables.is_empty() {
        let names: Vec<_> = tables.iter().map(|(name, _)| name.clone()).collect();
        let free = |(name, references): &(String, Vec<String>)| {
            references.iter().all(|other| other == name || !names.contains(other))
        };
        // Tables that refer to each other in a circle have no order; any will do.
        let next = tables.iter().position(free).unwrap_or(0);
        ordered.push(tables.remove(next).0);
    }
    ordered
}

fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').filter(|statement| !statement.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, Row};

    use super::{STEPS, in_order, is_numbered, newest, tables_after, words};
    use crate::db::testing;

    /// What reads or fills whole databases knows them by these lists alone.
    #[tokio::test]
    async fn the_tables_are_those_of_the_database() {
        testing::each(|db| async move {
            let mut read = db.read().await.unwrap();
            for table in tables_after(newest()) {
                read.execute(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"))).await.unwrap();
            }
            if read.backend_name() == "SQLite" {
                let count = "SELECT COUNT(*) AS c FROM sqlite_master WHERE type = 'table'
                             AND name NOT LIKE 'sqlite_%' AND name <> 'schema_steps'";
                let count: i64 = read.fetch_one(count).await.unwrap().try_get("c").unwrap();
                assert_eq!(usize::try_from(count).unwrap(), tables_after(newest()).len());
            }
        })
        .await;
        assert!(is_numbered("users") && !is_numbered("vaults") && !is_numbered("nothing"));
    }

    /// Backups of the whole database know two types only.
    #[test]
    fn columns_hold_integers_and_text() {
        let others = ["BLOB", "BYTEA", "REAL", "DOUBLE", "NUMERIC", "BOOLEAN", "JSONB", "TIMESTAMP", "DATE"];
        for step in STEPS {
            assert!(!words(step).iter().any(|word| others.contains(&word.as_str())), "{step}");
        }
    }

    #[test]
    fn tables_come_after_what_they_refer_to() {
        let table = |name: &str, others: &[&str]| {
            (name.to_owned(), others.iter().map(|&other| other.to_owned()).collect())
        };
        let tables = vec![table("a", &["b", "a"]), table("c", &["d"]), table("b", &[]), table("d", &["c"])];
        assert_eq!(in_order(tables), ["b", "a", "c", "d"]);
    }
}
