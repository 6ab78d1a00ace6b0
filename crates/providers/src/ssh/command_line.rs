//! What is run on a host: words of our own.

/// A command for a host's shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine(String);

impl CommandLine {
    /// A command of our own; it may use what every POSIX shell knows.
    pub(crate) fn new(command: &'static str) -> Self {
        Self(command.to_owned())
    }

    /// What the shell gets.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
