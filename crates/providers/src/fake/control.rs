//! The handle by which a test makes a fake misbehave, and asks what it saw.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Fault, message::Request};

/// The handle on a fake. Clones hold the same one.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    standing: Fault,
    next: VecDeque<Fault>,
    only: Option<(String, String)>,
    calls: Vec<String>,
    at_once: usize,
    most_at_once: usize,
    connections: usize,
}

impl Control {
    /// Makes the fake misbehave from now on.
    pub fn set_fault(&self, fault: Fault) {
        let mut state = self.lock();
        (state.standing, state.only) = (fault, None);
        state.next.clear();
    }

    /// Makes the next so many calls go wrong.
    pub fn fail_next(&self, times: usize, fault: Fault) {
        self.lock().next.extend(std::iter::repeat_n(fault, times));
    }

    /// Has faults befall only calls by this method to paths that end like this.
    pub fn only(&self, method: &str, path_end: &str) {
        self.lock().only = Some((method.to_owned(), path_end.to_owned()));
    }

    /// How many calls came so far.
    pub fn calls(&self) -> usize {
        self.lock().calls.len()
    }

    /// How many calls came so far that begin like this: a method, and a path.
    pub fn calls_like(&self, beginning: &str) -> usize {
        self.lock().calls.iter().filter(|call| call.starts_with(beginning)).count()
    }

    /// The calls that came so far, as `GET /v2/droplets`, or `POST / RunInstances` where paths tell nothing.
    pub fn log(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// The most calls that were ever answered at once.
    pub fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    pub(super) fn connected(&self) {
        self.lock().connections += 1;
    }

    /// Notes a call; says how to go wrong at it.
    pub(super) fn begin(&self, request: &Request, title: Option<String>) -> Fault {
        let title = title.map_or_else(String::new, |title| format!(" {title}"));
        let call = format!("{} /{}{title}", request.method, request.path.join("/"));
        let mut state = self.lock();
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        let meant = state
            .only
            .as_ref()
            .is_none_or(|(method, end)| *method == request.method && call.ends_with(end.as_str()));
        state.calls.push(call);
        if !meant {
            return Fault::None;
        }
        state.next.pop_front().unwrap_or(state.standing)
    }

    pub(super) fn end(&self) {
        self.lock().at_once -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
