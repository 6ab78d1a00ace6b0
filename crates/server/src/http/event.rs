//! The event stream, as server-sent events. It does not end by itself, so its route is made by hand.

use std::{convert::Infallible, fmt::Write, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderName,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use roadstead_api::{
    BASE_PATH,
    event::{Event, EventQuery, PATH, READY, RESYNC},
};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    presented,
    problem::problem_response,
    routes::{caller, query},
};
use crate::{
    Error, Result,
    app::App,
    events::Batch,
    ops::event::{self, EventStream, Next},
};

/// How often something is sent, be it a comment, so that no proxy takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the caller's rights are looked at again, in heartbeats; they are also when users or keys change.
const LOOK_AGAIN: u32 = 4;
/// The place that a reader comes back with.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies are to pass on each event as it comes.
const NO_BUFFER: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The route of the event stream.
pub fn stream_route() -> Router<Arc<App>> {
    Router::new().route(&format!("{BASE_PATH}{PATH}"), get(stream))
}

async fn stream(State(app): State<Arc<App>>, request: Request) -> Response {
    open(app, request).await.unwrap_or_else(|error| problem_response(&error, None))
}

async fn open(app: Arc<App>, request: Request) -> Result<Response> {
    let presented =
        presented::by_anyone(request.method(), request.headers(), request.extensions(), &app.public_url)?;
    let context = caller(app.clone(), &request).await?;
    let (mut parts, _) = request.into_parts();
    let asked: EventQuery = query(&mut parts).await?;
    let last = parts.headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or_default());
    let events = event::open(context, presented, &asked, last)?;
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.reset();
    let sending = Sending { app, events, beat, beats: 0, begun: false };
    let pieces = futures_util::stream::unfold(sending, |mut sending| async move {
        let piece = sending.piece().await?;
        Some((Ok::<_, Infallible>(piece), sending))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), NO_BUFFER];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

struct Sending {
    app: Arc<App>,
    events: EventStream,
    beat: Interval,
    beats: u32,
    begun: bool,
}

impl Sending {
    /// The next piece of the stream; `None` at its end.
    async fn piece(&mut self) -> Option<String> {
        if !self.begun {
            self.begun = true;
            return Some(self.first());
        }
        let app = self.app.clone();
        loop {
            let piece = tokio::select! {
                () = app.ending() => return None,
                came = self.events.wait() => self.told(came).await,
                _ = self.beat.tick() => self.heartbeat().await,
            };
            match piece {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Some(piece),
                // Whoever may still listen comes back, and is told then why not.
                Err(error) => {
                    tracing::debug!(error = error.chain(), "an event stream ends");
                    return None;
                }
            }
        }
    }

    fn first(&mut self) -> String {
        let name = if self.events.has_missed() { RESYNC } else { READY };
        message(&self.events.place(), name, "{}")
    }

    async fn told(&mut self, came: Batch) -> Result<String> {
        let events = match self.events.next(came).await? {
            Next::Missed => return Ok(message(&self.events.place(), RESYNC, "{}")),
            Next::Events(events) => events,
        };
        let mut text = String::new();
        for (place, event) in events {
            text.push_str(&changed(&place, &event)?);
        }
        Ok(text)
    }

    async fn heartbeat(&mut self) -> Result<String> {
        self.beats += 1;
        if self.beats.is_multiple_of(LOOK_AGAIN) {
            self.events.look_again().await?;
        }
        Ok(":\n\n".to_owned())
    }
}

fn changed(place: &str, event: &Event) -> Result<String> {
    let data = serde_json::to_string(event);
    let data = data.map_err(|e| Error::internal("An event could not be written as JSON.").caused_by(e))?;
    Ok(message(place, &event.message(), &data))
}

/// One message. JSON on one line has no line break, and neither have names and places.
fn message(place: &str, name: &str, data: &str) -> String {
    let mut text = String::with_capacity(place.len() + name.len() + data.len() + 24);
    // Writing to a string does not fail.
    let _ = write!(text, "id: {place}\nevent: {name}\ndata: {data}\n\n");
    text
}
