//! What all work in several threads shares: how many there are, and the way to what they hold in common.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// As many threads as asked for; one for each processor when 0.
pub(crate) fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { thread::available_parallelism().map_or(2, usize::from) }
}

/// The guard of a mutex; what a panicking thread left behind is still consistent in all our uses.
pub(crate) fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands what `work` makes of each item to `take`, in their order; so many of them are worked on at a time, each in a
/// thread of its own.
pub(crate) fn in_turn<T: Sync, R: Send, E>(
    items: &[T],
    at_a_time: usize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(&T, R) -> Result<(), E>,
) -> Result<(), E> {
    if let [item] = items {
        return take(item, work(item));
    }
    thread::scope(|scope| {
        let (mut to_do, mut begun, work) = (items.iter(), VecDeque::new(), &work);
        loop {
            let room = at_a_time.max(1) - begun.len();
            begun.extend(to_do.by_ref().take(room).map(|item| (item, scope.spawn(move || work(item)))));
            let Some((item, worker)) = begun.pop_front() else { return Ok(()) };
            take(item, worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))?;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[test]
    fn results_come_in_order_and_no_more_are_begun_than_asked_for() {
        for (count, at_a_time) in [(0, 2), (1, 2), (7, 0), (20, 3), (3, 20)] {
            let items: Vec<usize> = (0..count).collect();
            let (begun, mut taken) = (AtomicUsize::new(0), Vec::new());
            let work = |item: &usize| {
                begun.fetch_add(1, SeqCst);
                *item
            };
            in_turn(&items, at_a_time, work, |_, item| {
                taken.push(item);
                assert!(begun.load(SeqCst) < taken.len() + at_a_time.max(1));
                Ok::<_, ()>(())
            })
            .unwrap();
            assert_eq!(taken, items);
        }
    }

    #[test]
    fn the_first_that_is_not_taken_ends_it() {
        let items: Vec<usize> = (0..100).collect();
        let begun = AtomicUsize::new(0);
        let outcome = in_turn(
            &items,
            4,
            |_| begun.fetch_add(1, SeqCst),
            |item, _| if *item == 5 { Err(5) } else { Ok(()) },
        );
        assert_eq!(outcome, Err(5));
        assert!(begun.into_inner() <= 9);
    }
}
