//! Front doors for programs that were written for other services: each translates shapes and calls `ops`, no more.

mod mist;
mod rcbu;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The routes of every facade.
pub fn routes() -> Router<Arc<App>> {
    mist::routes().merge(rcbu::routes())
}
