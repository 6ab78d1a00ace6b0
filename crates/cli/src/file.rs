//! `roadstead vaults ls` and `cat`: the files of a backup.

use roadstead_client::api::{
    file::{File, FileList, FileQuery, FileType},
    id::BackupId,
};

use crate::{
    error::{Error, Exit, Result},
    human,
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

impl Row for File {
    const COLUMNS: &'static [&'static str] = &["mode", "owner", "size", "modified", "name"];
    fn cells(&self) -> Vec<String> {
        let letter = match self.kind {
            FileType::File => '-',
            FileType::Dir => 'd',
            FileType::Symlink => 'l',
            FileType::Special => 's',
        };
        let arrow = self.link_target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
        vec![
            format!("{letter}{:04o}", self.mode & 0o7777),
            format!("{}:{}", self.uid, self.gid),
            human::size(self.size_bytes),
            table::age(self.modified_at),
            format!("{}{arrow}", self.name),
        ]
    }
}

/// Lists a folder of a backup.
pub async fn list(session: &Session, backup: BackupId, path: String, which: ListArgs) -> Result<Exit> {
    let query = FileQuery { path: Some(absolute(path)?), ..FileQuery::default() };
    list::print::<FileList, _>(session, backup, query, which).await
}

/// Writes a file of a backup to standard output, as it is.
pub async fn cat(session: &Session, backup: BackupId, path: &str) -> Result<Exit> {
    let mut content = session.client.open_file(backup, &absolute(path.to_owned())?).await?;
    while let Some(chunk) = content.chunk().await? {
        session.output.bytes(&chunk)?;
    }
    Ok(Exit::Done)
}

fn absolute(path: String) -> Result<String> {
    match path.starts_with('/') {
        true => Ok(path),
        false => Err(Error::usage(format!("{path:?} is not an absolute path"))),
    }
}
