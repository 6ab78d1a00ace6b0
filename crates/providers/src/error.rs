//! The one error type of the crate: a kind to branch on, what was being done, and the cause beneath.
//!
//! The kinds tell apart what a person has to do about it: other credentials, more rights, another address, patience.
//! Display never repeats the source, and neither says anything secret.

use std::{error::Error as StdError, fmt, io, time::Duration};

use crate::capability::Capability;

/// What the crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller may want to branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A field is missing, unknown or makes no sense; [`Error::field`] names it.
    Invalid,
    /// The far side knows the credentials not, or no longer.
    WrongCredentials,
    /// The credentials are right, and do not allow this.
    MissingRights,
    /// No route, a closed port, a name that does not resolve, or a connection that broke.
    Unreachable,
    /// The far side took too long.
    Timeout,
    /// The host shows another key than the one it was pinned to. Nothing was sent to it.
    HostKeyChanged,
    /// The far side cannot prove who it is: its certificate is not in order. Nothing was sent to it.
    Untrusted,
    /// The address is one that Roadstead does not talk to; see [`AddressGuard`](crate::AddressGuard).
    ForbiddenAddress,
    /// There is no such machine, image, size, location or network.
    NotFound,
    /// The machine is in a state in which this cannot be done.
    Conflict,
    /// The provider has no way to do this.
    Unsupported,
    /// Too many calls; [`Error::retry_after`] says when to come back, if the far side does.
    RateLimited,
    /// The far side answered what cannot be understood.
    Malformed,
    /// The far side could not do it, for reasons of its own.
    Failed,
}

/// Why something failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    field: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error without a cause beneath it. `context` is a message without a full stop.
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), field: None, retry_after: None, source: None }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// A field that does not do. `reason` goes on the sentence that begins with the field's name.
    pub fn invalid(field: &str, reason: impl fmt::Display) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(ErrorKind::Invalid, format!("`{field}` {reason}")) }
    }

    /// What the provider cannot do.
    pub fn unsupported(provider: &str, capability: Capability) -> Self {
        Self::new(ErrorKind::Unsupported, format!("the provider {provider} cannot {capability}"))
    }

    /// The same error under another kind, if it is of the kind `from`: for a call at which the far side's refusal can
    /// only mean that.
    #[must_use]
    pub(crate) fn refiled(self, from: ErrorKind, to: ErrorKind) -> Self {
        Self { kind: if self.kind == from { to } else { self.kind }, ..self }
    }

    /// A refusal for too many calls.
    pub fn rate_limited(context: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..Self::new(ErrorKind::RateLimited, context) }
    }

    /// Trouble with a socket, met while doing `context`.
    pub fn io(context: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::TimedOut => ErrorKind::Timeout,
            io::ErrorKind::InvalidData => ErrorKind::Malformed,
            _ => ErrorKind::Unreachable,
        };
        Self::new(kind, context).caused_by(source)
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The field that does not do, for [`ErrorKind::Invalid`].
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// When the far side wants to be asked again, for [`ErrorKind::RateLimited`].
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same may well succeed later, without anybody's help.
    pub fn is_temporary(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::RateLimited)
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
