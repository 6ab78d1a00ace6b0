//! What machines ask beside the API: is the server alive and ready, its metrics (with an API key), and its OpenAPI
//! document.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{problem::problem_response, routes::caller};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    ops::{fleet, metrics},
};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(show_metrics))
        .route("/metrics/fleet", get(show_fleet))
        .route("/api/openapi.json", get(|| async { Json(roadstead_api::openapi::document()) }))
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
    prometheus(async move { metrics::show(&caller(app, &request).await?).await }).await
}

async fn show_fleet(State(app): State<Arc<App>>, request: Request) -> Response {
    prometheus(async move { fleet::show(&caller(app, &request).await?).await }).await
}

async fn prometheus(shown: impl Future<Output = Result<String>>) -> Response {
    shown.await.map_or_else(
        |error| problem_response(&error, None),
        |text| ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
    )
}
