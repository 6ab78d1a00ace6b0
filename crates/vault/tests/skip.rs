//! What a backup leaves out for what it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use roadstead_vault::{BackupOptions, Cancel, Page, Repository, Skip, VoidMonitor};
use support::trees::noise;
use support::{init, is_root, options, restics, temporary};

/// The names in a folder of a new backup.
fn saved(repository: &Repository, root: &Path, skip: Skip, folder: &Path) -> Vec<String> {
    let options = BackupOptions { skip, ..options(&[root]) };
    let summary = repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.errors, 0);
    let snapshot = repository.snapshot(&summary.snapshot.to_string()).unwrap();
    let entries = repository.list(&snapshot, folder, Page::ALL).unwrap();
    entries.into_iter().map(|entry| entry.name.into_string().unwrap()).collect()
}

#[test]
fn large_files_are_left_out_unless_named() {
    let folder = temporary();
    let source = folder.path().join("source");
    let repository = init(&folder.path().join("vault"));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("limit"), noise(1, 1000)).unwrap();
    fs::write(source.join("more"), noise(2, 1001)).unwrap();
    let skip = Skip { larger_than: Some(1000), ..Skip::default() };
    assert_eq!(saved(&repository, &source, Skip::default(), &source), ["limit", "more"]);
    assert_eq!(saved(&repository, &source, skip, &source), ["limit"]);
    assert_eq!(saved(&repository, &source.join("more"), skip, &source), ["more"]);
}

#[test]
fn caches_are_left_out_but_for_their_mark() {
    let folder = temporary();
    let source = folder.path().join("source");
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    for (cache, tag) in [("real", "Signature: 8a477f597d28d172789f06886806bc55\n# a cache"), ("false", "no")]
    {
        fs::create_dir_all(source.join(cache).join("deep")).unwrap();
        fs::write(source.join(cache).join("CACHEDIR.TAG"), tag).unwrap();
        fs::write(source.join(cache).join("content"), "content").unwrap();
    }
    let skip = Skip { caches: true, ..Skip::default() };
    assert_eq!(saved(&repository, &source, skip, &source.join("real")), ["CACHEDIR.TAG"]);
    let all = ["CACHEDIR.TAG", "content", "deep"];
    assert_eq!(saved(&repository, &source, skip, &source.join("false")), all);
    assert_eq!(saved(&repository, &source, Skip::default(), &source.join("real")), all);
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn other_file_systems_are_empty_folders() {
    let folder = temporary();
    let mount = folder.path().join("source/mount");
    fs::create_dir_all(&mount).unwrap();
    let mounting = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&mount).status();
    if !is_root() || !mounting.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: mounting is not allowed here");
    }
    fs::write(mount.join("inside"), "content").unwrap();
    let repository = init(&folder.path().join("vault"));
    let source = folder.path().join("source");
    let skip = Skip { other_file_systems: true, ..Skip::default() };
    let there = saved(&repository, &source, skip, &source);
    let skipped = saved(&repository, &source, skip, &mount);
    let named = saved(&repository, &mount, skip, &mount);
    let all = saved(&repository, &source, Skip::default(), &mount);
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
    assert_eq!((there.len(), skipped.len()), (1, 0));
    assert_eq!((named, all), (vec!["inside".to_owned()], vec!["inside".to_owned()]));
}
