//! The errors of single files of a run, on disk until the server has them: one JSON value a line, the first 100,000.
//!
//! Written by the job's process as they happen, read by the agent when the run has ended. What cannot be written is only
//! counted: the outcome has the first of them anyway.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use roadstead_api::{
    run::RunError,
    run_error::{MAX_ERROR_BYTES_PER_MESSAGE, MAX_ERRORS_PER_MESSAGE, MAX_KEPT_ERRORS},
};

/// What all of them together may take on the disk, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// A file that errors are written to; made with the first of them.
#[derive(Debug)]
pub(crate) struct ErrorSpool {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    count: usize,
    bytes: usize,
    full: bool,
}

impl ErrorSpool {
    /// The file at `path`, which is written anew.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, count: 0, bytes: 0, full: false }
    }

    /// Adds an error, unless there are enough.
    pub fn push(&mut self, error: &RunError) {
        let Ok(mut line) = serde_json::to_vec(error) else { return };
        line.push(b'\n');
        // One that fills a message would not go.
        self.full |= self.count >= MAX_KEPT_ERRORS
            || self.bytes + line.len() > MAX_BYTES
            || line.len() > MAX_ERROR_BYTES_PER_MESSAGE;
        if self.full {
            return;
        }
        match self.write(&line) {
            Ok(()) => {
                self.count += 1;
                self.bytes += line.len();
            }
            Err(e) => {
                tracing::warn!(error = %e, "errors of single files cannot be kept; the first ones go with the result");
                self.full = true;
            }
        }
    }

    /// Writes out what waits in memory.
    pub fn finish(&mut self) {
        if let Some(Err(e)) = self.file.as_mut().map(Write::flush) {
            tracing::warn!(error = %e, "errors of single files cannot be kept; the first ones go with the result");
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            let mut options = File::options();
            let file = options.create(true).write(true).truncate(true).mode(0o600).open(&self.path)?;
            self.file = Some(BufWriter::new(file));
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line))
    }
}

/// Reads what was written, in pieces that fit into a message.
pub(crate) struct Pieces {
    lines: BufReader<io::Take<File>>,
    next: u32,
    held: Option<(RunError, usize)>,
}

impl Pieces {
    /// Those of the file at `path`; `None` where there is none.
    pub fn open(path: &Path) -> Option<Self> {
        let file = fs::File::open(path).ok()?;
        // Nobody but the job wrote it; yet no more is read than was written.
        Some(Self { lines: BufReader::new(file.take(2 * MAX_BYTES as u64)), next: 0, held: None })
    }

    fn line(&mut self) -> Option<(RunError, usize)> {
        let mut line = Vec::new();
        let limit = MAX_ERROR_BYTES_PER_MESSAGE as u64 + 1;
        self.lines.by_ref().take(limit).read_until(b'\n', &mut line).ok()?;
        // The last one of a process that was killed may be cut off.
        Some((serde_json::from_slice(&line).ok()?, line.len()))
    }
}

impl Iterator for Pieces {
    /// The number of the first of these errors, and the errors.
    type Item = (u32, Vec<RunError>);

    fn next(&mut self) -> Option<Self::Item> {
        let (first, mut errors, mut bytes) = (self.next, Vec::new(), 0);
        while let Some((error, length)) = self.held.take().or_else(|| self.line()) {
            bytes += length;
            if errors.len() == MAX_ERRORS_PER_MESSAGE || bytes > MAX_ERROR_BYTES_PER_MESSAGE {
                self.held = Some((error, length));
                break;
            }
            errors.push(error);
        }
        self.next = first.saturating_add(errors.len() as u32);
        (!errors.is_empty()).then_some((first, errors))
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        link::MAX_MESSAGE_BYTES,
        run::RunError,
        run_error::{MAX_ERRORS_PER_MESSAGE, MAX_KEPT_ERRORS},
    };

    use super::{ErrorSpool, Pieces};

    fn error(path: String) -> RunError {
        RunError { kind: "io".to_owned(), reason: "why".to_owned(), code: 5, details: String::new(), path }
    }

    #[test]
    fn the_first_hundred_thousand_come_back_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors");
        let mut spool = ErrorSpool::new(path.clone());
        for n in 0..MAX_KEPT_ERRORS + 10 {
            spool.push(&error(n.to_string()));
        }
        spool.finish();
        let mut count = 0;
        for (first, errors) in Pieces::open(&path).unwrap() {
            assert_eq!(first as usize, count);
            assert!(errors.len() <= MAX_ERRORS_PER_MESSAGE);
            assert_eq!(errors[0].path, count.to_string());
            count += errors.len();
        }
        assert_eq!(count, MAX_KEPT_ERRORS);
    }

    #[test]
    fn long_paths_make_small_pieces_and_a_torn_line_ends_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors");
        let mut spool = ErrorSpool::new(path.clone());
        for _ in 0..100 {
            spool.push(&error("\u{1}".repeat(4096)));
        }
        spool.push(&error("\u{1}".repeat(1 << 20)));
        spool.push(&error("after one that fits no message".to_owned()));
        spool.finish();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - 10);
        std::fs::write(&path, bytes).unwrap();
        let pieces: Vec<_> = Pieces::open(&path).unwrap().collect();
        assert!(pieces.len() > 2);
        assert_eq!(pieces.iter().map(|(_, errors)| errors.len()).sum::<usize>(), 99);
        assert!(pieces.iter().all(|piece| serde_json::to_vec(piece).unwrap().len() < MAX_MESSAGE_BYTES));
        assert!(Pieces::open(&folder.path().join("none")).is_none());
    }
}
