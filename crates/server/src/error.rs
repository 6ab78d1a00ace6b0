//! The server's one error type. Only `http` and `rest` know which status code a kind becomes.

use std::{borrow::Cow, error::Error as StdError, time::Duration};

/// The server's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong, for whoever has to react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong.
    Invalid,
    /// No credentials, or wrong ones.
    Unauthorized,
    /// The credentials do not reach that far.
    Forbidden,
    /// There is no such thing, or not for this account.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// It stands against something that is there.
    Conflict,
    /// The same request is still being carried out.
    Running,
    /// An idempotency key was used for another request.
    KeyReused,
    /// The body is over its limit.
    TooLarge,
    /// The disk or a quota is full.
    Full,
    /// The same was tried too often.
    TooMany,
    /// It cannot be done just now.
    Unavailable,
    /// A backend did not do it, for this reason.
    Backend(roadstead_providers::ErrorKind),
    /// A fault of the server's own.
    Internal,
}

/// What went wrong: a sentence for the user, and the cause for the log.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind.
    pub kind: ErrorKind,
    /// What the user is told: what happened and what to do.
    pub message: Cow<'static, str>,
    /// When to come back, where that is known.
    pub retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with no cause below it.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), retry_after: None, source: None }
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// It stands against something that is there.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// The credentials do not reach that far.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    /// The same was tried too often; the next try is free after this time.
    pub fn too_many(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::new(ErrorKind::TooMany, message).come_back_after(retry_after)
    }

    /// The same error with the time after which to come back.
    pub fn come_back_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// A fault of the server's own.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The same error with its cause.
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may go through later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::TooMany | ErrorKind::Full)
    }

    /// The message and all causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.message.to_string();
        let mut source = StdError::source(self);
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

/// What a driver says becomes a sentence, with its causes: they are about the user's own backend.
impl From<roadstead_providers::Error> for Error {
    fn from(error: roadstead_providers::Error) -> Self {
        use roadstead_providers::ErrorKind as Kind;
        let kind = match error.kind() {
            Kind::Invalid => ErrorKind::Invalid,
            Kind::NotFound => ErrorKind::NotFound,
            Kind::Conflict => ErrorKind::Conflict,
            other => ErrorKind::Backend(other),
        };
        let mut message = error.to_string();
        let mut source = StdError::source(&error);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(kind, sentence(&message))
    }
}

/// A message as a sentence: with a capital, unless it begins with a name in quotes or the like, and a full stop.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    first.into_iter().chain(characters).chain(stop.chars()).collect()
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let full =
            matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
        if full {
            return Self::new(ErrorKind::Full, "The server's disk is full.").caused_by(error);
        }
        Self::internal("The server's disk failed; its log says how.").caused_by(error)
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::internal("A task of the server ended early; its log says how.").caused_by(error)
    }
}
