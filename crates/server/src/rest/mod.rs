//! restic's REST protocol, version 2 (the README of rest-server and restic's `doc/REST_backend.rst` are its
//! description), under `/vaults/ID/`. What may be done is decided in `ops::vault_file`.

mod download;
mod upload;
mod view;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{
        Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use roadstead_api::id::VaultId;
use roadstead_vault::store::{FileKind, Name};
use serde::Serialize;

use crate::{
    Error, ErrorKind, Result,
    app::App,
    auth::Presented,
    http::{by_program, problem_response},
    ops::{
        vault_file::{self, Access},
        view::restore_of,
    },
};

const LIST_V1: &str = "application/vnd.x.restic.rest.v1";
const LIST_V2: &str = "application/vnd.x.restic.rest.v2";

/// The routes of the vaults.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/vaults/{id}", any(vault))
        .route("/vaults/{id}/", any(vault))
        .route("/vaults/{id}/{kind}", any(config))
        .route("/vaults/{id}/{kind}/", any(folder))
        .route("/vaults/{id}/{kind}/{name}", any(file))
}

fn answered(result: Result<Response>) -> Response {
    result.unwrap_or_else(|error| {
        let mut response = problem_response(&error, None);
        if error.kind == ErrorKind::Unauthorized {
            let basic = axum::http::HeaderValue::from_static("Basic realm=\"roadstead vault\"");
            response.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, basic);
        }
        response
    })
}

async fn enter(app: &App, presented: &Presented, id: String) -> Result<Access> {
    let actor = app.authenticate(presented).await?;
    vault_file::access(app, &actor, &VaultId(id)).await
}

fn not_allowed() -> Error {
    Error::new(ErrorKind::MethodNotAllowed, "restic's REST protocol knows no such request.")
}

/// `POST ?create=true` makes a repository elsewhere; here it is there already, or nothing is.
async fn vault(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    answered(
        match (enter(&app, &by_program(request.headers(), request.extensions()), id).await, request.method())
        {
            (Err(error), _) => Err(error),
            (Ok(_), &Method::POST) => Ok(StatusCode::OK.into_response()),
            (Ok(_), &Method::DELETE) => Err(Error::forbidden("Vaults are not deleted through this door.")),
            (Ok(_), _) => Err(not_allowed()),
        },
    )
}

async fn config(
    State(app): State<Arc<App>>,
    Path((id, kind)): Path<(String, String)>,
    request: Request,
) -> Response {
    let result = async move {
        if kind != FileKind::Config.dir() {
            return Err(Error::not_found(format!("A vault has no file {kind:.100?}.")));
        }
        let presented = by_program(request.headers(), request.extensions());
        if let Some(restore) = restore_of(&id) {
            let door = view::enter(&app, &app.authenticate(&presented).await?, restore).await?;
            return door.file(FileKind::Config, Name::CONFIG, request).await;
        }
        let access = enter(&app, &presented, id).await?;
        one_file(&app, access, FileKind::Config, Name::CONFIG, request).await
    };
    answered(result.await)
}

async fn folder(
    State(app): State<Arc<App>>,
    Path((id, kind)): Path<(String, String)>,
    request: Request,
) -> Response {
    let result = async move {
        let presented = by_program(request.headers(), request.extensions());
        let is_get = request.method() == Method::GET;
        if let Some(restore) = restore_of(&id).filter(|_| is_get) {
            let door = view::enter(&app, &app.authenticate(&presented).await?, restore).await?;
            return door.list(folder_kind(&kind)?).await;
        }
        let access = enter(&app, &presented, id).await?;
        let kind = folder_kind(&kind)?;
        if request.method() != Method::GET {
            return Err(not_allowed());
        }
        let with_sizes = request.headers().get(ACCEPT).is_some_and(|media| media == LIST_V2);
        list(access, kind, with_sizes).await
    };
    answered(result.await)
}

async fn file(
    State(app): State<Arc<App>>,
    Path((id, kind, name)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let result = async move {
        let presented = by_program(request.headers(), request.extensions());
        let view = match restore_of(&id) {
            Some(restore) => Some(view::enter(&app, &app.authenticate(&presented).await?, restore).await?),
            None => None,
        };
        let kind = folder_kind(&kind)?;
        let name = name.parse().map_err(|_| Error::invalid("A file's name is 64 hexadecimal digits."))?;
        match view {
            Some(door) => door.file(kind, name, request).await,
            None => one_file(&app, enter(&app, &presented, id).await?, kind, name, request).await,
        }
    };
    answered(result.await)
}

fn folder_kind(word: &str) -> Result<FileKind> {
    let kind = FileKind::FOLDERS.into_iter().find(|kind| kind.dir() == word);
    kind.ok_or_else(|| Error::not_found(format!("A vault has no folder {word:.100?}.")))
}

async fn one_file(
    app: &App,
    access: Access,
    kind: FileKind,
    name: Name,
    request: Request,
) -> Result<Response> {
    match *request.method() {
        Method::GET | Method::HEAD => download::send(access.store, kind, name, request).await,
        Method::POST => upload::receive(app, &access, kind, name, request.into_body()).await,
        Method::DELETE => {
            vault_file::remove(app, access, kind, name).await?;
            Ok(StatusCode::OK.into_response())
        }
        _ => Err(not_allowed()),
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    size: u64,
}

async fn list(access: Access, kind: FileKind, with_sizes: bool) -> Result<Response> {
    let files = tokio::task::spawn_blocking(move || access.store.list(kind)).await??;
    if with_sizes {
        let files: Vec<_> =
            files.iter().map(|(name, size)| Listed { name: name.to_string(), size: *size }).collect();
        return Ok(([(CONTENT_TYPE, LIST_V2)], Json(files)).into_response());
    }
    let names: Vec<_> = files.iter().map(|(name, _)| name.to_string()).collect();
    Ok(([(CONTENT_TYPE, LIST_V1)], Json(names)).into_response())
}

/// A response without a body.
fn empty(status: StatusCode) -> Response {
    (status, Body::empty()).into_response()
}
