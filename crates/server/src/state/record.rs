//! The lines of a backup: a head, the files, each table with its rows after it, and an end that says how many there
//! were.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    db::rows::{Table, Value},
};

/// What a backup is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of Roadstead that made it.
    pub version: String,
    /// How many steps of the schema the database had.
    pub schema: usize,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    Head(Head),
    /// A file of the data folder; all of them are text.
    File {
        /// Its path in the data folder.
        name: String,
        /// What it holds.
        content: String,
    },
    /// A table; its rows follow.
    Table(Table),
    /// A row of the last table.
    Row(Vec<Value>),
    /// The last line.
    End {
        /// How many rows there were in all tables.
        rows: u64,
    },
}

impl Record {
    /// Writes the line.
    pub fn write(&self, out: &mut impl Write) -> Result<()> {
        let mut line = serde_json::to_vec(self)
            .map_err(|e| Error::internal("A line of the backup could not be written.").caused_by(e))?;
        line.push(b'\n');
        Ok(out.write_all(&line)?)
    }

    /// Reads a line.
    pub fn read(line: &[u8]) -> Result<Self> {
        serde_json::from_slice(line)
            .map_err(|e| Error::invalid("A line of the backup is not understood.").caused_by(e))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::Record;
    use crate::db::rows::Value;

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(integers in any::<Vec<i64>>(), texts in any::<Vec<String>>()) {
            let values = integers.into_iter().map(Value::Integer);
            let row = Record::Row(values.chain(texts.into_iter().map(Value::Text)).chain([Value::Null]).collect());
            let mut line = Vec::new();
            row.write(&mut line).unwrap();
            prop_assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1);
            prop_assert_eq!(Record::read(&line).unwrap(), row);
        }

        #[test]
        fn whatever_comes_is_no_panic(line in any::<Vec<u8>>()) {
            let _ = Record::read(&line);
        }
    }
}
