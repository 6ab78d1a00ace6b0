//! Tells the agent how far its job has come, and remembers what the outcome needs.
//!
//! A line is written when the state changes, else at most twice a second: the engine's workers wait meanwhile.

use std::{
    io::Write,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use roadstead_api::run::{Progress, RunError, RunState};

use crate::{
    error_list::ErrorList,
    error_spool::ErrorSpool,
    order::{Report, line},
};

const PAUSE: Duration = Duration::from_millis(500);
/// How much of a path goes along with the counters, in characters.
const MAX_CURRENT_CHARS: usize = 4096;

/// Reports to `out`, from many threads.
pub(crate) struct Reporter<W>(Mutex<Inner<W>>);

struct Inner<W> {
    out: W,
    written: Option<(RunState, Instant)>,
    progress: Progress,
    errors: ErrorList,
    spool: ErrorSpool,
}

impl<W: Write> Reporter<W> {
    /// Reports to `out`, which is flushed after each line, and keeps the errors of single files in `spool`.
    pub fn new(out: W, spool: ErrorSpool) -> Self {
        Self(Mutex::new(Inner {
            out,
            written: None,
            progress: Progress::default(),
            errors: ErrorList::default(),
            spool,
        }))
    }

    /// Takes the newest counters.
    pub fn progress(&self, mut progress: Progress) {
        if let Some(current) = &mut progress.current_path
            && let Some((end, _)) = current.char_indices().nth(MAX_CURRENT_CHARS)
        {
            current.truncate(end);
        }
        let mut inner = self.lock();
        inner.progress = progress;
        inner.write_if_due();
    }

    /// Takes the error of a single file.
    pub fn error(&self, error: RunError) {
        self.lock().push(error);
    }

    /// Takes an error that the counters do not have.
    pub fn count_error(&self, error: RunError) {
        let mut inner = self.lock();
        inner.progress.error_count += 1;
        inner.push(error);
    }

    /// How a run that is done ends by the counters.
    pub fn state(&self) -> RunState {
        match self.lock().progress.error_count {
            0 => RunState::Completed,
            _ => RunState::CompletedWithErrors,
        }
    }

    /// The last counters and the first errors.
    pub fn finish(self) -> (Progress, Vec<RunError>) {
        let mut inner = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        inner.spool.finish();
        (Progress { current_path: None, ..inner.progress }, inner.errors.into_errors())
    }

    /// Counters and list are whole after every statement, so a worker that panicked has not spoilt them.
    fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Inner<W> {
    fn push(&mut self, error: RunError) {
        self.spool.push(&error);
        self.errors.push(error);
    }

    fn write_if_due(&mut self) {
        let read = self.progress.files_done > 0 || self.progress.bytes_done > 0;
        let state = if read { RunState::InProgress } else { RunState::Searching };
        let now = Instant::now();
        if self.written.is_some_and(|(last, at)| last == state && now < at + PAUSE) {
            return;
        }
        self.written = Some((state, now));
        if let Ok(line) = line(&Report::Progress { state, progress: self.progress.clone() }) {
            // An agent that is gone needs no progress; the end of standard input tells the job so.
            let _ = self.out.write_all(&line).and_then(|()| self.out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::run::{Progress, RunState};

    use super::{ErrorSpool, Reporter};
    use crate::order::Report;

    fn states(out: &[u8]) -> Vec<RunState> {
        let lines = out.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| match serde_json::from_slice(line).unwrap() {
                Report::Progress { state, .. } => state,
                Report::Unsaved { .. } => panic!("no outcome was reported"),
            })
            .collect()
    }

    #[test]
    fn a_new_state_is_told_at_once_and_the_same_one_seldom() {
        let mut out = Vec::new();
        let folder = tempfile::tempdir().unwrap();
        let reporter = Reporter::new(&mut out, ErrorSpool::new(folder.path().join("errors")));
        for n in 0..1000 {
            reporter.progress(Progress { files_searched: n, ..Progress::default() });
        }
        for n in 1..1000 {
            let current_path = Some("é".repeat(5000));
            reporter.progress(Progress { files_done: n, current_path, ..Progress::default() });
        }
        let (last, errors) = reporter.finish();
        assert_eq!((last.files_done, last.current_path), (999, None));
        assert!(errors.is_empty());
        let states = states(&out);
        assert_eq!(states[0], RunState::Searching);
        assert_eq!(states.iter().filter(|s| **s == RunState::InProgress).count() + 1, states.len());
        // Slow machines may see a pause go by; two thousand lines would take them a quarter of an hour.
        assert!(states.len() < 20, "{} lines", states.len());
    }
}
