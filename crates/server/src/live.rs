//! What only memory knows: which agents are connected, how far their runs are, and who is to be woken.
//!
//! All of it can be lost: after a restart agents connect again and say where they stand.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use roadstead_api::{
    id::AgentId,
    link::{RunRef, ServerMessage},
    run::Progress,
};
use tokio::sync::mpsc;

use crate::signal::Signal;

/// An agent's link: the way to send to it.
#[derive(Clone, Debug)]
pub struct Link {
    /// Which of the agent's links this is.
    pub number: u64,
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

/// The server's memory of what goes on.
#[derive(Debug, Default)]
pub struct Live {
    links: Mutex<HashMap<AgentId, Link>>,
    progress: Mutex<HashMap<RunRef, Progress>>,
    seen: Mutex<HashMap<AgentId, i64>>,
    next_number: AtomicU64,
    /// Wakes the dispatcher: there may be a run to send to an agent.
    pub dispatch: Signal,
    /// Wakes the scheduler: there may be a slot that can be decided now.
    pub schedules: Signal,
    /// Wakes whoever writes down when agents were last heard of.
    pub last_seen: Signal,
    /// Wakes the checker: there may be a check to run.
    pub checks: Signal,
}

impl Live {
    /// Makes a link for an agent, not yet the one that messages go to.
    pub fn link(
        &self,
        sender: mpsc::Sender<ServerMessage>,
        probe: mpsc::Sender<tokio::sync::oneshot::Sender<()>>,
    ) -> Link {
        Link { number: self.next_number.fetch_add(1, Ordering::Relaxed), sender, probe }
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

    /// Notes how far a run has come.
    pub fn set_progress(&self, run: RunRef, progress: Progress) {
        locked(&self.progress).insert(run, progress);
    }

    /// How far a run has come, as last heard.
    pub fn progress(&self, run: RunRef) -> Option<Progress> {
        locked(&self.progress).get(&run).cloned()
    }

    /// Forgets how far a run had come, since it has ended.
    pub fn forget_progress(&self, run: RunRef) {
        locked(&self.progress).remove(&run);
    }

    /// Notes that an agent was heard of.
    pub fn heard(&self, agent: AgentId, now_ms: i64) {
        locked(&self.seen).insert(agent, now_ms);
    }

    /// When an agent was last heard of, since the server started.
    pub fn last_heard(&self, agent: AgentId) -> Option<i64> {
        locked(&self.seen).get(&agent).copied()
    }

    /// When each agent was last heard of, since the server started.
    pub fn heard_of(&self) -> Vec<(AgentId, i64)> {
        locked(&self.seen).iter().map(|(&agent, &at)| (agent, at)).collect()
    }
}

/// A poisoned lock only means that some task panicked between two of these one-line changes; the maps are whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
