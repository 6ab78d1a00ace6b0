//! All rows of all tables, in a form that both databases share: what is read out of one goes into the other.
//!
//! Columns hold integers and text, and nothing else; a test says so of the schema. Reading sees one moment of the
//! database, also beside a running server. Filling is one transaction: it ends whole or not at all.

use std::path::Path;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use sqlx::{
    Any, AnyConnection, AssertSqlSafe, Column, Connection, Executor, Row, SqlSafeStr, Statement, Transaction,
    any::AnyRow, query,
};

pub use super::schema::{newest, tables_after};
use super::{
    dialect::{Dialect, postgres, sqlite},
    schema,
};
use crate::{DatabaseUrl, Error, Result};

/// By how much the numbers of new rows go on after filling. What was numbered after the reading may live on in the
/// memory of agents, and is not to be taken for something else.
const NUMBERS_AHEAD: i64 = 1000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing.
    Null,
    /// An integer.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A table's shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order in which the values of rows stand.
    pub columns: Vec<String>,
    /// The highest number that a row ever had, where rows are numbered.
    pub last_number: Option<i64>,
}

/// The embedded database in this file, to be filled; made if it is not there.
pub async fn open_embedded(file: &Path) -> Result<AnyConnection> {
    sqlite::connect(file).await
}

/// A PostgreSQL database, to be filled. Nobody else changes its schema meanwhile.
pub async fn open_shared(url: &DatabaseUrl) -> Result<AnyConnection> {
    postgres::schema_connection(url).await
}

/// A database at one moment.
#[derive(Debug)]
pub struct Moment {
    connection: AnyConnection,
    dialect: Dialect,
    steps: usize,
}

/// An empty database that is being filled.
#[derive(Debug)]
pub struct Filling<'a> {
    transaction: Transaction<'a, Any>,
    dialect: Dialect,
}

impl Moment {
    /// The embedded database in this file, as it is now.
    pub async fn of_embedded(file: &Path) -> Result<Self> {
        if !file.is_file() {
            return Err(Error::not_found(format!("There is no database {}.", file.display())));
        }
        Self::begin(sqlite::connect(file).await?, Dialect::Sqlite).await
    }

    /// A PostgreSQL database, as it is now.
    pub async fn of_shared(url: &DatabaseUrl) -> Result<Self> {
        Self::begin(postgres::connect(url).await?, Dialect::Postgres).await
    }

    async fn begin(mut connection: AnyConnection, dialect: Dialect) -> Result<Self> {
        connection.execute(dialect.begin_moment()).await?;
        // With SQLite the moment is that of the first look.
        let steps = schema::done(&mut connection).await?;
        if steps == 0 {
            return Err(Error::not_found("The database is not one of a Roadstead server."));
        }
        Ok(Self { connection, dialect, steps })
    }

    /// How many steps of the schema it has.
    pub fn schema(&self) -> usize {
        self.steps
    }

    /// A table's shape.
    pub async fn table(&mut self, name: &str) -> Result<Table> {
        let select = format!("SELECT * FROM {}", word(name)?);
        let prepared = self.connection.prepare(AssertSqlSafe(select).into_sql_str()).await?;
        let columns = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        Ok(Table { name: name.to_owned(), columns, last_number: self.last_number(name).await? })
    }

    async fn last_number(&mut self, name: &str) -> Result<Option<i64>> {
        if !schema::is_numbered(name) {
            return Ok(None);
        }
        let row = self.connection.fetch_optional(query(self.dialect.last_number()).bind(name)).await?;
        let Some(row) = row else { return Ok(Some(0)) };
        Ok(row.try_get::<Option<i64>, _>(0)?.or(Some(0)))
    }

    /// Hands over each row of a table.
    pub async fn rows(
        &mut self,
        table: &Table,
        mut take: impl FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let columns = table.columns.iter().map(|column| word(column)).collect::<Result<Vec<_>>>()?;
        let select = format!("SELECT {} FROM {} ORDER BY 1", columns.join(", "), word(&table.name)?);
        let mut rows = self.connection.fetch(query(AssertSqlSafe(select)));
        while let Some(row) = rows.next().await {
            let row = row?;
            take((0..columns.len()).map(|index| value(&row, index)).collect::<Result<_>>()?)?;
        }
        Ok(())
    }
}

fn value(row: &AnyRow, index: usize) -> Result<Value> {
    if let Ok(integer) = row.try_get::<Option<i64>, _>(index) {
        return Ok(integer.map_or(Value::Null, Value::Integer));
    }
    Ok(row.try_get::<Option<String>, _>(index)?.map_or(Value::Null, Value::Text))
}

impl<'a> Filling<'a> {
    /// Begins to fill an empty database, with the schema as it was after so many steps.
    pub async fn begin(connection: &'a mut AnyConnection, steps: usize) -> Result<Self> {
        let dialect = Dialect::of(connection);
        let mut transaction = connection.begin().await?;
        if schema::done(&mut transaction).await? > 0 {
            return Err(Error::conflict("The database is not empty; give an empty one."));
        }
        schema::migrate_to(&mut transaction, steps).await?;
        Ok(Self { transaction, dialect })
    }

    /// Adds a row.
    pub async fn add(&mut self, table: &Table, row: Vec<Value>) -> Result<()> {
        if row.len() != table.columns.len() {
            return Err(Error::invalid(format!(
                "A row of {} has not as many values as columns.",
                table.name
            )));
        }
        let mut number = 0;
        let places: Vec<_> = row
            .iter()
            .map(|value| match value {
                // A parameter has a type, and nothing has none.
                Value::Null => "NULL".to_owned(),
                _ => {
                    number += 1;
                    format!("${number}")
                }
            })
            .collect();
        let columns = table.columns.iter().map(|column| word(column)).collect::<Result<Vec<_>>>()?;
        let (name, columns, places) = (word(&table.name)?, columns.join(", "), places.join(", "));
        let insert = format!("INSERT INTO {name} ({columns}) VALUES ({places})");
        let mut insert = query(AssertSqlSafe(insert));
        for value in row {
            insert = match value {
                Value::Null => insert,
                Value::Integer(integer) => insert.bind(integer),
                Value::Text(text) => insert.bind(text),
            };
        }
        self.transaction.execute(insert).await?;
        Ok(())
    }

    /// Lets the numbers of new rows go on after those that there were.
    pub async fn go_on_numbering(&mut self, table: &Table) -> Result<()> {
        let Some(last) = table.last_number.filter(|&last| last > 0) else { return Ok(()) };
        for statement in self.dialect.set_last_number() {
            let next = last.saturating_add(NUMBERS_AHEAD);
            self.transaction.execute(query(*statement).bind(table.name.as_str()).bind(next)).await?;
        }
        Ok(())
    }

    /// Brings the schema up to date and keeps everything.
    pub async fn finish(
        mut self,
        complete: impl AsyncFnOnce(&mut AnyConnection) -> Result<()>,
    ) -> Result<()> {
        schema::migrate(&mut self.transaction).await?;
        complete(&mut self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }
}

/// A name that can stand in a statement as it is.
fn word(name: &str) -> Result<&str> {
    let plain =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    plain
        .then_some(name)
        .ok_or_else(|| Error::invalid(format!("{name:.50?} is no name of a table or column.")))
}

#[cfg(test)]
mod tests {
    use sqlx::{AnyConnection, Connection, Executor};

    use super::{Filling, Moment, Table, Value, open_embedded, open_shared};
    use crate::{
        DatabaseUrl,
        db::{Db, account, row::Columns, schema, testing},
    };

    type Content = Vec<(Table, Vec<Vec<Value>>)>;

    async fn read(moment: &mut Moment) -> Content {
        let mut content = Vec::new();
        for name in schema::tables_after(moment.schema()) {
            let table = moment.table(&name).await.unwrap();
            let mut rows = Vec::new();
            moment
                .rows(&table, |row| {
                    rows.push(row);
                    Ok(())
                })
                .await
                .unwrap();
            content.push((table, rows));
        }
        content
    }

    async fn fill(connection: &mut AnyConnection, steps: usize, content: &Content) {
        let mut filling = Filling::begin(connection, steps).await.unwrap();
        for (table, rows) in content {
            for row in rows {
                filling.add(table, row.clone()).await.unwrap();
            }
            filling.go_on_numbering(table).await.unwrap();
        }
        filling.finish(async |_| Ok(())).await.unwrap();
    }

    async fn sample(folder: &std::path::Path) -> (usize, Content) {
        let file = folder.join("first.db");
        std::fs::write(&file, include_bytes!("schema/fixtures/0001.sqlite")).unwrap();
        Db::open_embedded(&file).await.unwrap().close().await;
        let mut moment = Moment::of_embedded(&file).await.unwrap();
        (moment.schema(), read(&mut moment).await)
    }

    async fn next_user(db: &Db) -> i64 {
        let mut write = db.write().await.unwrap();
        let insert = "INSERT INTO users (account_id, username, password_hash, role, created_ms)
                      VALUES (1, 'one more', '', 'admin', 1) RETURNING id";
        write.fetch_one(insert).await.unwrap().integer("id").unwrap()
    }

    #[tokio::test]
    async fn rows_go_from_sqlite_to_sqlite_and_numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let (steps, content) = sample(folder.path()).await;
        assert!(content.iter().map(|(_, rows)| rows.len()).sum::<usize>() > 10);
        let file = folder.path().join("second.db");
        let mut connection = open_embedded(&file).await.unwrap();
        fill(&mut connection, steps, &content).await;
        assert!(Filling::begin(&mut connection, steps).await.is_err(), "it is not empty any more");
        connection.close().await.unwrap();
        let again = read(&mut Moment::of_embedded(&file).await.unwrap()).await;
        let rows = |content: &Content| content.iter().map(|(_, rows)| rows.clone()).collect::<Vec<_>>();
        assert_eq!(rows(&again), rows(&content));
        let users = content.iter().find(|(table, _)| table.name == "users").unwrap();
        let db = Db::open_embedded(&file).await.unwrap();
        assert!(next_user(&db).await > users.0.last_number.unwrap() + 999);
        db.close().await;
    }

    #[tokio::test]
    async fn rows_go_from_sqlite_to_postgres_and_back() {
        testing::on_postgres(async |url: DatabaseUrl| {
            let folder = tempfile::tempdir().unwrap();
            let (steps, content) = sample(folder.path()).await;
            let mut connection = open_shared(&url).await.unwrap();
            fill(&mut connection, steps, &content).await;
            connection.close().await.unwrap();
            let mut moment = Moment::of_shared(&url).await.unwrap();
            assert_eq!(moment.schema(), steps);
            let again = read(&mut moment).await;
            for ((table, rows), (same, got)) in content.iter().zip(&again) {
                assert_eq!((&table.columns, rows), (&same.columns, got), "{}", table.name);
            }
            let db = Db::open_shared(&url).await.unwrap();
            let users = content.iter().find(|(table, _)| table.name == "users").unwrap();
            assert!(next_user(&db).await > users.0.last_number.unwrap() + 999);
            db.close().await;
        })
        .await;
    }

    async fn add_account(db: &Db) {
        let mut write = db.write().await.unwrap();
        account::insert(&mut write, "an account", 1).await.unwrap();
        write.commit().await.unwrap();
    }

    async fn accounts(moment: &mut Moment) -> usize {
        let content = read(moment).await;
        content.iter().find(|(table, _)| table.name == "accounts").unwrap().1.len()
    }

    #[tokio::test]
    async fn a_moment_does_not_see_what_comes_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let db = Db::open_embedded(&file).await.unwrap();
        add_account(&db).await;
        let mut moment = Moment::of_embedded(&file).await.unwrap();
        add_account(&db).await;
        assert_eq!(accounts(&mut moment).await, 1);
        testing::on_postgres(async |url: DatabaseUrl| {
            let db = Db::open_shared(&url).await.unwrap();
            add_account(&db).await;
            let mut moment = Moment::of_shared(&url).await.unwrap();
            add_account(&db).await;
            assert_eq!(accounts(&mut moment).await, 1);
            db.close().await;
        })
        .await;
    }

    #[test]
    fn names_are_plain_words() {
        assert!(super::word("vault_headers").is_ok());
        for wrong in ["", "a b", "a;", "A", "ä", "a\"", "a--"] {
            assert!(super::word(wrong).is_err(), "{wrong}");
        }
    }
}
