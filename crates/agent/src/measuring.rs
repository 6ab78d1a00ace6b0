//! When to measure: as often as the server asks, and more often for a while when somebody watches there.

use std::time::Duration;

use roadstead_api::metric::Sample;
use tokio::time::Instant;

use crate::meter::Meter;

/// How soon after it was asked for the first sample comes.
const FIRST: Duration = Duration::from_secs(1);
/// Pauses outside of this make no sense, whatever the server says. In seconds.
const PAUSES: std::ops::RangeInclusive<u32> = 1..=3600;

/// A meter with its times.
#[derive(Debug)]
pub(crate) struct Measuring {
    meter: Meter,
    usual: Duration,
    /// The shorter pause, and until when it holds.
    watched: Option<(Duration, Instant)>,
    due: Instant,
}

impl Measuring {
    /// Measures from now on.
    pub fn new(now: Instant) -> Self {
        let usual = Duration::from_secs((*PAUSES.end()).into());
        Self { meter: Meter::new(), usual, watched: None, due: now + FIRST }
    }

    /// Changes how often: for so many seconds, or from now on.
    pub fn change(&mut self, every_seconds: u32, for_seconds: Option<u32>, now: Instant) {
        let pause = Duration::from_secs(every_seconds.clamp(*PAUSES.start(), *PAUSES.end()).into());
        match for_seconds {
            Some(seconds) => {
                let seconds = seconds.min(*PAUSES.end());
                self.watched = Some((pause, now + Duration::from_secs(seconds.into())));
            }
            None => self.usual = pause,
        }
        self.due = self.due.min(now + FIRST);
    }

    /// When the next sample is due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// A sample, if it is due, and whether somebody watches.
    pub fn sample(&mut self, now: Instant) -> Option<(bool, Sample)> {
        if now < self.due {
            return None;
        }
        self.watched.take_if(|(_, until)| now >= *until);
        let pause = self.watched.map_or(self.usual, |(pause, _)| pause.min(self.usual));
        self.due = now + pause;
        Some((self.watched.is_some(), self.meter.read()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_measures_more_often_for_as_long_as_somebody_watches() {
        let mut now = Instant::now();
        let mut measuring = Measuring::new(now);
        measuring.change(60, None, now);
        assert!(measuring.sample(now).is_none());
        now += FIRST;
        assert_eq!(measuring.sample(now).map(|sample| sample.0), Some(false));
        assert_eq!(measuring.due(), now + 60 * SECOND);
        measuring.change(10, Some(15), now);
        now += FIRST;
        assert_eq!(measuring.sample(now).map(|sample| sample.0), Some(true));
        assert_eq!(measuring.due(), now + 10 * SECOND);
        now += 15 * SECOND;
        assert_eq!(measuring.sample(now).map(|sample| sample.0), Some(false), "nobody watches any more");
        assert_eq!(measuring.due(), now + 60 * SECOND);
    }

    #[test]
    fn no_wish_makes_it_measure_without_end() {
        let now = Instant::now();
        let mut measuring = Measuring::new(now);
        measuring.change(0, Some(u32::MAX), now);
        assert!(measuring.sample(now + FIRST).is_some());
        assert!(measuring.due() > now + FIRST);
    }
}
