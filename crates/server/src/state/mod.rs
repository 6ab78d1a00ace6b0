//! The server's own state in one file: everything but the vaults' data.
//!
//! It holds the rows of the database (users, agents, configurations, reports, the sealed secrets, and the headers of the
//! vaults), `master.key`, which opens the secrets, and what the server proves with who it is (`tls/`). So whoever has the
//! file and its password has all that; both are to be kept apart from each other. The vaults themselves are ordinary
//! folders, and are copied as such.
//!
//! The content is a line of JSON each ([`record`]), compressed and sealed ([`seal`]). The rows are in a form that both
//! databases share, so a backup of one can be restored into the other.

mod record;
mod seal;

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, Connection};

use self::{
    record::{Head, Record},
    seal::{Sealer, Unsealer},
};
use crate::{
    Error, Result, ServerOptions,
    db::{
        self,
        audit::NewEntry,
        rows::{self, Filling, Moment, Table},
    },
    durable, serve,
};

/// How long one line may be, in bytes.
const MAX_LINE: u64 = 256 << 20;
/// The compression: fast, since most of it is text.
const LEVEL: i32 = 3;
/// The files beside the database, where they are there.
const FILES: [&str; 4] = ["master.key", "admin.json", "tls/ca.key", "tls/ca.pem"];
/// What a data folder may hold before a restore: the vaults are no part of it, and may be there already.
const KEPT: [&str; 3] = ["vaults", "server.lock", "lost+found"];

/// What a backup or restore dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tables of the database.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Files beside the database.
    pub files: u64,
}

/// Writes a backup of the server's own state to a new file, which only its owner may read. Works beside a running
/// server: the backup shows one moment of the database.
pub async fn backup(options: &ServerOptions, file: &Path, password: &str) -> Result<Summary> {
    let partial = partial(file)?;
    let written = write(options, &partial, password).await;
    let finished = written.and_then(|summary| {
        put_in_place(&partial, file)?;
        sync_folder(file)?;
        Ok(summary)
    });
    let _ = fs::remove_file(&partial);
    finished
}

fn partial(file: &Path) -> Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| Error::invalid("The backup's path names no file."))?;
    if file.exists() {
        return Err(taken(file, std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut partial = name.to_owned();
    partial.push(".partial");
    Ok(file.with_file_name(partial))
}

/// A link fails where something is there already; a rename would take its place. File systems without links (of memory
/// sticks, of shares) are looked at first.
fn put_in_place(partial: &Path, file: &Path) -> Result<()> {
    use std::io::ErrorKind as Kind;
    match fs::hard_link(partial, file) {
        Err(e) if matches!(e.kind(), Kind::PermissionDenied | Kind::Unsupported) && !file.exists() => {
            Ok(fs::rename(partial, file)?)
        }
        linked => linked.map_err(|e| taken(file, e)),
    }
}

fn taken(file: &Path, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return Error::conflict(format!("{} is there already; name another file.", file.display()));
    }
    Error::from(error)
}

fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

async fn write(options: &ServerOptions, file: &Path, password: &str) -> Result<Summary> {
    let mut moment = match &options.database {
        Some(url) => Moment::of_shared(url).await?,
        None => Moment::of_embedded(&options.embedded_database()?).await?,
    };
    let schema = moment.schema();
    let out = make_new(file)?;
    let sealer = Sealer::new(BufWriter::new(out), password)?;
    let mut out = zstd::Encoder::new(sealer, LEVEL)?;
    let head =
        Head { version: env!("CARGO_PKG_VERSION").to_owned(), schema, made_ms: options.clock.now_ms() };
    Record::Head(head).write(&mut out)?;
    let mut summary = Summary { files: write_files(&options.data_dir, &mut out)?, ..Summary::default() };
    for name in rows::tables_after(schema) {
        let table = moment.table(&name).await?;
        Record::Table(table.clone()).write(&mut out)?;
        moment
            .rows(&table, |row| {
                summary.rows += 1;
                Record::Row(row).write(&mut out)
            })
            .await?;
        summary.tables += 1;
    }
    Record::End { rows: summary.rows }.write(&mut out)?;
    let out = out.finish()?.finish()?.into_inner().map_err(|e| Error::from(e.into_error()))?;
    out.sync_all()?;
    Ok(summary)
}

/// Makes a file that was not there. What a backup that was cut off has left is removed; what somebody else has put
/// there, such as a link to elsewhere, is not written to.
fn make_new(file: &Path) -> Result<File> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    Ok(OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?)
}

fn write_files(data_dir: &Path, out: &mut impl Write) -> Result<u64> {
    let mut count = 0;
    for name in FILES {
        match fs::read_to_string(data_dir.join(name)) {
            Ok(content) => Record::File { name: name.to_owned(), content }.write(out)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && name != "master.key" => continue,
            Err(error) => {
                let message = format!("{} cannot be read.", data_dir.join(name).display());
                return Err(Error::internal(message).caused_by(error));
            }
        }
        count += 1;
    }
    Ok(count)
}

/// Makes a server's state in an empty data folder, and its database where that is another, from a backup. What was made
/// before it failed is removed again.
pub async fn restore(options: &ServerOptions, file: &Path, password: &str) -> Result<Summary> {
    assert_empty(&options.data_dir)?;
    let mut backup = Backup::open(file, password)?;
    let _lock = serve::lock(&options.data_dir).await?;
    let restored = fill(options, &mut backup).await;
    if restored.is_err() {
        remove_made(options)?;
    }
    restored
}

fn assert_empty(data_dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let name = entry?.file_name();
        if !KEPT.iter().any(|kept| name == *kept) {
            return Err(Error::conflict(format!(
                "{} holds {} already. A server is restored into an empty folder; only vaults may be there.",
                data_dir.display(),
                name.display()
            )));
        }
    }
    Ok(())
}

/// A backup that is being read.
struct Backup {
    lines: BufReader<zstd::Decoder<'static, BufReader<Unsealer<BufReader<File>>>>>,
    head: Head,
}

impl Backup {
    fn open(file: &Path, password: &str) -> Result<Self> {
        let cannot = |e| Error::not_found(format!("{} cannot be opened.", file.display())).caused_by(e);
        let input = BufReader::new(File::open(file).map_err(cannot)?);
        let decoder = zstd::Decoder::new(Unsealer::new(input, password)?).map_err(broken)?;
        let mut lines = BufReader::new(decoder);
        match next(&mut lines)? {
            Record::Head(head) if head.schema <= rows::newest() => Ok(Self { lines, head }),
            Record::Head(head) => Err(Error::conflict(format!(
                "The backup was made by Roadstead {}, which is newer than this one ({}); restore it with that.",
                head.version,
                env!("CARGO_PKG_VERSION")
            ))),
            _ => Err(Error::invalid("The backup does not begin as one.")),
        }
    }
}

fn next(lines: &mut impl BufRead) -> Result<Record> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(broken)?;
    let line = line.strip_suffix(b"\n").ok_or_else(|| Error::invalid("The backup ends too early."))?;
    Record::read(line)
}

/// What went wrong below, where it is one of our own; else the disk did.
fn broken(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) if error.kind() == std::io::ErrorKind::Other => {
            Error::invalid("The backup is damaged.").caused_by(error)
        }
        Err(error) => error.into(),
    }
}

async fn fill(options: &ServerOptions, backup: &mut Backup) -> Result<Summary> {
    let mut connection = match &options.database {
        Some(url) => rows::open_shared(url).await?,
        None => rows::open_embedded(&options.embedded_database()?).await?,
    };
    let filled = fill_database(options, &mut connection, backup).await;
    // What was made and is not kept is removed afterwards, when nobody has it open.
    let closed = connection.close().await;
    let summary = filled?;
    closed?;
    Ok(summary)
}

async fn fill_database(
    options: &ServerOptions,
    connection: &mut AnyConnection,
    backup: &mut Backup,
) -> Result<Summary> {
    let mut filling = Filling::begin(connection, backup.head.schema).await?;
    let known = rows::tables_after(backup.head.schema);
    let (mut summary, mut files, mut table) = (Summary::default(), Vec::new(), None);
    loop {
        match next(&mut backup.lines)? {
            Record::File { name, content } if FILES.contains(&name.as_str()) => files.push((name, content)),
            Record::Table(next) if known.contains(&next.name) => {
                filling.go_on_numbering(&next).await?;
                table = Some(next);
                summary.tables += 1;
            }
            Record::Row(row) => {
                let table: &Table = table.as_ref().ok_or_else(|| Error::invalid("A row is of no table."))?;
                filling.add(table, row).await?;
                summary.rows += 1;
            }
            Record::End { rows } if rows == summary.rows => break,
            _ => return Err(Error::invalid("The backup holds what no backup should.")),
        }
    }
    write_back(&options.data_dir, &files)?;
    summary.files = files.len() as u64;
    let now_ms = options.clock.now_ms();
    filling.finish(async |db| note(db, now_ms).await).await?;
    Ok(summary)
}

fn write_back(data_dir: &Path, files: &[(String, String)]) -> Result<()> {
    for (name, content) in files {
        let file = data_dir.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        durable::write_private(&file, content.as_bytes())?;
    }
    Ok(())
}

/// The audit log tells that what comes after was not seen by the server that wrote what comes before.
async fn note(db: &mut AnyConnection, now_ms: i64) -> Result<()> {
    let Some((account_id, _)) = db::account::first(db).await? else { return Ok(()) };
    let entry =
        NewEntry { account_id, actor: "operator", source: "", action: "server_restore", target: "", now_ms };
    db::audit::append(db, &entry).await
}

fn remove_made(options: &ServerOptions) -> Result<()> {
    let database = options.embedded_database()?;
    for end in ["", "-wal", "-shm"] {
        let mut name = database.clone().into_os_string();
        name.push(end);
        let _ = fs::remove_file(name);
    }
    for name in FILES {
        let _ = fs::remove_file(options.data_dir.join(name));
    }
    let _ = fs::remove_dir(options.data_dir.join("tls"));
    Ok(())
}

#[cfg(test)]
mod tests;
