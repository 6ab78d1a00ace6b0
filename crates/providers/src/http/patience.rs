//! How long to wait before a call is made again, and when to give up.
//!
//! What the far side asks for is kept. Otherwise waits double from a fifth of a second, each cut short by chance, so
//! that callers who failed together do not come back together.

use std::time::Duration;

use super::{call::Repeat, failure::Failure};
use crate::error::ErrorKind;

/// Attempts at one call, the first included.
const MAX_ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Who is asked to wait longer than this tells it to the caller instead.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The wait before the next attempt; `None` when there is none. `failed` attempts were made so far.
pub(super) fn wait(repeat: Repeat, failure: &Failure, failed: u32) -> Option<Duration> {
    let refused = failure.error.kind() == ErrorKind::RateLimited;
    let allowed = match repeat {
        Repeat::Always => failure.may_help,
        Repeat::Refused => refused,
        Repeat::Never => false,
    };
    if !allowed || failed >= MAX_ATTEMPTS {
        return None;
    }
    let own = jittered(FIRST_WAIT * 2_u32.pow(failed.saturating_sub(1)));
    // What was asked for is the least, and nobody comes back in the very same moment.
    let wait = failure.error.retry_after().map_or(own, |asked| asked + own / 4);
    (wait <= LONGEST_WAIT).then_some(wait)
}

/// A wait of half to all of this.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [0];
    // Without chance all wait the full time.
    let share = getrandom::fill(&mut byte).map_or(255, |()| u32::from(byte[0]));
    wait / 2 + wait / 2 * share / 255
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FIRST_WAIT, LONGEST_WAIT, wait};
    use crate::{
        Error, ErrorKind,
        http::{call::Repeat, failure::Failure},
    };

    fn refusal(retry_after: Option<u64>) -> Failure {
        let error = Error::rate_limited("busy", retry_after.map(Duration::from_secs));
        Failure { error, may_help: true, told: None }
    }

    #[test]
    fn waits_grow_by_chance_and_keep_what_was_asked_for() {
        for failed in 1..5 {
            let full = FIRST_WAIT * 2_u32.pow(failed - 1);
            let chosen = wait(Repeat::Always, &refusal(None), failed).unwrap();
            assert!(chosen >= full / 2 && chosen <= full, "{failed}: {chosen:?}");
        }
        assert!(wait(Repeat::Always, &refusal(None), 5).is_none());
        assert!(wait(Repeat::Refused, &refusal(Some(7)), 1).unwrap() >= Duration::from_secs(7));
        assert!(wait(Repeat::Refused, &refusal(Some(LONGEST_WAIT.as_secs() + 1)), 1).is_none());
    }

    #[test]
    fn only_what_is_safe_is_repeated() {
        let broke =
            || Failure { error: Error::new(ErrorKind::Unreachable, "broke"), may_help: true, told: None };
        assert!(wait(Repeat::Always, &broke(), 1).is_some());
        assert!(wait(Repeat::Refused, &broke(), 1).is_none());
        assert!(
            wait(Repeat::Never, &broke(), 1).is_none() && wait(Repeat::Never, &refusal(None), 1).is_none()
        );
        let useless = Failure { error: Error::new(ErrorKind::NotFound, "no"), may_help: false, told: None };
        assert!(wait(Repeat::Always, &useless, 1).is_none());
    }
}
