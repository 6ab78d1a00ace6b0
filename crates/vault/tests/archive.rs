//! Files and folders of snapshots as tar and zip, unpacked by the programs that everybody has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use roadstead_vault::{
    ArchiveFormat, ArchiveSummary, Cancel, ErrorKind, FileErrorKind, Repository, Snapshot,
};
use support::trees::{self, assert_same, assert_same_but, describe, noise};
use support::{Recorder, backup, init, is_root, latest, open, stored, temporary};

/// Writes an archive beside the vault; what it holds and what was told.
fn archive(
    repository: &Repository,
    snapshot: &Snapshot,
    path: &Path,
    format: ArchiveFormat,
    file: &Path,
) -> (ArchiveSummary, Recorder) {
    let monitor = Recorder::default();
    let mut out = std::io::BufWriter::new(fs::File::create(file).unwrap());
    let summary = repository.archive(snapshot, path, format, &mut out, &monitor, &Cancel::new()).unwrap();
    (summary, monitor)
}

/// Unpacks with a program that may not be there; tells whether it was.
fn unpack(program: &str, arguments: &[&OsStr], target: &Path) -> bool {
    fs::create_dir(target).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(target).env("LC_ALL", "C.UTF-8");
    let Ok(output) = command.output() else {
        assert!(std::env::var_os("CI").is_none(), "no {program} to test with");
        eprintln!("skipped: no {program} to test with");
        return false;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    true
}

fn untar(file: &Path, target: &Path) -> bool {
    let options =
        ["--extract", "--preserve-permissions", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
    let arguments: Vec<&OsStr> =
        options.iter().map(OsStr::new).chain([OsStr::new("--file"), file.as_os_str()]).collect();
    unpack("tar", &arguments, target)
}

fn unzip(file: &Path, target: &Path) -> bool {
    unpack("unzip", &[OsStr::new("-q"), file.as_os_str()], target)
}

#[test]
fn a_tar_holds_everything_but_sockets() {
    if !is_root() {
        return eprintln!("skipped: unpacking owners and devices needs root");
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::build(&source);
    let long = source.join("l".repeat(120)).join("ü".repeat(100));
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("within"), "x").unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let file = folder.path().join("archive.tar");
    let (summary, monitor) = archive(&repository, &latest(&repository), &source, ArchiveFormat::Tar, &file);
    assert_eq!(monitor.error_paths(), [source.join("specials/socket")]);
    let (all, target) = (describe(&source), folder.path().join("target"));
    let count = |kinds: &[&str]| all.values().filter(|one| kinds.contains(&one.kind)).count() as u64;
    assert_eq!((summary.files, summary.dirs), (count(&["file"]), count(&["dir"])));
    assert_eq!((summary.specials, summary.errors), (count(&["link", "fifo", "char", "block"]), 1));
    if untar(&file, &target) {
        assert_same_but(&source, &target.join("source"), &["specials/socket"]);
    }
}

#[test]
fn the_whole_snapshot_and_single_files_are_archives_too() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 30);
    fs::write(source.join("large"), noise(1, 9 << 20)).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let snapshot = latest(&repository);
    let file = folder.path().join("archive");
    let (summary, _) = archive(&repository, &snapshot, Path::new("/"), ArchiveFormat::Tar, &file);
    assert_eq!((summary.files, summary.errors), (31, 0));
    let target = folder.path().join("whole");
    if untar(&file, &target) {
        assert_same(&source, &support::beneath(&target, &source));
    }
    for (format, name) in [(ArchiveFormat::Tar, "tar"), (ArchiveFormat::Zip, "zip")] {
        let (summary, _) = archive(&repository, &snapshot, &source.join("large"), format, &file);
        assert_eq!((summary.files, summary.dirs, summary.bytes), (1, 0, 9 << 20));
        let target = folder.path().join(name);
        if if name == "tar" { untar(&file, &target) } else { unzip(&file, &target) } {
            assert_eq!(fs::read(target.join("large")).unwrap(), noise(1, 9 << 20));
        }
    }
    let missing = repository.archive(
        &snapshot,
        &source.join("none"),
        ArchiveFormat::Zip,
        &mut std::io::sink(),
        &Recorder::default(),
        &Cancel::new(),
    );
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_zip_holds_files_folders_and_links() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 30);
    fs::create_dir_all(source.join("ünïcödé ☃/empty")).unwrap();
    fs::write(source.join("ünïcödé ☃/large"), noise(2, 9 << 20)).unwrap();
    fs::hard_link(source.join("file-00001"), source.join("hard")).unwrap();
    symlink("file-00002", source.join("link")).unwrap();
    let odd = OsStr::from_bytes(b"..\\odd\xff");
    fs::write(source.join(odd), "odd").unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let file = folder.path().join("archive.zip");
    let (summary, monitor) = archive(&repository, &latest(&repository), &source, ArchiveFormat::Zip, &file);
    assert_eq!((summary.files, summary.dirs, summary.specials, summary.errors), (33, 3, 1, 0));
    assert!(monitor.error_paths().is_empty());
    let target = folder.path().join("target");
    if !unzip(&file, &target) {
        return;
    }
    let unpacked = target.join("source");
    assert_eq!(fs::read(unpacked.join("..%5Codd%FF")).unwrap(), b"odd");
    fs::rename(unpacked.join("..%5Codd%FF"), unpacked.join(odd)).unwrap();
    let (mut expected, mut actual) = (describe(&source), describe(&unpacked));
    for one in expected.values_mut().chain(actual.values_mut()) {
        // A zip keeps whole seconds, and neither owners nor which files are one.
        one.mtime.1 = 0;
        one.owner = (0, 0);
        one.linked_to = None;
    }
    // Programs differ in what they do to the times of folders and links.
    expected
        .values_mut()
        .chain(actual.values_mut())
        .filter(|one| one.kind != "file")
        .for_each(|one| one.mtime.0 = 0);
    assert_eq!(expected.keys().collect::<Vec<_>>(), actual.keys().collect::<Vec<_>>());
    assert!(expected == actual);
}

#[test]
fn what_is_lost_is_told_and_the_rest_is_there() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 10);
    backup(&init(&vault), &[&source]);
    let before = stored(&vault, "data");
    fs::write(source.join("later"), noise(3, 300_000)).unwrap();
    backup(&open(&vault), &[&source]);
    let damaged: Vec<PathBuf> =
        stored(&vault, "data").into_iter().filter(|path| !before.contains(path)).collect();
    let data = damaged.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    fs::File::options().write(true).open(data).unwrap().write_all_at(b"junk", 1000).unwrap();
    let (repository, file) = (open(&vault), folder.path().join("archive"));
    for format in [ArchiveFormat::Tar, ArchiveFormat::Zip] {
        let (summary, monitor) = archive(&repository, &latest(&repository), &source, format, &file);
        assert_eq!((summary.files, summary.errors), (10, 1));
        let errors = monitor.errors.lock().unwrap();
        assert_eq!((errors[0].path.clone(), errors[0].kind), (source.join("later"), FileErrorKind::Damaged));
    }
}

#[test]
fn a_large_file_that_is_damaged_ends_the_stream() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    fs::write(source.join("large"), noise(4, 40 << 20)).unwrap();
    backup(&init(&vault), &[&source]);
    let packs = stored(&vault, "data");
    let data = packs.iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    fs::File::options().write(true).open(data).unwrap().write_all_at(b"junk", 9 << 20).unwrap();
    let repository = open(&vault);
    for format in [ArchiveFormat::Tar, ArchiveFormat::Zip] {
        let mut out = Vec::new();
        let (monitor, snapshot) = (Recorder::default(), latest(&repository));
        let outcome = repository.archive(&snapshot, &source, format, &mut out, &monitor, &Cancel::new());
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Damaged);
    }
}
