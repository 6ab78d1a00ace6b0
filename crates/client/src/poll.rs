//! Waiting for something on the server, by asking again and again.

use std::time::{Duration, Instant};

use crate::error::Result;

/// The first wait; short, since most of what is asked for is done soon.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between two questions.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long a server may be away before waiting for it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until an answer is the one wanted. Failures that pass are waited out for a minute.
pub(crate) async fn until<T, F>(mut ask: impl FnMut() -> F, mut done: impl FnMut(&T) -> bool) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut wait = FIRST_WAIT;
    let mut answered = Instant::now();
    loop {
        match ask().await {
            Ok(answer) if done(&answer) => return Ok(answer),
            Ok(_) => answered = Instant::now(),
            Err(error) if error.is_temporary() && answered.elapsed() < PATIENCE => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 3 / 2).min(LONGEST_WAIT);
    }
}
