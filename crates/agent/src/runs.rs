//! The runs that the agent knows: those that wait, the one in hand, and those that ended and are not acknowledged.
//!
//! The link and the job's supervisor meet here and nowhere else. Both look at the present state whenever it changes
//! instead of passing messages, so nothing piles up while the server is away, and nothing is lost with a link.
//!
//! Invariant: a run is in one of the three places, from its start until its acknowledgement.

use std::collections::{BTreeMap, VecDeque};

use roadstead_api::{
    link::{Job, Outcome, RunRef},
    run::{Progress, RunState},
};
use tokio::sync::watch;

use crate::{
    error_spool::Pieces,
    order::Stop,
    results::{Results, idle},
};

/// How many runs may wait.
const MAX_WAITING: usize = 16;

/// All runs.
pub(crate) struct Runs {
    state: watch::Sender<State>,
    results: Results,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    hand: Option<Hand>,
    /// Results lie on disk; those that the disk would not take are kept here.
    ended: BTreeMap<RunRef, Option<Outcome>>,
    closed: bool,
}

struct Hand {
    run: RunRef,
    stop: Option<Stop>,
    told: Option<(RunState, Progress)>,
}

/// What became of a run that was to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It waits, or is in hand.
    Accepted,
    /// It has ended already.
    Ended,
}

impl Runs {
    /// No runs but those whose results are kept.
    pub fn new(results: Results) -> Self {
        let runs = Self { state: watch::Sender::default(), results };
        runs.find_results();
        runs
    }

    /// Looks for results again: a job may have outlived the agent that started it.
    pub fn find_results(&self) {
        let found = self.results.list().unwrap_or_else(|e| {
            tracing::warn!(error = %e, "the folder of results cannot be read");
            Vec::new()
        });
        self.state.send_modify(|state| {
            for run in found {
                // The result of the run in hand is there a moment before its process ends.
                if state.hand.as_ref().is_none_or(|hand| hand.run != run) {
                    state.ended.entry(run).or_insert(None);
                }
            }
        });
    }

    /// Wakes at each change.
    pub fn changes(&self) -> watch::Receiver<impl Sized + use<>> {
        self.state.subscribe()
    }

    /// Every run there is.
    pub fn all(&self) -> Vec<RunRef> {
        let state = self.state.borrow();
        let hand = state.hand.iter().map(|hand| hand.run);
        hand.chain(state.waiting.iter().map(|job| job.run)).chain(state.ended.keys().copied()).collect()
    }

    /// Takes a run, unless it is here already.
    pub fn start(&self, job: Job) -> Taken {
        let run = job.run;
        let mut refusal = None;
        self.state.send_modify(|state| {
            if state.knows(run) {
            } else if state.closed {
                refusal = Some(idle(Stop::Shutdown.state(), Stop::Shutdown.reason()));
            } else if state.waiting.len() >= MAX_WAITING {
                let reason = format!("{MAX_WAITING} runs wait on this agent already");
                refusal = Some(idle(RunState::Failed, Some(reason)));
            } else {
                state.waiting.push_back(job);
            }
        });
        if let Some(outcome) = refusal {
            self.keep(run, outcome);
        }
        if self.state.borrow().ended.contains_key(&run) { Taken::Ended } else { Taken::Accepted }
    }

    /// Ends a run before it is done. One that is not here, or has ended, needs no stop.
    pub fn stop(&self, run: RunRef) {
        let mut waited = false;
        self.state.send_modify(|state| {
            match &mut state.hand {
                Some(hand) if hand.run == run => hand.stop = hand.stop.or(Some(Stop::Asked)),
                _ => {}
            }
            let before = state.waiting.len();
            state.waiting.retain(|job| job.run != run);
            waited = state.waiting.len() < before;
        });
        if waited {
            self.keep(run, idle(Stop::Asked.state(), Stop::Asked.reason()));
        }
    }

    /// Refuses a run that cannot be taken.
    pub fn refuse(&self, run: RunRef, reason: &str) {
        if !self.state.borrow().knows(run) {
            self.keep(run, idle(RunState::Failed, Some(reason.to_owned())));
        }
    }

    /// Takes no more runs, ends those that wait, and stops the one in hand.
    pub fn close(&self) {
        let mut waiting = VecDeque::new();
        self.state.send_modify(|state| {
            state.closed = true;
            waiting = std::mem::take(&mut state.waiting);
            if let Some(hand) = &mut state.hand {
                hand.stop = hand.stop.or(Some(Stop::Shutdown));
            }
        });
        for job in waiting {
            self.keep(job.run, idle(Stop::Shutdown.state(), Stop::Shutdown.reason()));
        }
    }

    /// Takes the next run in hand, once there is one; `None` once closed.
    pub async fn next(&self) -> Option<Job> {
        let mut changes = self.state.subscribe();
        // The sender lives as long as `self`, so this cannot fail; if it did, there would be no next run either.
        changes.wait_for(|state| state.closed || !state.waiting.is_empty()).await.ok()?;
        let mut next = None;
        self.state.send_modify(|state| {
            next = state.waiting.pop_front();
            state.hand = next.as_ref().map(|job| Hand { run: job.run, stop: None, told: None });
        });
        next
    }

    /// Waits until the run in hand is to end before it is done.
    pub async fn stop_asked(&self) -> Stop {
        let stop_of = |state: &State| state.hand.as_ref().and_then(|hand| hand.stop);
        let mut changes = self.state.subscribe();
        match changes.wait_for(|state| stop_of(state).is_some()).await {
            Ok(state) => stop_of(&state).unwrap_or(Stop::Asked),
            Err(_) => Stop::Shutdown,
        }
    }

    /// Notes how far the run in hand has come.
    pub fn tell(&self, told: RunState, progress: Progress) {
        self.state.send_modify(|state| {
            if let Some(hand) = &mut state.hand {
                hand.told = Some((told, progress));
            }
        });
    }

    /// How far the run in hand has come, if it has told.
    pub fn told(&self) -> Option<(RunRef, RunState, Progress)> {
        let state = self.state.borrow();
        let hand = state.hand.as_ref()?;
        hand.told.clone().map(|(told, progress)| (hand.run, told, progress))
    }

    /// The run in hand has ended. Its process has left the result on disk, or `outcome` is what is kept.
    pub fn end(&self, run: RunRef, outcome: Option<Outcome>) {
        match outcome {
            Some(outcome) => self.keep(run, outcome),
            None => self.state.send_modify(|state| state.end(run, None)),
        }
    }

    /// Whether a result of the run lies on disk.
    pub fn has_result(&self, run: RunRef) -> bool {
        self.results.load(run).is_ok()
    }

    /// The runs that have ended.
    pub fn ended(&self) -> Vec<RunRef> {
        self.state.borrow().ended.keys().copied().collect()
    }

    /// How a run has ended.
    pub fn outcome(&self, run: RunRef) -> Option<Outcome> {
        let kept = self.state.borrow().ended.get(&run)?.clone();
        kept.or_else(|| self.results.load(run).ok())
    }

    /// The errors of single files of a run that has ended, as far as they are kept.
    pub fn errors(&self, run: RunRef) -> Option<Pieces> {
        Pieces::open(&self.results.errors(run))
    }

    /// Forgets a run that has ended.
    pub fn acknowledged(&self, run: RunRef) {
        if !self.state.borrow().ended.contains_key(&run) {
            return;
        }
        if let Err(e) = self.results.remove(run) {
            tracing::warn!(%run, error = %e, "an acknowledged result cannot be removed");
        }
        self.state.send_modify(|state| {
            state.ended.remove(&run);
        });
    }

    /// Waits until no run is in hand, nor will be.
    pub async fn wait_idle(&self) {
        let mut changes = self.state.subscribe();
        // It cannot fail while `self` holds the sender.
        let _ = changes.wait_for(|state| state.closed && state.hand.is_none()).await;
    }

    /// Whether nothing is left to be done or told, nor will be.
    pub fn is_finished(&self) -> bool {
        let state = self.state.borrow();
        state.closed && state.hand.is_none() && state.waiting.is_empty() && state.ended.is_empty()
    }

    /// Keeps how a run ended: on disk, or in memory where the disk is full or broken.
    fn keep(&self, run: RunRef, outcome: Outcome) {
        let unsaved = match self.results.save(run, &outcome) {
            Ok(()) => None,
            Err(e) => {
                tracing::warn!(%run, error = %e, "a result cannot be written, and is kept in memory");
                Some(outcome)
            }
        };
        self.state.send_modify(|state| state.end(run, unsaved));
    }
}

impl State {
    fn knows(&self, run: RunRef) -> bool {
        self.hand.as_ref().is_some_and(|hand| hand.run == run)
            || self.waiting.iter().any(|job| job.run == run)
            || self.ended.contains_key(&run)
    }

    fn end(&mut self, run: RunRef, unsaved: Option<Outcome>) {
        self.hand.take_if(|hand| hand.run == run);
        self.ended.insert(run, unsaved);
    }
}
