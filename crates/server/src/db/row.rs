//! Reading values out of rows, with errors that name the column.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row, any::AnyRow};

use crate::{Error, Result};

/// The states of a run that has not ended, for `state IN (...)`. The partial indexes of the schema say the same.
pub const fn active_states() -> &'static str {
    "('queued', 'start_requested', 'searching', 'in_progress', 'stop_requested')"
}

/// The condition that keeps runs that go on (`true`), that have ended (`false`), or all.
pub fn by_activity(active: Option<bool>) -> String {
    match active {
        Some(true) => format!("AND state IN {}", active_states()),
        Some(false) => format!("AND state NOT IN {}", active_states()),
        None => String::new(),
    }
}

/// Typed access to the columns of a row.
pub trait Columns {
    /// An integer.
    fn integer(&self, column: &str) -> Result<i64>;
    /// An integer that may be absent.
    fn maybe_integer(&self, column: &str) -> Result<Option<i64>>;
    /// Text.
    fn text(&self, column: &str) -> Result<String>;
    /// Text that may be absent.
    fn maybe_text(&self, column: &str) -> Result<Option<String>>;

    /// A flag, kept as 0 or 1.
    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.integer(column)? != 0)
    }

    /// A time, kept in milliseconds.
    fn time(&self, column: &str) -> Result<Timestamp> {
        timestamp(self.integer(column)?)
    }

    /// A time that may be absent.
    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>> {
        self.maybe_integer(column)?.map(timestamp).transpose()
    }

    /// A value kept as its word.
    fn word<T: FromStr>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|_| Error::internal(format!("Column {column} holds {text:?}, which it never should.")))
    }

    /// A value kept as JSON.
    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        parsed(column, &self.text(column)?)
    }

    /// The same of one that may be absent.
    fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        self.maybe_text(column)?.map(|text| parsed(column, &text)).transpose()
    }
}

impl Columns for AnyRow {
    fn integer(&self, column: &str) -> Result<i64> {
        Ok(self.try_get(column)?)
    }

    fn maybe_integer(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &str) -> Result<String> {
        Ok(self.try_get(column)?)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }
}

fn parsed<T: DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    let broken = |e| Error::internal(format!("Column {column} holds JSON of another shape.")).caused_by(e);
    serde_json::from_str(text).map_err(broken)
}

/// Milliseconds as a time.
pub fn timestamp(ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|e| Error::internal("A time is out of range.").caused_by(e))
}

/// A value as the JSON that a column keeps.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::internal("A value could not be written as JSON.").caused_by(e))
}

/// Whether an error says that a unique index stood against it.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|e| e.is_unique_violation())
}
