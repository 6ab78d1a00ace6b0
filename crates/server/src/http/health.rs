//! What is asked without credentials: is the server alive, what is its API, and the page (a note, until there is one).

use std::sync::Arc;

use axum::{Json, Router, response::Html, routing::get};

use crate::app::App;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/openapi.json", get(|| async { Json(roadstead_api::openapi::document()) }))
        .route("/", get(|| async { Html(NOTE) }))
}

const NOTE: &str = "<!doctype html><meta charset=utf-8><title>Roadstead</title><h1>Roadstead is running</h1>\
<p>This build has no web page. Use the <code>roadstead</code> command line (<code>roadstead --help</code>), or the \
API: <a href=/api/openapi.json>openapi.json</a>.\n";
