//! How long to wait before the server is tried again.
//!
//! Full jitter: any time up to a bound that doubles with each failure, so that a thousand agents whose server
//! restarts do not all come back in the same moment.

use std::time::Duration;

/// The bounds of the waits between two tries to reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The bound of the first wait; it doubles from there.
    pub first: Duration,
    /// The bound that it never passes.
    pub cap: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), cap: Duration::from_secs(30) }
    }
}

/// A link that ends sooner has not shown that it is any good.
const STEADY: Duration = Duration::from_secs(5);

/// The waits since the link last stood.
#[derive(Debug)]
pub(crate) struct Backoff {
    limits: Reconnect,
    bound: Duration,
    brief: bool,
}

impl Backoff {
    pub fn new(limits: Reconnect) -> Self {
        Self { limits, bound: limits.first, brief: false }
    }

    /// The link stood for this long: the next failure is a first one. Not so when one brief link follows another: a
    /// server that breaks on something this agent says each time shall not be asked twice a second for ever.
    pub fn stood(&mut self, time: Duration) {
        let brief = time < STEADY;
        if !(brief && self.brief) {
            self.bound = self.limits.first;
        }
        self.brief = brief;
    }

    /// How long to wait after a failure that may pass soon.
    pub fn soon(&mut self) -> Duration {
        let bound = self.bound.min(self.limits.cap);
        self.bound = bound.saturating_mul(2);
        bound.mul_f64(random_share())
    }

    /// How long to wait after a failure that takes a person to mend: at least half the cap.
    pub fn later(&mut self) -> Duration {
        self.limits.cap.mul_f64(0.5 + random_share() / 2.0)
    }
}

/// A random number from 0 to 1. Without randomness the whole wait is taken: jitter is a courtesy, not a need.
fn random_share() -> f64 {
    getrandom::u32().map_or(1.0, |n| f64::from(n) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Reconnect};

    const LIMITS: Reconnect = Reconnect { first: Duration::from_millis(10), cap: Duration::from_millis(80) };

    #[test]
    fn waits_grow_to_the_cap() {
        let mut backoff = Backoff::new(LIMITS);
        for bound in [10, 20, 40, 80, 80, 80] {
            assert!(backoff.soon() <= Duration::from_millis(bound));
        }
        assert_eq!(backoff.bound, LIMITS.cap * 2);
        for _ in 0..100 {
            let later = backoff.later();
            assert!(later >= LIMITS.cap / 2 && later <= LIMITS.cap);
        }
    }

    #[test]
    fn a_link_that_stood_starts_them_anew_and_a_row_of_brief_ones_does_not() {
        let mut backoff = Backoff::new(LIMITS);
        for (stood, bound) in [(9, 10), (0, 10), (0, 20), (0, 40), (9, 10), (9, 10), (0, 10), (0, 20)] {
            backoff.stood(Duration::from_secs(stood));
            assert_eq!(backoff.bound, Duration::from_millis(bound));
            backoff.soon();
        }
    }
}
