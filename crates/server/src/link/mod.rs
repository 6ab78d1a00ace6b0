//! The agents' links: one WebSocket each, as `roadstead_api::link` describes.

mod session;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    http::{Extensions, HeaderMap},
    response::{IntoResponse, Response},
    routing::get,
};
use roadstead_api::link::{MAX_MESSAGE_BYTES, PATH};

use crate::{
    Error,
    app::App,
    auth::Actor,
    http::{by_program, problem_response},
};

/// How long an agent may be silent before it sends a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Messages are small but for results; what a buffer lacks it grows by. The usual ones would take 256 KiB of each link.
const BUFFER_BYTES: usize = 4 << 10;

/// The route that agents connect to.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route(PATH, get(connect))
}

async fn connect(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: WebSocketUpgrade,
) -> Response {
    match app.authenticate(&by_program(&headers, &extensions)).await {
        Ok(Actor::Agent(id)) => upgrade
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(MAX_MESSAGE_BYTES)
            .max_frame_size(MAX_MESSAGE_BYTES)
            .on_upgrade(move |socket| session::run(app, id, socket))
            .into_response(),
        Ok(Actor::User(_) | Actor::Session(..)) => {
            problem_response(&Error::forbidden("Only agents open links."), None)
        }
        Err(error) => problem_response(&error, None),
    }
}
