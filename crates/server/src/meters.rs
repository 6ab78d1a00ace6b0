//! What agents measure, on its way to the database: gathered in memory, written once in a while, many at once.
//!
//! Every sample goes into the series of each [`Step`]. A point of a step is the mean of its samples, and is handed on
//! when the step is over; a point that was cut in two, by a server that ended or an agent that changed servers, is
//! two points with their weights, and one again for who reads them ([`merged`]). What is in memory when a server is
//! killed is lost: that is the last minute, and of the longer steps as much as since they began.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use roadstead_api::{id::AgentId, metric::Sample};

/// How far the points of a series are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Ten seconds, while somebody watches.
    Watched,
    /// A minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    Hour,
}

impl Step {
    /// Every step, the finest first.
    pub const ALL: [Self; 4] = [Self::Watched, Self::Minute, Self::FiveMinutes, Self::Hour];

    /// How long it is, in seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Watched => 10,
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }

    /// How long its points are kept, in seconds.
    pub fn kept_seconds(self) -> i64 {
        match self {
            Self::Watched => 3600,
            Self::Minute => 24 * 3600,
            Self::FiveMinutes => 31 * 24 * 3600,
            Self::Hour => 366 * 24 * 3600,
        }
    }

    /// How much time the points of one row of the database span, in seconds.
    pub fn chunk_seconds(self) -> i64 {
        72 * self.seconds()
    }

    fn start(self, seconds: i64) -> i64 {
        seconds.div_euclid(self.seconds()) * self.seconds()
    }
}

/// A point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When its step began, in seconds since 1970.
    pub at: i64,
    /// How many samples it is the mean of.
    pub weight: u32,
    /// What was measured.
    pub sample: Sample,
}

/// A point of an agent's series that is to be written down.
pub type Due = (AgentId, Step, Point);

/// The least time between two samples of an agent, in milliseconds: what comes faster is left out.
const LEAST_PAUSE_MS: i64 = 500;
/// After how long without a sample an agent's last points are handed on, in milliseconds.
const SILENT_MS: i64 = 2 * 3_600_000;
/// How many points wait at the most; older ones go first.
const MAX_DUE: usize = 200_000;
/// Larger numbers make no sense, whatever an agent says.
const MAX_NUMBER: f64 = 1e15;

/// What was measured and is not written down yet.
#[derive(Debug, Default)]
pub struct Meters {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    agents: HashMap<AgentId, Meter>,
    due: Vec<Due>,
}

#[derive(Debug)]
struct Meter {
    latest_ms: i64,
    latest: Sample,
    open: BTreeMap<Step, Open>,
}

/// A point whose step is not over.
#[derive(Clone, Copy, Debug)]
struct Open {
    at: i64,
    weight: u32,
    sum: [f64; Sample::NUMBERS],
}

impl Open {
    fn point(&self) -> Point {
        let weight = f64::from(self.weight.max(1));
        Point {
            at: self.at,
            weight: self.weight,
            sample: Sample::of_numbers(self.sum.map(|sum| sum / weight)),
        }
    }
}

impl Meters {
    /// Takes a sample of an agent; `watched` where it measures more often since somebody watches.
    pub fn take(&self, agent: AgentId, sample: Sample, watched: bool, now_ms: i64) {
        let sample = sensible(sample);
        let mut guard = self.locked();
        let State { agents, due } = &mut *guard;
        let meter = agents.entry(agent).or_insert_with(|| Meter {
            latest_ms: i64::MIN,
            latest: sample,
            open: BTreeMap::new(),
        });
        if now_ms.saturating_sub(meter.latest_ms) < LEAST_PAUSE_MS {
            return;
        }
        (meter.latest_ms, meter.latest) = (now_ms, sample);
        for step in Step::ALL {
            if step == Step::Watched && !watched {
                due.extend(meter.open.remove(&step).map(|open| (agent, step, open.point())));
                continue;
            }
            let at = step.start(now_ms.div_euclid(1000));
            let ended = meter.open.get(&step).filter(|open| open.at != at).copied();
            if let Some(open) = ended {
                meter.open.remove(&step);
                due.push((agent, step, open.point()));
            }
            let open = meter.open.entry(step).or_insert(Open { at, weight: 0, sum: [0.0; Sample::NUMBERS] });
            open.weight = open.weight.saturating_add(1);
            for (sum, number) in open.sum.iter_mut().zip(sample.numbers()) {
                *sum += number;
            }
        }
        let over = due.len().saturating_sub(MAX_DUE);
        due.drain(..over);
    }

    /// The last sample of an agent, and when it came, in milliseconds since 1970.
    pub fn latest(&self, agent: AgentId) -> Option<(i64, Sample)> {
        self.locked().agents.get(&agent).map(|meter| (meter.latest_ms, meter.latest))
    }

    /// The points of an agent's series that are not written down yet, the one whose step is not over among them.
    pub fn unwritten(&self, agent: AgentId, step: Step) -> Vec<Point> {
        let state = self.locked();
        let due = state.due.iter().filter(|due| due.0 == agent && due.1 == step).map(|due| due.2);
        let open = state.agents.get(&agent).and_then(|meter| meter.open.get(&step)).map(Open::point);
        due.chain(open).collect()
    }

    /// Takes out what is to be written down. With `all`, also those points whose steps are not over.
    pub fn due(&self, all: bool, now_ms: i64) -> Vec<Due> {
        let mut guard = self.locked();
        let State { agents, due } = &mut *guard;
        agents.retain(|&agent, meter| {
            let stays = !all && now_ms.saturating_sub(meter.latest_ms) < SILENT_MS;
            if !stays {
                due.extend(meter.open.iter().map(|(&step, open)| (agent, step, open.point())));
            }
            stays
        });
        std::mem::take(due)
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, points: Vec<Due>) {
        let mut state = self.locked();
        let newer = std::mem::replace(&mut state.due, points);
        state.due.extend(newer);
        let over = state.due.len().saturating_sub(MAX_DUE);
        state.due.drain(..over);
    }

    /// A poisoned lock only means that some task panicked between two of these short changes.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sensible(sample: Sample) -> Sample {
    let number = |number: f64| if number.is_finite() { number.clamp(0.0, MAX_NUMBER) } else { 0.0 };
    Sample::of_numbers(sample.numbers().map(number))
}

/// Points in the order of their times, those of one time as one.
pub fn merged(points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let mut by_time: BTreeMap<i64, Open> = BTreeMap::new();
    for point in points {
        let open =
            by_time.entry(point.at).or_insert(Open { at: point.at, weight: 0, sum: [0.0; Sample::NUMBERS] });
        open.weight = open.weight.saturating_add(point.weight);
        for (sum, number) in open.sum.iter_mut().zip(point.sample.numbers()) {
            *sum += number * f64::from(point.weight);
        }
    }
    by_time.values().map(Open::point).collect()
}

#[cfg(test)]
mod tests;
