//! `roadstead vaults ls`, `cat`, `archive`, `find` and `diff`: the files of backups.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use roadstead_client::{
    Content,
    api::{
        file::{ArchiveForm, File, FileChange, FileDifference, FileList, FileQuery, FileType, FoundFile},
        id::BackupId,
    },
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

impl Row for FoundFile {
    const COLUMNS: &'static [&'static str] = &["backup", "size", "modified", "path"];
    fn cells(&self) -> Vec<String> {
        let FoundFile { backup_id, path, file } = self;
        vec![backup_id.to_string(), human::size(file.size_bytes), table::age(file.modified_at), path.clone()]
    }
}

impl Row for FileChange {
    const COLUMNS: &'static [&'static str] = &["change", "before", "after", "path"];
    fn cells(&self) -> Vec<String> {
        let word = match self.difference {
            FileDifference::Added => "added",
            FileDifference::Removed => "removed",
            FileDifference::Content => "content",
            FileDifference::Metadata => "metadata",
            FileDifference::Type => "type",
        };
        let size = |file: &Option<File>| file.as_ref().map(|f| human::size(f.size_bytes)).unwrap_or_default();
        vec![word.to_owned(), size(&self.before), size(&self.after), self.path.clone()]
    }
}

/// What to write to an archive.
#[derive(Args, Debug)]
pub struct ArchiveArgs {
    /// The backup.
    #[arg(long)]
    backup: BackupId,
    /// The file or folder: an absolute path.
    #[arg(default_value = "/")]
    path: String,
    /// The form of the archive.
    #[arg(long, value_enum, default_value_t = Form::Tar)]
    format: Form,
    /// The file to write; standard output when absent, or -.
    #[arg(short = 'O', long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

/// The form of an archive.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Form {
    /// With owners, exact times, attributes and hard links.
    Tar,
    /// Files, folders and symbolic links; not compressed.
    Zip,
}

/// Writes a file or folder of a backup to an archive. A file that is not whole does not stay.
pub async fn archive(session: &Session, args: ArchiveArgs) -> Result<Exit> {
    let form = match args.format {
        Form::Tar => ArchiveForm::Tar,
        Form::Zip => ArchiveForm::Zip,
    };
    let mut content = session.client.open_archive(args.backup, &absolute(args.path)?, form).await?;
    let Some(path) = args.output_file.filter(|path| path.as_os_str() != "-") else {
        while let Some(chunk) = content.chunk().await? {
            session.output.bytes(&chunk)?;
        }
        return Ok(Exit::Done);
    };
    let failed = |e| Error::local(format!("cannot write {}", path.display())).caused_by(e);
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let written = write_to(&mut content, &unfinished).await;
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    fs::rename(&unfinished, &path).map_err(failed)?;
    Ok(Exit::Done)
}

async fn write_to(content: &mut Content, path: &Path) -> Result<()> {
    let failed = |e| Error::local(format!("cannot write {}", path.display())).caused_by(e);
    let mut file = fs::File::create(path).map_err(failed)?;
    while let Some(chunk) = content.chunk().await? {
        file.write_all(&chunk).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
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

/// A path of a machine, which has to be absolute.
pub fn absolute(path: String) -> Result<String> {
    match path.starts_with('/') {
        true => Ok(path),
        false => Err(Error::usage(format!("{path:?} is not an absolute path"))),
    }
}
