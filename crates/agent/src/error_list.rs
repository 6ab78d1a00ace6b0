//! The first errors of single files, as many as fit into a message to the server.

use roadstead_api::{
    link::MAX_MESSAGE_BYTES,
    run::{MAX_REPORTED_ERRORS, RunError},
};

/// What the list may take of a message, in bytes of JSON. The rest of the message needs far less than the rest.
const MAX_BYTES: usize = MAX_MESSAGE_BYTES / 2;

/// Collects errors.
#[derive(Debug, Default)]
pub(crate) struct ErrorList {
    errors: Vec<RunError>,
    bytes: usize,
    full: bool,
}

impl ErrorList {
    /// Adds an error, unless the list is full. Once full it stays so: the first errors are kept, not the shortest.
    pub fn push(&mut self, error: RunError) {
        // What cannot be encoded could not be sent either; it counts as too long.
        let bytes = serde_json::to_vec(&error).map_or(MAX_BYTES, |json| json.len() + 1);
        self.full |= self.errors.len() >= MAX_REPORTED_ERRORS || self.bytes + bytes > MAX_BYTES;
        if !self.full {
            self.bytes += bytes;
            self.errors.push(error);
        }
    }

    /// The errors, first to last.
    pub fn into_errors(self) -> Vec<RunError> {
        self.errors
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        link::{AgentMessage, MAX_MESSAGE_BYTES, RunKind, RunRef},
        run::{MAX_REPORTED_ERRORS, RunError, RunState},
    };

    use super::ErrorList;
    use crate::results::idle;

    fn error(path: String) -> RunError {
        RunError { kind: "io".to_owned(), reason: "why".to_owned(), code: 5, details: String::new(), path }
    }

    #[test]
    fn the_first_thousand_are_kept() {
        let mut list = ErrorList::default();
        for n in 0..MAX_REPORTED_ERRORS + 10 {
            list.push(error(n.to_string()));
        }
        let errors = list.into_errors();
        assert_eq!(errors.len(), MAX_REPORTED_ERRORS);
        assert_eq!(errors[999].path, "999");
    }

    #[test]
    fn the_longest_paths_still_fit_into_a_message() {
        let mut list = ErrorList::default();
        for _ in 0..MAX_REPORTED_ERRORS {
            // Control characters take six bytes each in JSON.
            list.push(error("\u{1}".repeat(4096)));
        }
        let errors = list.into_errors();
        assert!(!errors.is_empty() && errors.len() < MAX_REPORTED_ERRORS);
        let run = RunRef { kind: RunKind::Backup, id: i64::MAX };
        let message = AgentMessage::Finished {
            run,
            outcome: roadstead_api::link::Outcome { errors, ..idle(RunState::CompletedWithErrors, None) },
        };
        assert!(serde_json::to_vec(&message).unwrap().len() < MAX_MESSAGE_BYTES);
    }
}
