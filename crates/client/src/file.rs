//! Files of a backup: folders, and the content of a file.

use bytes::Bytes;
use roadstead_api::{
    file::{File, FileList, FileQuery, content_path},
    id::BackupId,
};

use crate::{Client, error::Result, transport::Reply};

/// The content of a file of a backup, as it comes from the server.
pub struct Content(Reply);

impl Client {
    /// Lists a folder of a backup, by name; `path` is absolute. Talks to the server.
    pub async fn files(&self, backup: BackupId, path: &str) -> Result<Vec<File>> {
        let query = FileQuery { path: Some(path.to_owned()), ..FileQuery::default() };
        self.list_all::<FileList, _>(backup, query).await
    }

    /// Opens a regular file of a backup; `path` is absolute. Talks to the server.
    pub async fn open_file(&self, backup: BackupId, path: &str) -> Result<Content> {
        Ok(Content(self.raw(&content_path(backup), &[("path", path)]).await?))
    }
}

impl Content {
    /// The next bytes; `None` at the end of the file. A content that breaks off is an error, never an end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.0.chunk().await
    }
}
