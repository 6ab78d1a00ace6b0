//! What becomes of a slot that is due.

/// How long a slot waits for its agent, in milliseconds. A server or an agent that restarts misses nothing.
pub const GRACE_MS: i64 = 10 * 60_000;

/// What a slot ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A run is queued.
    Run,
    /// The configuration's run before it was still going on.
    Skipped,
    /// Nobody could run it in time.
    Missed,
}

/// How things stand when a slot is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// What time it is.
    pub now_ms: i64,
    /// Whether a run of the configuration goes on.
    pub active: bool,
    /// Whether the agent's link is up.
    pub reachable: bool,
}

/// Decides over a slot that is due. `None`: its agent may still come in time.
pub fn decide(due_ms: i64, at: Circumstances) -> Option<Decision> {
    if at.active {
        Some(Decision::Skipped)
    } else if at.now_ms.saturating_sub(due_ms) > GRACE_MS {
        Some(Decision::Missed)
    } else {
        at.reachable.then_some(Decision::Run)
    }
}
