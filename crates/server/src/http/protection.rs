//! Routes of protecting machines, and the program that machines fetch. That is public, as its source is.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::header::{CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    response::{IntoResponse, Response},
    routing::get,
};
use roadstead_api::protection::{
    AgentInstall as Install, MachineProtect as Protect, MachineProtectionPlanShow as Plan,
};
use tokio::{fs::File, io::AsyncReadExt};

use super::{
    problem::problem_response,
    routes::{Call, Routes},
};
use crate::{Result, app::App, ops::protection as ops};

/// How much of the program is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(
            |context, call: Call<Protect>| async move { ops::protect(&context, &call.path, call.body).await },
        )
        .user(|context, call: Call<Plan>| async move { ops::plan(&context, &call.path, &call.body).await })
        .user(|context, call: Call<Install>| async move { ops::install(&context, call.body).await })
}

/// The route of the program.
pub fn program_route() -> Router<Arc<App>> {
    Router::new().route("/download/roadstead", get(program))
}

async fn program(State(app): State<Arc<App>>) -> Response {
    open(&app).await.unwrap_or_else(|error| problem_response(&error, None))
}

async fn open(app: &App) -> Result<Response> {
    let file = File::open(app.agent_program.path()).await?;
    let size = file.metadata().await?.len();
    let pieces = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
    });
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, size.to_string()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}
