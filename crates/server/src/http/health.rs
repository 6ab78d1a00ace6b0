//! What machines and browsers ask beside the API: is the server alive and ready, its metrics (with an API key), its
//! OpenAPI document, and the page (a note, until there is one).

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::{problem::problem_response, routes::caller};
use crate::{Error, ErrorKind, app::App, ops::metrics};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(show_metrics))
        .route("/api/openapi.json", get(|| async { Json(roadstead_api::openapi::document()) }))
        .route("/", get(root))
}

/// Browsers get the page; others what the service of the RCBU facade said here: which versions there are.
async fn root(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        return Html(NOTE).into_response();
    }
    let url = format!("{}/v1.0", app.public_url);
    let version = json!({ "id": "v1.0", "status": "CURRENT", "links": [{ "rel": "self", "href": url }] });
    Json(json!({ "versions": [version] })).into_response()
}

/// Ready is who can read and write its database.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let checked = async {
        app.db.read().await?;
        app.db.write().await?.commit().await
    };
    checked
        .await
        .map_or_else(|error: Error| problem_response(&unavailable(error), None), |()| "ok\n".into_response())
}

fn unavailable(error: Error) -> Error {
    Error::new(ErrorKind::Unavailable, "The server cannot reach its database.").caused_by(error)
}

async fn show_metrics(State(app): State<Arc<App>>, request: Request) -> Response {
    let shown = async move { metrics::show(&caller(app, &request).await?).await };
    shown.await.map_or_else(
        |error| problem_response(&error, None),
        |text| ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
    )
}

const NOTE: &str = "<!doctype html><meta charset=utf-8><title>Roadstead</title><h1>Roadstead is running</h1>\
<p>This build has no web page. Use the <code>roadstead</code> command line (<code>roadstead --help</code>), or the \
API: <a href=/api/openapi.json>openapi.json</a>.\n";
