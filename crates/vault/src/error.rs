//! The one error type of the crate: what kind, in which doing, and what lay beneath.

use std::error::Error as StdError;
use std::fmt;
use std::io;

/// What went wrong, as far as a caller may want to branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A named file, snapshot or path does not exist.
    NotFound,
    /// Something is there already, with other content.
    Conflict,
    /// The store refused the credentials or the operation.
    Denied,
    /// No key of the repository opens with the password given.
    WrongPassword,
    /// The repository is locked by someone else.
    Locked,
    /// Stored bytes are not what they should be: wrong hash, broken cipher text, malformed content.
    Damaged,
    /// The caller asked for something that makes no sense.
    Invalid,
    /// A version or feature this engine does not know.
    Unsupported,
    /// The store or the disk has no room left.
    Full,
    /// A command whose output was to be saved could not be started, or did not end well.
    Command,
    /// The run was cancelled.
    Cancelled,
    /// Network trouble, time-outs, an overloaded server: the same call may succeed later.
    Unreachable,
    /// Any other failure of the operating system.
    Io,
}

/// An error of the engine. `Display` tells the doing; [`std::error::Error::source`] the cause beneath.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause beneath it. `context` is a message without a full stop.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// An operating system error met while doing `context`.
    pub fn io(context: impl Into<String>, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            _ => ErrorKind::Io,
        };
        Self::new(kind, context).with_source(source)
    }

    pub(crate) fn damaged(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, context)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed when tried again later.
    pub fn is_temporary(&self) -> bool {
        self.kind == ErrorKind::Unreachable
    }

    /// Whether something stored is lost or not what it was, while the store itself answers: the rest of
    /// the repository can still be looked at.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self.kind, ErrorKind::Damaged | ErrorKind::NotFound | ErrorKind::Io)
    }

    /// The number of the operating system error beneath, if there is one.
    pub fn os_code(&self) -> Option<i32> {
        let source = self.source.as_ref()?;
        source.downcast_ref::<io::Error>()?.raw_os_error()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
