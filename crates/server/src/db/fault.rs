//! Errors of the databases, sorted into the server's kinds. An outage is not a fault of the server's own: whoever asks
//! is told to come again.

use sqlx::error::DatabaseError;

use crate::{Error, ErrorKind};

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let kind = kind(&error);
        Self::new(kind, message(kind)).caused_by(error)
    }
}

/// What kind of thing went wrong.
pub fn kind(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => ErrorKind::Unavailable,
        sqlx::Error::Database(error) => kind_of_code(&**error),
        _ => ErrorKind::Internal,
    }
}

/// What the user is told of a failure of this kind.
pub fn message(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "The database cannot be reached, or is busy; try again soon.",
        ErrorKind::Invalid => "Text cannot hold the character NUL.",
        ErrorKind::Full => "The disk of the database is full.",
        _ => "The database failed; the server's log says how.",
    }
}

/// PostgreSQL has codes of five letters and digits, SQLite numbers whose lowest byte is the primary code.
fn kind_of_code(error: &dyn DatabaseError) -> ErrorKind {
    let code = error.code().unwrap_or_default();
    if code.len() == 5 {
        return kind_of_sqlstate(&code);
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED
        Ok(5 | 6) => ErrorKind::Unavailable,
        // SQLITE_FULL
        Ok(13) => ErrorKind::Full,
        _ => ErrorKind::Internal,
    }
}

fn kind_of_sqlstate(code: &str) -> ErrorKind {
    match code {
        // disk_full
        "53100" => ErrorKind::Full,
        // character_not_in_repertoire: a NUL, which only SQLite keeps in text
        "22021" => ErrorKind::Invalid,
        // serialization_failure, deadlock_detected, lock_not_available, read_only_sql_transaction (a standby)
        "40001" | "40P01" | "55P03" | "25006" => ErrorKind::Unavailable,
        // Connection exceptions, too few resources, and an operator's shutdown.
        _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}
