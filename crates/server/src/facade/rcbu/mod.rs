//! Rackspace Cloud Backup, version 1.0 of its API, for the client libraries that were published for it.
//!
//! Everything lies below `/v1.0`, with or without the tenant in front, with or without a slash at the end. Two things
//! its names hide: a RestoreId is our restore configuration, whose state and report are those of its latest run; and a
//! configuration is replaced as a whole, but what a client leaves out stays, since not all clients send all.
//!
//! Source: the service's public documentation, and what its published clients send and read.

mod activity;
mod agent;
mod agent_configuration;
mod agent_log;
mod answer;
mod backup;
mod call;
mod configuration;
mod identity;
mod paths;
mod restore;
mod schedule;
mod state;
mod value;
mod zones;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    response::Response,
    routing::{any, get, post},
};

use self::{
    answer::{Answer, fault},
    call::Call,
};
use crate::{Error, Result, app::App};

/// The routes of the facade.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v2.0/tokens", post(identity::tokens))
        .route("/v2.0/tokens/", post(identity::tokens))
        .route("/v2.0/users", get(identity::users))
        .route("/v1.0", get(identity::legacy))
        .route("/v1.0/", get(identity::legacy))
        .route("/v1.0/{*rest}", any(operation))
}

async fn operation(State(app): State<Arc<App>>, Path(rest): Path<String>, request: Request) -> Response {
    match answered(app, &rest, request).await {
        Ok(answer) => answer.into_response(),
        Err(error) => fault(&error),
    }
}

async fn answered(app: Arc<App>, path: &str, request: Request) -> Result<Answer> {
    if matches!(path.trim_end_matches('/'), "help/apihealth" | "help/health") {
        return Ok(Answer::Text("ok".to_owned()));
    }
    let call = Call::of(app, path, request).await?;
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    let [noun, rest @ ..] = parts.as_slice() else { return Err(nothing_here()) };
    match *noun {
        "agent" => agent::answer(&call, rest).await,
        "user" => agent::of_user(&call, rest).await,
        "backup-configuration" => configuration::answer(&call, rest).await,
        "backup" => backup::answer(&call, rest).await,
        "restore" => restore::answer(&call, rest).await,
        "activity" | "system" | "cleanup" => activity::answer(&call, noun, rest).await,
        _ => Err(nothing_here()),
    }
}

fn nothing_here() -> Error {
    Error::not_found("This API has no such operation.")
}
