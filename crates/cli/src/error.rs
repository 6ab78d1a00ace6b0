//! The one error type of the command line, and how a command can end.
//!
//! Display never repeats the source; [`Error::chain`] is the whole story in one line, for the edge.

use std::{fmt, io, process::ExitCode};

use roadstead_client::api::Problem;

/// What the commands return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// What was asked for was tried, and did not come about; the output says so.
    NotDone,
    /// Done, but for some files.
    DoneWithErrors,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::NotDone => 1,
            Exit::DoneWithErrors => 3,
        })
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line asks for something that makes no sense, or leaves out what is needed.
    Usage,
    /// The server was asked, and refused or did not answer.
    Client,
    /// Reading, writing or starting something on this machine failed.
    Local,
}

/// Why a command failed.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    problem: Option<Box<Problem>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Something is wrong with the command line.
    pub fn usage(context: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Usage, context: context.into(), problem: None, source: None }
    }

    /// Something went wrong on this machine.
    pub fn local(context: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Local, context: context.into(), problem: None, source: None }
    }

    /// There is nothing of this id or name, in the server's words for it; `like` is what may have been meant.
    pub fn unknown(noun: &str, word: &str, like: Option<&str>) -> Self {
        let advice = match like {
            Some(like) => format!("did you mean {like:?}?"),
            None => format!("`roadstead {}s list` shows those that are.", noun.replace(' ', "-")),
        };
        let detail = format!("There is no {noun} {word:?}; {advice}");
        let problem = Problem {
            kind: "not_found".to_owned(),
            title: "There is no such thing".to_owned(),
            status: 404,
            detail: detail.clone(),
            request_id: None,
        };
        Self { kind: ErrorKind::Client, context: detail, problem: Some(Box::new(problem)), source: None }
    }

    /// Adds the cause.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The exit status that stands for it.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.kind == ErrorKind::Usage { 2 } else { 1 })
    }

    /// Whether it came about because whoever reads our output has stopped reading.
    pub fn is_broken_pipe(&self) -> bool {
        let source = self.source.as_ref().and_then(|s| s.downcast_ref::<io::Error>());
        source.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The error and all its causes, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.context.clone();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            // The server's errors are sentences, and what follows is a part of them.
            text.truncate(text.trim_end_matches('.').len());
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }

    /// Whether the server says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.problem().is_some_and(|problem| problem.status == 404)
    }

    /// What the server said, where it is at the bottom of this.
    fn problem(&self) -> Option<&Problem> {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        let mut said = causes.filter_map(|cause| cause.downcast_ref::<roadstead_client::Error>()?.problem());
        self.problem.as_deref().or_else(|| said.next())
    }

    /// The error as a problem body: the server's own where it sent one.
    pub fn to_json(&self) -> serde_json::Value {
        if let Some(problem) = self.problem() {
            return serde_json::json!(problem);
        }
        let (word, title) = match self.kind {
            ErrorKind::Usage => ("usage", "Wrong usage"),
            ErrorKind::Client => ("no_answer", "The server could not be asked"),
            ErrorKind::Local => ("local", "Failed on this machine"),
        };
        serde_json::json!({ "type": word, "title": title, "detail": self.chain() })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn std::error::Error + 'static))
    }
}

impl From<roadstead_client::Error> for Error {
    /// The client's error becomes this one; its causes, one line of them, become the cause.
    fn from(error: roadstead_client::Error) -> Self {
        let mut causes = Vec::new();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self {
            kind: ErrorKind::Client,
            context: error.to_string(),
            problem: error.problem().cloned().map(Box::new),
            source: (!causes.is_empty()).then(|| causes.join(": ").into()),
        }
    }
}
