//! Wrong passwords, counted: whoever guesses at one name has ten tries a minute.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::{Error, ErrorKind, Result, random};

/// How many wrong passwords a name may see within [`WINDOW_MS`].
const LIMIT: usize = 10;
/// How long a wrong password counts, in milliseconds.
const WINDOW_MS: i64 = 60_000;
/// How many names are remembered. Beyond it, those whose tries have all expired are forgotten first.
const MAX_NAMES: usize = 10_000;

/// The wrong passwords of the last minute, by name.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, VecDeque<i64>>>);

impl Attempts {
    /// Refuses a try for a name that has seen too many wrong ones; else counts it, as if it were wrong.
    pub fn begin(&self, username: &str, now_ms: i64) -> Result<()> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MAX_NAMES {
            names.retain(|_, tries| tries.back().is_some_and(|&at| at > now_ms - WINDOW_MS));
        }
        let tries = names.entry(random::fingerprint(username)).or_default();
        while tries.front().is_some_and(|&at| at <= now_ms - WINDOW_MS) {
            tries.pop_front();
        }
        if tries.len() >= LIMIT {
            let message = "Too many wrong passwords for this name; wait a minute, or use an API key.";
            return Err(Error::new(ErrorKind::TooMany, message));
        }
        tries.push_back(now_ms);
        Ok(())
    }

    /// The try was right: the name starts afresh.
    pub fn succeeded(&self, username: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&random::fingerprint(username));
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, LIMIT, WINDOW_MS};

    #[test]
    fn ten_tries_a_minute_and_other_names_are_free() {
        let attempts = Attempts::default();
        for at in 0..LIMIT as i64 {
            attempts.begin("ann", at).unwrap();
        }
        assert!(attempts.begin("ann", 100).is_err());
        attempts.begin("bob", 100).unwrap();
        assert!(attempts.begin("ann", WINDOW_MS - 1).is_err());
        attempts.begin("ann", WINDOW_MS).unwrap();
        assert!(attempts.begin("ann", WINDOW_MS).is_err());
        attempts.succeeded("ann");
        attempts.begin("ann", WINDOW_MS).unwrap();
    }
}
