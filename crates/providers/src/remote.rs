//! A program that runs on a machine, as whoever started it has it: what it says comes in, what it is fed goes out.
//!
//! ```text
//!   Feed  -->  [ input ]  -->  the machine  -->  [ said ]  -->  Said
//! ```
//!
//! Whether SSH or an engine of containers leads there makes no difference here. Both ways are bounded: a program that says
//! more than is read has to wait. A [`Remote`] that is dropped closes the way; a program that reads its input sees its end.

use tokio::{sync::mpsc, task::JoinHandle};

/// How many pieces wait to be read, each of at most some tens of KiB.
const PIECES: usize = 16;

/// What is started on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// A plain POSIX shell that reads commands from its input.
    Commands,
    /// The user's shell on a terminal of this size.
    Terminal(TerminalSize),
}

/// How large a terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// What a program is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Bytes for its input.
    Input(Vec<u8>),
    /// Its input ends.
    End,
    /// Its terminal has another size.
    Resize(TerminalSize),
}

/// What a program says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Bytes of its output; all there is of a terminal.
    Output(Vec<u8>),
    /// Bytes of its standard error.
    Error(Vec<u8>),
    /// It ended with this status; what ended by a signal has 128 and the signal's number, as shells say it, or 255.
    Ended(u32),
}

/// A program that runs on a machine.
#[derive(Debug)]
pub struct Remote {
    input: mpsc::Sender<Feed>,
    said: mpsc::Receiver<Said>,
    _work: Vec<Work>,
}

/// The far ends of a [`Remote`].
pub(crate) struct FarEnd {
    pub(crate) input: mpsc::Receiver<Feed>,
    pub(crate) said: mpsc::Sender<Said>,
}

/// A task that ends with what it works for.
#[derive(Debug)]
struct Work(JoinHandle<()>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Remote {
    /// A remote program, driven by the tasks that `start` begins.
    pub(crate) fn driven(start: impl FnOnce(FarEnd) -> Vec<JoinHandle<()>>) -> Self {
        let (input, fed) = mpsc::channel(PIECES);
        let (told, said) = mpsc::channel(PIECES);
        let work = start(FarEnd { input: fed, said: told }).into_iter().map(Work).collect();
        Self { input, said, _work: work }
    }

    /// What it says next; `None` once the way is closed.
    pub async fn said(&mut self) -> Option<Said> {
        self.said.recv().await
    }

    /// The way to feed it. What is fed to a program that has ended is lost.
    pub fn input(&self) -> mpsc::Sender<Feed> {
        self.input.clone()
    }
}
