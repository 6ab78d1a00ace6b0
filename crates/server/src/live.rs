//! What only memory knows: which agents are connected, how far their runs are, and who is to be woken.
//!
//! All of it can be lost: after a restart agents connect again and say where they stand.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use roadstead_api::{
    id::AgentId,
    link::{RunRef, ServerMessage},
    run::Progress,
};
use tokio::sync::{Notify, mpsc};

use crate::{arrivals::Arrivals, meters::Meters, questions::Questions, signal::Signal};

/// How often it is told, at the most, how far a single run has come.
const PROGRESS_PAUSE: Duration = Duration::from_secs(1);
/// How often it is told of all runs together in that time, at the most.
const PROGRESS_SHARE: usize = 100;

/// An agent's link: the way to send to it.
#[derive(Clone, Debug)]
pub struct Link {
    /// Which of the agent's links this is.
    pub number: u64,
    /// Whether the agent can check and clean its sealed vault.
    pub takes_upkeep: bool,
    sender: mpsc::Sender<ServerMessage>,
    /// Asks the link's task for a sign of life from the agent.
    pub probe: mpsc::Sender<tokio::sync::oneshot::Sender<()>>,
}

impl Link {
    /// Sends a message, or says that the link is gone or does not keep up.
    pub fn send(&self, message: ServerMessage) -> bool {
        self.sender.try_send(message).is_ok()
    }
}

/// How far a run has come, and when those who watch were told last.
#[derive(Debug)]
struct Heard {
    progress: Progress,
    told: Instant,
}

/// When an agent was heard of, and of which time the database knows.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at_ms: i64,
    written_ms: Option<i64>,
}

/// The server's memory of what goes on.
#[derive(Debug, Default)]
pub struct Live {
    links: Mutex<HashMap<AgentId, Link>>,
    progress: Mutex<HashMap<RunRef, Heard>>,
    seen: Mutex<HashMap<AgentId, Seen>>,
    next_number: AtomicU64,
    /// What agents were asked.
    pub questions: Questions,
    /// What agents measure.
    pub meters: Meters,
    /// What came into the vaults of late.
    pub arrivals: Arrivals,
    /// Wakes whoever looks for configurations without a good backup.
    pub overdue: Signal,
    /// Wakes whoever looks for vaults without a good check or cleanup.
    pub vault_care: Signal,
    /// Wakes whoever measures vaults once a day.
    pub growth: Signal,
    /// Wakes the dispatcher: there may be a run to send to an agent.
    pub dispatch: Signal,
    /// Wakes the cleaner: there may be a cleanup to run.
    pub cleanups: Signal,
    /// Wakes whoever does tasks on vaults: there may be one.
    pub vault_tasks: Signal,
    /// Wakes whoever removes the files of deleted vaults.
    pub removals: Signal,
    /// Wakes whoever queues the periodic work on vaults.
    pub upkeep: Signal,
    /// Wakes the scheduler: there may be a slot that can be decided now.
    pub schedules: Signal,
    /// Wakes whoever writes down when agents were last heard of.
    pub last_seen: Signal,
    /// Wakes the checker: there may be a check to run.
    pub checks: Signal,
    /// Wakes whoever makes machines: there may be a job.
    pub make: Notify,
    /// Wakes whoever runs commands: there may be one.
    pub command: Notify,
    /// Wakes all who wait for what commands print.
    pub command_output: Notify,
    /// Wakes whoever asks backends for their machines: one may be due sooner than it was.
    pub refresh: Notify,
}

impl Live {
    /// Makes a link for an agent, not yet the one that messages go to.
    pub fn link(
        &self,
        sender: mpsc::Sender<ServerMessage>,
        probe: mpsc::Sender<tokio::sync::oneshot::Sender<()>>,
        takes_upkeep: bool,
    ) -> Link {
        Link { number: self.next_number.fetch_add(1, Ordering::Relaxed), takes_upkeep, sender, probe }
    }

    /// Sends an agent's messages over this link from now on. Fails if another link than the one to be replaced is
    /// there.
    pub fn connect(&self, agent: AgentId, link: Link, replaced: Option<u64>) -> bool {
        let mut links = locked(&self.links);
        let free = links.get(&agent).is_none_or(|older| Some(older.number) == replaced);
        if free {
            links.insert(agent, link);
        }
        free
    }

    /// Forgets a link, unless another has taken its place.
    pub fn disconnect(&self, agent: AgentId, number: u64) {
        let mut links = locked(&self.links);
        if links.get(&agent).is_some_and(|link| link.number == number) {
            links.remove(&agent);
            self.questions.give_up(agent);
        }
    }

    /// An agent's link, if it is up.
    pub fn link_of(&self, agent: AgentId) -> Option<Link> {
        locked(&self.links).get(&agent).cloned()
    }

    /// The agents whose links are up.
    pub fn connected(&self) -> Vec<AgentId> {
        locked(&self.links).keys().copied().collect()
    }

    /// Sends to an agent; says whether its link took the message.
    pub fn send(&self, agent: AgentId, message: ServerMessage) -> bool {
        self.link_of(agent).is_some_and(|link| link.send(message))
    }

    /// Refuses an agent whose link is up; the link closes.
    pub fn refuse(&self, agent: AgentId, reason: &str) {
        self.send(agent, ServerMessage::Refused { reason: reason.to_owned() });
    }

    /// Notes how far a run has come; says whether it is time to tell those who watch. With many runs each has its turn
    /// less often.
    pub fn set_progress(&self, run: RunRef, progress: Progress) -> bool {
        let mut all = locked(&self.progress);
        let pause = PROGRESS_PAUSE * u32::try_from(all.len() / PROGRESS_SHARE + 1).unwrap_or(u32::MAX);
        let now = Instant::now();
        let told = all.get(&run).map(|heard| heard.told).filter(|&told| now < told + pause);
        all.insert(run, Heard { progress, told: told.unwrap_or(now) });
        told.is_none()
    }

    /// How far a run has come, as last heard.
    pub fn progress(&self, run: RunRef) -> Option<Progress> {
        locked(&self.progress).get(&run).map(|heard| heard.progress.clone())
    }

    /// Forgets how far a run had come, since it has ended.
    pub fn forget_progress(&self, run: RunRef) {
        locked(&self.progress).remove(&run);
    }

    /// Notes that an agent was heard of.
    pub fn heard(&self, agent: AgentId, now_ms: i64) {
        let mut seen = locked(&self.seen);
        seen.entry(agent).or_insert(Seen { at_ms: now_ms, written_ms: None }).at_ms = now_ms;
    }

    /// When an agent was last heard of, since the server started.
    pub fn last_heard(&self, agent: AgentId) -> Option<i64> {
        locked(&self.seen).get(&agent).map(|seen| seen.at_ms)
    }

    /// The agents that were heard of since that was last written down, and when.
    pub fn heard_since_written(&self) -> Vec<(AgentId, i64)> {
        let seen = locked(&self.seen);
        let newer = seen.iter().filter(|(_, seen)| seen.written_ms != Some(seen.at_ms));
        newer.map(|(&agent, seen)| (agent, seen.at_ms)).collect()
    }

    /// Notes that this is written down.
    pub fn written(&self, heard: &[(AgentId, i64)]) {
        let mut seen = locked(&self.seen);
        for (agent, at_ms) in heard {
            if let Some(seen) = seen.get_mut(agent) {
                seen.written_ms = Some(*at_ms);
            }
        }
    }
}

/// A poisoned lock only means that some task panicked between two of these one-line changes; the maps are whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use roadstead_api::{id::AgentId, link::RunKind, run::Progress};

    use super::{Live, RunRef};

    #[test]
    fn what_is_written_down_is_not_written_again() {
        let live = Live::default();
        live.heard(AgentId(1), 5);
        live.heard(AgentId(2), 6);
        let mut heard = live.heard_since_written();
        heard.sort_unstable();
        assert_eq!(heard, [(AgentId(1), 5), (AgentId(2), 6)]);
        live.heard(AgentId(2), 7);
        live.written(&heard);
        assert_eq!(live.heard_since_written(), [(AgentId(2), 7)], "it was heard of again meanwhile");
        live.written(&[(AgentId(2), 7)]);
        assert!(live.heard_since_written().is_empty());
        assert_eq!(live.last_heard(AgentId(1)), Some(5));
    }

    #[test]
    fn progress_is_told_once_in_a_while_and_at_first() {
        let live = Live::default();
        let run = RunRef { kind: RunKind::Backup, id: 1 };
        assert!(live.set_progress(run, Progress::default()));
        let further = Progress { files_done: 1, ..Progress::default() };
        assert!(!live.set_progress(run, further.clone()));
        assert_eq!(live.progress(run), Some(further));
        assert!(live.set_progress(RunRef { kind: RunKind::Restore, id: 1 }, Progress::default()));
        live.forget_progress(run);
        assert!(live.set_progress(run, Progress::default()));
    }
}
