//! Files of a backup: folders, and the content of a file.

use bytes::Bytes;
use roadstead_api::{
    file::{
        ArchiveForm, DiffQuery, File, FileChange, FileDiff, FileFind, FileList, FileQuery, FindQuery,
        FoundFile, archive_path, content_path,
    },
    id::{BackupId, VaultId},
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

    /// Opens a file or folder of a backup, with all that is beneath it, as an archive; `path` is absolute. Talks to the
    /// server.
    pub async fn open_archive(&self, backup: BackupId, path: &str, form: ArchiveForm) -> Result<Content> {
        let query = [("path", path), ("format", form.as_str())];
        Ok(Content(self.raw(&archive_path(backup), &query).await?))
    }

    /// Finds files by a pattern in all backups of a vault, newest first. Talks to the server.
    pub async fn find_files(&self, vault: &VaultId, query: FindQuery) -> Result<Vec<FoundFile>> {
        self.list_all::<FileFind, _>(vault.clone(), query).await
    }

    /// Lists what differs between a backup and a later one of the same vault. Talks to the server.
    pub async fn diff_backups(&self, before: BackupId, after: BackupId) -> Result<Vec<FileChange>> {
        let query = DiffQuery { with: Some(after), ..DiffQuery::default() };
        self.list_all::<FileDiff, _>(before, query).await
    }
}

impl Content {
    /// The next bytes; `None` at the end of the file. A content that breaks off is an error, never an end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.0.chunk().await
    }
}
