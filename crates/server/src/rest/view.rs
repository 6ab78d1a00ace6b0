//! restic's REST protocol over a view (see `ops::view`): reading, and locks that nobody keeps.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{
        HeaderMap, Method, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE},
    },
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use roadstead_api::id::RestoreId;
use roadstead_vault::store::{FileKind, Name};
use tokio::sync::OnceCell;

use super::{LIST_V2, Listed, download::range, empty, not_allowed};
use crate::{
    Error, Result,
    app::App,
    auth::Actor,
    ops::view,
    worker::{MAX_READ, Shown},
};

/// How long a lock may be, in bytes: it is read and forgotten.
const MAX_LOCK: usize = 64 << 10;

/// A view that the caller may see.
pub struct Door(Arc<OnceCell<Shown>>);

/// Lets the agent in that carries out the restore.
pub async fn enter(app: &App, actor: &Actor, restore: RestoreId) -> Result<Door> {
    view::access(app, actor, restore).await.map(Door)
}

impl Door {
    fn shown(&self) -> Result<&Shown> {
        self.0.get().ok_or_else(|| Error::internal("A view was not opened."))
    }

    /// Lists the files of a kind.
    pub async fn list(self, kind: FileKind) -> Result<Response> {
        let files = finished(async move { self.shown()?.list(kind).await }).await?;
        let files: Vec<_> = files.into_iter().map(|(name, size)| Listed { name, size }).collect();
        Ok(([(CONTENT_TYPE, LIST_V2)], Json(files)).into_response())
    }

    /// One file.
    pub async fn file(self, kind: FileKind, name: Name, request: Request) -> Result<Response> {
        let method = request.method().clone();
        match (&method, kind) {
            (&Method::POST, FileKind::Lock) => {
                // Passed over to its end, so that the answer is seen.
                let mut body = request.into_body().into_data_stream();
                let mut length = 0;
                while let Some(Ok(part)) = body.next().await {
                    length += part.len();
                    if length > MAX_LOCK {
                        return Err(Error::invalid("A lock is not so long."));
                    }
                }
                Ok(empty(StatusCode::OK))
            }
            (&Method::DELETE, FileKind::Lock) => Ok(empty(StatusCode::OK)),
            (&Method::GET | &Method::HEAD, _) => {
                self.send(kind, name, method == Method::HEAD, request.headers().clone()).await
            }
            (&Method::POST | &Method::DELETE, _) => Err(Error::forbidden("A view is for reading.")),
            _ => Err(not_allowed()),
        }
    }

    async fn send(self, kind: FileKind, name: Name, only_length: bool, asked: HeaderMap) -> Result<Response> {
        let door = Arc::new(self);
        let sized = door.clone();
        let length = finished(async move { sized.shown()?.size(kind, &name).await }).await?;
        let Some((start, end)) = range(&asked, length) else {
            let headers = [(CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        };
        let partial = asked.contains_key(RANGE);
        let body = if only_length { Body::empty() } else { stream(door, kind, name, (start, end)) };
        let status = if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let headers = [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_LENGTH, (end - start).to_string()),
            (ACCEPT_RANGES, "bytes".to_owned()),
        ];
        let mut response = (status, headers, body).into_response();
        if partial {
            let value = format!("bytes {start}-{}/{length}", end.saturating_sub(1));
            let value =
                value.parse().map_err(|e| Error::internal("A range has no header form.").caused_by(e));
            response.headers_mut().insert(CONTENT_RANGE, value?);
        }
        Ok(response)
    }
}

fn stream(door: Arc<Door>, kind: FileKind, name: Name, (start, end): (u64, u64)) -> Body {
    let parts = futures_util::stream::try_unfold(start, move |at| {
        let door = door.clone();
        async move {
            if at >= end {
                return Ok::<_, Error>(None);
            }
            let length = MAX_READ.min(end - at);
            let part = finished(async move { door.shown()?.read(kind, &name, at, length).await }).await?;
            Ok(Some((part, at + length)))
        }
    });
    Body::from_stream(parts)
}

/// Carries a question to a view through, also when whoever asked is gone by then.
async fn finished<T: Send + 'static>(asked: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(asked).await?
}
