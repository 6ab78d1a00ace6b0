//! The agent's log as the server may ask for it: its last lines, in memory, and how much it says.
//!
//! Whoever starts the agent writes its log here as well; the lines of jobs come from their processes' standard error.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use roadstead_api::agent_log::{AgentLog, LogLevel, MAX_LINES};

/// How long a line may be, in bytes; the rest of it is cut off. All lines together fit into a message.
const MAX_LINE: usize = 1000;

/// Sets how much the log says.
type SetLevel = dyn Fn(LogLevel) + Send + Sync;

/// A log's last lines, and the way to say how much it says. A copy is the same log.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    lines: Mutex<Lines>,
    set_level: Box<SetLevel>,
}

#[derive(Default)]
struct Lines {
    level: Option<LogLevel>,
    whole: VecDeque<String>,
    /// The line being written.
    open: Vec<u8>,
}

impl Log {
    /// A log without a line. `level` is absent where it cannot be said in one word.
    pub fn new(level: Option<LogLevel>, set_level: impl Fn(LogLevel) + Send + Sync + 'static) -> Self {
        let lines = Mutex::new(Lines { level, ..Lines::default() });
        Self(Arc::new(Inner { lines, set_level: Box::new(set_level) }))
    }

    /// The last lines, and how much it says.
    pub(crate) fn show(&self, lines: u32) -> AgentLog {
        let kept = self.lock();
        let passed = kept.whole.len().saturating_sub(lines as usize);
        AgentLog { level: kept.level, lines: kept.whole.iter().skip(passed).cloned().collect() }
    }

    /// Lets it say more or less from now on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        (self.0.set_level)(level);
        self.lock().level = Some(level);
    }

    /// What processes of jobs are told by `RUST_LOG`, once somebody has set a level.
    pub(crate) fn level(&self) -> Option<LogLevel> {
        self.lock().level
    }

    /// The lines are whole after every statement.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// Takes lines as text, in whatever pieces.
impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n");
            let room = MAX_LINE.saturating_sub(self.open.len());
            let taken = text.unwrap_or(part);
            self.open.extend_from_slice(&taken[..taken.len().min(room)]);
            if text.is_some() {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.open)).into_owned();
                if self.whole.len() >= MAX_LINES as usize {
                    self.whole.pop_front();
                }
                self.whole.push_back(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use proptest::prelude::*;
    use roadstead_api::{agent_log::LogLevel, link::MAX_MESSAGE_BYTES};

    use super::{Log, MAX_LINES};

    #[test]
    fn the_last_lines_are_kept_and_fit_into_a_message() {
        let mut log = Log::new(None, |_| ());
        for n in 0..MAX_LINES + 5 {
            write!(log, "line {n}").unwrap();
            writeln!(log, " {}", "\u{1}".repeat(if n % 2 == 0 { 2000 } else { 1 })).unwrap();
        }
        let shown = log.show(MAX_LINES);
        assert_eq!(shown.lines.len(), MAX_LINES as usize);
        assert!(shown.lines[0].starts_with("line 5 "), "{}", shown.lines[0]);
        assert_eq!(log.show(1).lines, shown.lines[shown.lines.len() - 1..]);
        let bytes = serde_json::to_vec(&log.show(500)).unwrap().len();
        assert!(bytes < MAX_MESSAGE_BYTES);
    }

    #[test]
    fn the_level_is_set_and_told() {
        let set = Arc::<Mutex<Vec<LogLevel>>>::default();
        let seen = Arc::clone(&set);
        let log = Log::new(Some(LogLevel::Info), move |level| seen.lock().unwrap().push(level));
        assert_eq!(log.show(1).level, Some(LogLevel::Info));
        log.set_level(LogLevel::Debug);
        assert_eq!(
            (log.level(), set.lock().unwrap().as_slice()),
            (Some(LogLevel::Debug), &[LogLevel::Debug][..])
        );
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "(\\PC|\n){0,200}", cut in 0..200_usize) {
            let bytes = text.as_bytes();
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let (mut whole, mut parts) = (Log::new(None, |_| ()), Log::new(None, |_| ()));
            whole.write_all(bytes).unwrap();
            parts.write_all(first).unwrap();
            parts.write_all(second).unwrap();
            prop_assert_eq!(whole.show(500), parts.show(500));
        }
    }
}
