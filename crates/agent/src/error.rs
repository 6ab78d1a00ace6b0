//! The one error type of the crate: a kind to branch on, what was being done, and the cause beneath.
//!
//! Display never repeats the source; [`Error::chain`] shows both, for logs and reports.

use std::{error::Error as StdError, fmt};

/// What the crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller may want to branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The enrolment token is not one, or not one of this version.
    Token,
    /// The server's address is not one, or asks for what this version lacks.
    Address,
    /// The folder already belongs to an enrolled agent.
    AlreadyEnrolled,
    /// The folder belongs to no enrolled agent.
    NotEnrolled,
    /// Another agent, or another job of this agent, is at work in the folder.
    Busy,
    /// The agent's key, or something encrypted to it, cannot be used.
    Key,
    /// The server refused, or could not be asked, to enrol the agent.
    Enrolment,
    /// The way to the server broke, or never stood.
    Link,
    /// The server could not prove who it is.
    Untrusted,
    /// The server does not know the agent's credential.
    Unauthorized,
    /// The server refuses the link.
    Refused,
    /// The other side of a link or pipe said what nobody understands.
    Protocol,
    /// The operating system failed.
    Io,
}

/// Why something failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn io(context: impl Into<String>, source: impl Into<std::io::Error>) -> Self {
        Self::new(ErrorKind::Io, context).caused_by(source.into())
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same may well succeed later, without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self.kind {
            ErrorKind::Link | ErrorKind::Busy => true,
            ErrorKind::Enrolment => self
                .source
                .as_deref()
                .and_then(|source| source.downcast_ref::<roadstead_client::Error>())
                .is_some_and(roadstead_client::Error::is_temporary),
            _ => false,
        }
    }

    pub(crate) fn chain(&self) -> Chain<'_> {
        Chain(self)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Shows an error and all that lies beneath it, on one line.
pub(crate) struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
