//! Waiting for something on the server: told by its events where that is possible, else by asking again and again.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use roadstead_api::event::EventQuery;
use tokio::time::timeout;

use crate::{Client, Events, Notice, error::Result};

/// The first wait; short, since most of what is asked for is done soon.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between two questions.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long a server may be away before waiting for it is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it is asked before its events are listened to: what is done by then is not worth a stream.
const BEFORE_EVENTS: Duration = Duration::from_millis(300);
/// How long a stream may take to be opened.
const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// How long nothing may be told before the server is asked all the same.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// Asks until an answer is the one wanted. Failures that pass are waited out for a minute.
pub(crate) async fn until<T, F>(mut ask: impl FnMut() -> F, mut done: impl FnMut(&T) -> bool) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut asking = Asking::default();
    loop {
        if let Some(answer) = asking.take(ask().await, &mut done)? {
            return Ok(answer);
        }
        asking.pause().await;
    }
}

/// The same for a thing of which the server tells when it changes. Where its events cannot be had, it is asked again and
/// again.
pub(crate) async fn told<T, F>(
    client: &Client,
    noun: &str,
    id: impl Display,
    mut ask: impl FnMut() -> F,
    mut done: impl FnMut(&T) -> bool,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let (begun, id) = (Instant::now(), id.to_string());
    let (mut asking, mut listened, mut events) = (Asking::default(), false, None);
    loop {
        if let Some(answer) = asking.take(ask().await, &mut done)? {
            return Ok(answer);
        }
        if !listened && begun.elapsed() >= BEFORE_EVENTS {
            listened = true;
            events = open(client, noun).await;
            // What changed before the stream was open is in the next answer.
            continue;
        }
        match &mut events {
            None => asking.pause().await,
            Some(stream) => {
                if let Ok(Err(_)) = timeout(LONGEST_SILENCE, change(stream, &id)).await {
                    events = None;
                }
            }
        }
    }
}

async fn open(client: &Client, noun: &str) -> Option<Events> {
    let query = EventQuery { noun: Some(noun.to_owned()) };
    timeout(OPEN_WITHIN, client.find_events(query)).await.ok()?.ok()
}

/// Returns when the thing may be another than before.
async fn change(events: &mut Events, id: &str) -> Result<()> {
    loop {
        match events.next().await? {
            Notice::Changed(event) if event.id != id => {}
            Notice::Changed(_) | Notice::Resync => return Ok(()),
        }
    }
}

/// One who asks, with more and more patience, and for how long nobody has answered.
struct Asking {
    wait: Duration,
    answered: Instant,
}

impl Default for Asking {
    fn default() -> Self {
        Self { wait: FIRST_WAIT, answered: Instant::now() }
    }
}

impl Asking {
    /// The answer, if it is the one wanted.
    fn take<T>(&mut self, answer: Result<T>, done: &mut impl FnMut(&T) -> bool) -> Result<Option<T>> {
        match answer {
            Ok(answer) if done(&answer) => return Ok(Some(answer)),
            Ok(_) => self.answered = Instant::now(),
            Err(error) if error.is_temporary() && self.answered.elapsed() < PATIENCE => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn pause(&mut self) {
        tokio::time::sleep(self.wait).await;
        self.wait = (self.wait * 3 / 2).min(LONGEST_WAIT);
    }
}
