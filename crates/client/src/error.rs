//! The one error type of the SDK: a kind to branch on, what was being done, what the server said, and the cause.
//!
//! Display gives the server's own words where there are any, and never repeats the source.

use std::fmt;

use reqwest::StatusCode;
use roadstead_api::Problem;

/// What the SDK's calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server's address, or the way to it, cannot be used: not a URL, or plain HTTP beyond loopback.
    Address,
    /// The server could not prove who it is: its certificate is expired, for another name, or of an unknown CA.
    Untrusted,
    /// The server did not answer.
    Unreachable,
    /// The credentials are missing or wrong.
    Unauthorized,
    /// The user's role does not allow it.
    Forbidden,
    /// There is no such thing, or none that the user may see.
    NotFound,
    /// It does not go with the present state, such as a second backup of one configuration.
    Conflict,
    /// The request, or a value handed in, is not valid.
    Invalid,
    /// Too many requests; later ones will be answered.
    Limited,
    /// The server failed.
    Server,
    /// The answer was not one that this version understands.
    Protocol,
    /// Reading or writing on this machine failed.
    Local,
}

/// Why a call failed.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    context: String,
    problem: Option<Problem>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, context: context.into(), problem: None, source: None }))
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The error that a reply with this status stands for.
    pub(crate) fn of_status(status: StatusCode, context: String, problem: Option<Problem>) -> Self {
        let kind = match status.as_u16() {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 | 410 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            429 => ErrorKind::Limited,
            400..=499 => ErrorKind::Invalid,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Protocol,
        };
        Self(Box::new(Inner { kind, context, problem, source: None }))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the server said, where it answered with a problem body.
    pub fn problem(&self) -> Option<&Problem> {
        self.0.problem.as_ref()
    }

    /// Whether the same call may well succeed later.
    pub fn is_temporary(&self) -> bool {
        match self.0.kind {
            ErrorKind::Unreachable | ErrorKind::Limited => true,
            ErrorKind::Server => self.0.problem.as_ref().is_none_or(|p| p.status != 500),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            Some(problem) => f.write_str(&problem.detail),
            None => f.write_str(&self.0.context),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("context", &self.0.context)
            .field("problem", &self.0.problem)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}
