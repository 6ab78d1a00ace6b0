//! Handing many small jobs from one thread to several.
//!
//! Waking a thread costs as much as restoring a small file. So jobs gather while the receivers have others
//! waiting, and go over together; as soon as none is waiting every job goes over at once.

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::{Error, Result};

/// Jobs that go over together, at most.
const JOBS: usize = 32;
/// And the bytes they stand for: the last batch of a run is one thread's alone.
const BYTES: u64 = 1 << 20;

/// The sending side. What was pushed last goes over with [`Batches::flush`].
pub(crate) struct Batches<T> {
    sender: Sender<Vec<T>>,
    gathered: Vec<T>,
    bytes: u64,
}

/// Batches of which about `queue` jobs may wait at once.
pub(crate) fn batches<T>(queue: usize) -> (Batches<T>, Receiver<Vec<T>>) {
    let (sender, receiver) = bounded(queue.div_ceil(JOBS).max(1));
    (Batches { sender, gathered: Vec::new(), bytes: 0 }, receiver)
}

impl<T> Batches<T> {
    /// Adds a job that stands for so many bytes. Fails only when all receivers have gone.
    pub(crate) fn push(&mut self, job: T, bytes: u64) -> Result<()> {
        self.gathered.push(job);
        self.bytes = self.bytes.saturating_add(bytes);
        match self.gathered.len() >= JOBS || self.bytes >= BYTES || self.sender.is_empty() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Sends what was gathered.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.gathered);
        if batch.is_empty() {
            return Ok(());
        }
        // The receivers end early only when the run has failed.
        self.sender.send(batch).map_err(|_| Error::cancelled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_arrive_in_order_and_gather_only_while_others_wait() {
        let (mut jobs, received) = batches(4 * JOBS);
        for job in 0..JOBS * 2 {
            jobs.push(job, 1).unwrap();
        }
        jobs.push(JOBS * 2, BYTES).unwrap();
        jobs.push(JOBS * 2 + 1, 0).unwrap();
        jobs.flush().unwrap();
        drop(jobs);
        let batches: Vec<Vec<usize>> = received.iter().collect();
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, JOBS, JOBS, 1]);
        assert_eq!(batches.concat(), (0..JOBS * 2 + 2).collect::<Vec<_>>());
    }

    #[test]
    fn without_receivers_a_push_fails() {
        let (mut jobs, received) = batches(1);
        drop(received);
        assert!(jobs.push((), 0).is_err());
    }
}
