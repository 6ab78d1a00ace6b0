//! Backups of the server's own state, written and read again, and all that is wrong with them refused.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use super::{backup, restore};
use crate::{ErrorKind, ServerOptions, WorkerCommand};

fn options(data_dir: &Path) -> ServerOptions {
    let worker = WorkerCommand { program: "true".into(), arguments: Vec::new() };
    ServerOptions::new(data_dir.to_owned(), "127.0.0.1:0".parse().unwrap(), worker)
}

/// A data folder with a database of the first release.
fn server() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let database = include_bytes!("../db/schema/fixtures/0001.sqlite");
    fs::write(folder.path().join("roadstead.db"), database).unwrap();
    fs::write(folder.path().join("master.key"), "the key\n").unwrap();
    fs::create_dir(folder.path().join("tls")).unwrap();
    fs::write(folder.path().join("tls/ca.key"), "the CA\n").unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "server.lock");
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_of_an_older_schema_is_restored_and_brought_up_to_date() {
    let (source, target) = (server(), tempfile::tempdir().unwrap());
    let file = target.path().join("backup");
    let made = backup(&options(source.path()), &file, "password").await.unwrap();
    assert!(made.rows > 10 && made.files == 2, "{made:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = backup(&options(source.path()), &file, "password").await.unwrap_err();
    assert_eq!(again.kind, ErrorKind::Conflict, "nothing is written over");

    let folder = target.path().join("data");
    fs::create_dir_all(folder.join("vaults/kept")).unwrap();
    let restored = restore(&options(&folder), &file, "password").await.unwrap();
    assert_eq!(restored, made);
    assert_eq!(fs::read_to_string(folder.join("master.key")).unwrap(), "the key\n");
    assert_eq!(fs::read_to_string(folder.join("tls/ca.key")).unwrap(), "the CA\n");
    let mode = fs::metadata(folder.join("tls/ca.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let db = crate::db::Db::open_embedded(&folder.join("roadstead.db")).await.unwrap();
    let mut read = db.read().await.unwrap();
    assert!(crate::db::user::any(&mut read).await.unwrap());
    let log = crate::db::audit::chain(&mut read, 0, 10).await.unwrap();
    drop(read);
    assert!(log.len() == 1 && log[0].follows(None));
    db.close().await;

    let error = restore(&options(&folder), &file, "password").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_backup_is_told_and_nothing_is_left() {
    let (source, target) = (server(), tempfile::tempdir().unwrap());
    let file = target.path().join("backup");
    backup(&options(source.path()), &file, "password").await.unwrap();
    let whole = fs::read(&file).unwrap();
    let folder = target.path().join("data");
    let refused = async |content: &[u8], password: &str| {
        fs::write(&file, content).unwrap();
        let error = restore(&options(&folder), &file, password).await.unwrap_err();
        assert!(!folder.exists() || names(&folder).is_empty(), "{error}: {:?}", names(&folder));
        error
    };
    let error = refused(&whole, "wrong").await;
    assert!(error.message.contains("password"), "{error}");
    for cut in [0, 10, whole.len() / 2, whole.len() - 1] {
        assert_eq!(refused(&whole[..cut], "password").await.kind, ErrorKind::Invalid, "{cut}");
    }
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(refused(&altered, "password").await.kind, ErrorKind::Invalid);
    fs::write(&file, &whole).unwrap();
    restore(&options(&folder), &file, "password").await.unwrap();
}

#[tokio::test]
async fn a_folder_without_a_server_has_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let error = backup(&options(&folder.path().join("data")), &file, "password").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    assert!(names(folder.path()).is_empty());
}
