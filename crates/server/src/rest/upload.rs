//! Uploads: streamed to a temporary file and hashed on the way, never held in memory whole.

use axum::{
    body::{Body, BodyDataStream, HttpBody},
    http::StatusCode,
    response::Response,
};
use bytes::Bytes;
use futures_util::StreamExt;
use roadstead_vault::store::{FileKind, Name, Upload};

use super::empty;
use crate::{
    Error, ErrorKind, Result,
    app::App,
    ops::{
        quota::{self, Room},
        vault_file::{self, Access},
    },
};

/// How large a file may be, in bytes. restic's packs are 16 MiB, and at its largest setting 128.
const MAX_FILE: u64 = 512 << 20;
/// How much is gathered before it is handed to the disk, in bytes.
const BATCH: usize = 1 << 20;

/// Receives a file. The reply comes when it is on disk under its name.
///
/// A body that cannot be stored is still read to its end: clients that are cut off in the middle of sending see a
/// broken connection, and not the reply that says why.
pub async fn receive(app: &App, access: &Access, kind: FileKind, name: Name, body: Body) -> Result<Response> {
    let length = body.size_hint().exact();
    let mut parts = body.into_data_stream();
    let stored = async {
        let room = quota::room(app, access.account, &access.id, kind).await?;
        store(app, &room, vault_file::begin(app, access, kind, length)?, &mut parts).await
    };
    match stored.await {
        Ok((upload, bytes)) => {
            vault_file::finish(app, access, kind, name, upload).await?;
            app.usage.add(&access.id, bytes);
        }
        Err(error) => {
            pass_over(&mut parts).await;
            return Err(error);
        }
    }
    Ok(empty(StatusCode::OK))
}

/// Stores a body, and says how large it was.
async fn store(
    app: &App,
    room: &Room,
    mut upload: Upload,
    parts: &mut BodyDataStream,
) -> Result<(Upload, u64)> {
    let (mut batch, mut gathered, mut received) = (Vec::new(), 0, 0);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|e| Error::invalid("The body broke off.").caused_by(e))?;
        received += part.len() as u64;
        if received > MAX_FILE {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("A file of a vault has up to {MAX_FILE} bytes."),
            ));
        }
        room.check(app, received).await?;
        gathered += part.len();
        batch.push(part);
        if gathered >= BATCH {
            upload = write(upload, std::mem::take(&mut batch)).await?;
            gathered = 0;
        }
    }
    Ok((write(upload, batch).await?, received))
}

async fn pass_over(parts: &mut BodyDataStream) {
    let mut passed = 0;
    while let Some(Ok(part)) = parts.next().await {
        passed += part.len() as u64;
        if passed > MAX_FILE {
            return;
        }
    }
}

async fn write(mut upload: Upload, batch: Vec<Bytes>) -> Result<Upload> {
    tokio::task::spawn_blocking(move || {
        batch.iter().try_for_each(|part| upload.write(part))?;
        Ok(upload)
    })
    .await?
}
