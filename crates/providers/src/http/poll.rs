//! Looks after work that goes on at the far side, until it has come to its end.
//!
//! The far side says how long to wait before the next look, or waits double from a twentieth of a second to five.

use std::{future::Future, time::Duration};

use crate::error::Result;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a look showed.
#[derive(Debug)]
pub(crate) enum Look<T> {
    /// The work is done, and this came of it.
    Done(T),
    /// It goes on. The far side asked to wait this long before the next look, if it did.
    NotYet(Option<Duration>),
}

/// Looks until the work is done; `None` when it is not after all the waits that fit into `patience`. The first look is
/// at once.
pub(crate) async fn poll<T, F>(patience: Duration, mut look: impl FnMut() -> F) -> Result<Option<T>>
where
    F: Future<Output = Result<Look<T>>>,
{
    let (mut own, mut waited) = (FIRST_WAIT, Duration::ZERO);
    loop {
        let wait = match look().await? {
            Look::Done(outcome) => return Ok(Some(outcome)),
            Look::NotYet(asked) => asked.map_or(own, |asked| asked.max(FIRST_WAIT)),
        };
        waited += wait;
        if waited > patience {
            return Ok(None);
        }
        tokio::time::sleep(wait).await;
        own = (own * 2).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::{Look, poll};
    use crate::{Error, ErrorKind};

    #[tokio::test]
    async fn it_looks_until_the_end_or_for_as_long_as_there_is_patience() {
        let looks = Cell::new(0);
        let third = || async {
            looks.set(looks.get() + 1);
            Ok(if looks.get() == 3 { Look::Done("done") } else { Look::NotYet(Some(Duration::ZERO)) })
        };
        assert_eq!(poll(Duration::from_secs(60), third).await.unwrap(), Some("done"));
        assert_eq!(looks.get(), 3);

        looks.set(0);
        let never = || async {
            looks.set(looks.get() + 1);
            Ok(Look::<()>::NotYet(Some(Duration::from_secs(60))))
        };
        assert_eq!(poll(Duration::from_secs(59), never).await.unwrap(), None);
        assert_eq!(looks.get(), 1, "nobody waits longer than there is patience");

        let fails = || async { Err::<Look<()>, _>(Error::new(ErrorKind::Failed, "no")) };
        assert_eq!(poll(Duration::ZERO, fails).await.unwrap_err().kind(), ErrorKind::Failed);
    }
}
