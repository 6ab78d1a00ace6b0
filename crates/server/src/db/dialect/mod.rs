//! What differs between the databases: how they are opened, words of their schema, and the few statements that one of
//! them needs said another way.

pub mod postgres;
pub mod sqlite;

use sqlx::AnyConnection;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded database: one server, one writer.
    Sqlite,
    /// PostgreSQL: several servers may share it.
    Postgres,
}

impl Dialect {
    /// The dialect that a connection speaks.
    pub fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == "SQLite" { Self::Sqlite } else { Self::Postgres }
    }

    /// A step of the schema in this dialect's words.
    pub fn schema(self, step: &str) -> String {
        match self {
            Self::Sqlite => step.replace("{id}", sqlite::ID),
            Self::Postgres => step.replace("{id}", postgres::ID).replace(" TEXT", postgres::TEXT),
        }
    }

    /// Takes the oldest queued row above `after` of a table of jobs, and returns it.
    pub fn claim(self, table: &'static str, after: i64) -> String {
        match self {
            Self::Sqlite => sqlite::claim(table, after),
            Self::Postgres => postgres::claim(table, after),
        }
    }

    /// Makes whoever else appends to the audit log wait until this transaction ends; nothing where writers take turns
    /// anyway.
    pub fn audit_turn(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(postgres::AUDIT_TURN),
        }
    }

    /// What a `SELECT` ends with that keeps others from changing these rows of its until this transaction ends; nothing
    /// where writers take turns anyway.
    pub fn hold(self, rows: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => postgres::hold(rows),
        }
    }

    /// Begins to read as of one moment.
    pub fn begin_moment(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::BEGIN_MOMENT,
            Self::Postgres => postgres::BEGIN_MOMENT,
        }
    }

    /// The highest number that a row of the table `$1` ever had.
    pub fn last_number(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::LAST_NUMBER,
            Self::Postgres => postgres::LAST_NUMBER,
        }
    }

    /// Statements that make `$2` the highest number that a row of the table `$1` ever had.
    pub fn set_last_number(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &sqlite::SET_LAST_NUMBER,
            Self::Postgres => &postgres::SET_LAST_NUMBER,
        }
    }

    /// Counts, as `found`, the table that counts the steps of the schema.
    pub fn has_schema(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::HAS_SCHEMA,
            Self::Postgres => postgres::HAS_SCHEMA,
        }
    }

    /// Queues the rows of a table of jobs again that no living server works on.
    pub fn requeue(self, table: &'static str) -> String {
        match self {
            Self::Sqlite => sqlite::requeue(table),
            Self::Postgres => postgres::requeue(table),
        }
    }
}
