//! Routes of files of a backup. A file's content, and an archive, are streams, so their routes are made by hand.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    response::{IntoResponse, Response},
    routing::get,
};
use roadstead_api::{
    BASE_PATH,
    file::{ArchiveForm, FileDiff, FileFind, FileList},
    id::BackupId,
};
use serde::Deserialize;

use super::{
    problem::problem_response,
    routes::{Call, Routes, caller, query},
};
use crate::{Error, Result, app::App, ops::file, worker::Content};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(
            |context, call: Call<FileList>| async move { file::list(&context, call.path, call.query).await },
        )
        .user(
            |context, call: Call<FileFind>| async move { file::find(&context, &call.path, call.query).await },
        )
        .user(
            |context, call: Call<FileDiff>| async move { file::diff(&context, call.path, call.query).await },
        )
}

/// The routes of a file's content, and of an archive.
pub fn content_route() -> Router<Arc<App>> {
    Router::new()
        .route(&format!("{BASE_PATH}/backups/{{id}}/content"), get(content))
        .route(&format!("{BASE_PATH}/backups/{{id}}/archive"), get(archive))
}

#[derive(Deserialize)]
struct ArchiveQuery {
    path: String,
    #[serde(default)]
    format: ArchiveForm,
}

async fn archive(State(app): State<Arc<App>>, Path(id): Path<i64>, request: Request) -> Response {
    open_archive(app, BackupId(id), request).await.unwrap_or_else(|error| problem_response(&error, None))
}

async fn open_archive(app: Arc<App>, id: BackupId, request: Request) -> Result<Response> {
    let context = caller(app, &request).await?;
    let ArchiveQuery { path, format } = query(&mut request.into_parts().0).await?;
    let name = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("backup").to_owned();
    let content = file::archive(&context, id, path, format).await?;
    Ok(attached(&format!("{name}.{}", format.as_str()), content))
}

#[derive(Deserialize)]
struct ContentQuery {
    path: String,
}

async fn content(State(app): State<Arc<App>>, Path(id): Path<i64>, request: Request) -> Response {
    open(app, BackupId(id), request).await.unwrap_or_else(|error| problem_response(&error, None))
}

async fn open(app: Arc<App>, id: BackupId, request: Request) -> Result<Response> {
    let context = caller(app, &request).await?;
    let path = query::<ContentQuery>(&mut request.into_parts().0).await?.path;
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let content = file::content(&context, id, path).await?;
    Ok(attached(&name, content))
}

fn attached(name: &str, content: Content) -> Response {
    // Whatever the file holds, no browser is to take it for a page of ours.
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, attachment(name)),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
    ];
    (headers, stream(content)).into_response()
}

/// An RFC 6266 header value; the name is percent-encoded as RFC 8187 has it.
fn attachment(name: &str) -> String {
    let mut encoded = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn stream(content: Content) -> Body {
    let chunks = futures_util::stream::try_unfold(content, |mut content| async move {
        Ok::<_, Error>(content.next().await?.map(|chunk| (chunk, content)))
    });
    Body::from_stream(chunks)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_break_out_of_the_header() {
        assert_eq!(super::attachment("a b\"\r\n☂"), "attachment; filename*=UTF-8''a%20b%22%0D%0A%E2%98%82");
    }
}
