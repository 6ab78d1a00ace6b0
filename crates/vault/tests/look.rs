//! Looking: what differs, what is where, how much there is; compared with what restic says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use roadstead_vault::{
    Cancel, Change, DiffSummary, Difference, ErrorKind, FindOptions, Found, NodeKind, Page, Repository,
    Search, Snapshot, VoidMonitor,
};
use serde_json::Value;
use support::trees::{self, noise};
use support::{Recorder, backup, init, restics, stored, temporary};

/// A repository with two snapshots that differ in every way there is.
fn repository(folder: &Path) -> (PathBuf, PathBuf, Repository) {
    let (source, vault) = (folder.join("source"), folder.join("vault"));
    trees::many(&source, 40);
    for name in ["stays/deep", "goes/deep"] {
        fs::create_dir_all(source.join(name)).unwrap();
        fs::write(source.join(name).join("Note.TXT"), name).unwrap();
    }
    fs::write(source.join("stays/large"), noise(1, 2 << 20)).unwrap();
    fs::hard_link(source.join("stays/large"), source.join("stays/linked")).unwrap();
    symlink("nowhere", source.join("link")).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    fs::remove_dir_all(source.join("goes")).unwrap();
    fs::create_dir_all(source.join("comes/deep")).unwrap();
    fs::write(source.join("comes/deep/Note.TXT"), noise(2, 100_000)).unwrap();
    fs::copy(source.join("stays/large"), source.join("comes/copy")).unwrap();
    fs::write(source.join("file-00001"), noise(3, 5000)).unwrap();
    fs::set_permissions(source.join("file-00002"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(source.join("file-00003")).unwrap();
    fs::create_dir(source.join("file-00003")).unwrap();
    fs::remove_file(source.join("link")).unwrap();
    symlink("elsewhere", source.join("link")).unwrap();
    backup(&repository, &[&source]);
    (source, vault, repository)
}

fn diff(repository: &Repository, of: [&Snapshot; 2]) -> (DiffSummary, Vec<Change>) {
    let mut changes = Vec::new();
    let summary = repository
        .diff(of[0], of[1], &Recorder::default(), &Cancel::new(), &mut |change| changes.push(change));
    (summary.unwrap(), changes)
}

#[test]
fn a_diff_tells_what_restic_tells() {
    let folder = temporary();
    let (source, vault, repository) = repository(folder.path());
    let snapshots = repository.snapshots().unwrap();
    let (summary, changes) = diff(&repository, [&snapshots[0], &snapshots[1]]);
    let of = |name: &str| changes.iter().find(|change| change.path == source.join(name)).unwrap();
    assert_eq!(of("link").after.as_ref().unwrap().link_target.as_deref(), Some("elsewhere".as_ref()));
    assert_eq!(of("file-00001").after.as_ref().unwrap().size, 5000);
    assert_eq!(of("file-00003").before.as_ref().unwrap().kind, NodeKind::File);
    assert!(of("goes/deep/Note.TXT").after.is_none());
    assert!(!changes.iter().any(|change| change.path.starts_with(source.join("stays"))));
    assert!(changes.is_sorted_by(|a, b| a.path <= b.path));
    let ids = snapshots.iter().map(|snapshot| snapshot.id.to_string()).collect::<Vec<_>>();
    for restic in restics() {
        let output = restic.run(&vault, &["diff", "--json", "--metadata", &ids[0], &ids[1]]);
        let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        // restic tells of every folder on the way to a difference, and takes what a link points at for
        // metadata.
        let is_news = |(modifier, path): &(String, String)| modifier != "U" || path.ends_with("file-00002");
        let theirs: BTreeSet<_> = lines.iter().filter_map(told).filter(is_news).collect();
        let ours: BTreeSet<_> = changes.iter().map(as_restic).filter(is_news).collect();
        let link = ("M".to_owned(), source.join("link").display().to_string());
        assert_eq!(ours.difference(&theirs).collect::<Vec<_>>(), [&link]);
        assert!(theirs.len() > 9 && theirs.is_subset(&ours), "{theirs:?}");
        let statistics = lines.iter().find(|line| line["message_type"] == "statistics").unwrap();
        for (side, name) in [(summary.added, "added"), (summary.removed, "removed")] {
            let theirs = |key: &str| statistics[name][key].as_u64().unwrap();
            assert_eq!((side.files, side.dirs), (theirs("files"), theirs("dirs")), "{name}");
            assert_eq!(
                (side.data_blobs, side.tree_blobs, side.bytes),
                (theirs("data_blobs"), theirs("tree_blobs"), theirs("bytes")),
                "{name}"
            );
        }
    }
}

fn told(line: &Value) -> Option<(String, String)> {
    let path = line["path"].as_str()?.trim_end_matches('/').to_owned();
    // What became something else has other metadata, too, which new versions tell.
    Some((line["modifier"].as_str()?.replace("TU", "T"), path))
}

fn as_restic(change: &Change) -> (String, String) {
    let modifier = match change.difference {
        Difference::Added => "+",
        Difference::Removed => "-",
        Difference::Content => "M",
        Difference::Metadata => "U",
        Difference::Kind => "T",
    };
    (modifier.to_owned(), change.path.display().to_string())
}

#[test]
fn a_snapshot_does_not_differ_from_itself() {
    let folder = temporary();
    let (_, vault, repository) = repository(folder.path());
    let snapshots = repository.snapshots().unwrap();
    assert_eq!(diff(&repository, [&snapshots[1], &snapshots[1]]), (DiffSummary::default(), vec![]));
    // What cannot be read is told, and is no difference.
    for pack in stored(&vault, "data") {
        fs::remove_file(pack).unwrap();
    }
    let monitor = Recorder::default();
    let repository = support::open(&vault);
    let summary = repository.diff(&snapshots[0], &snapshots[1], &monitor, &Cancel::new(), &mut |_| panic!());
    assert_eq!((summary.unwrap().unreadable, monitor.error_paths()), (1, vec![PathBuf::from("/")]));
}

fn find(repository: &Repository, options: &FindOptions) -> Vec<Found> {
    let mut all = Vec::new();
    let snapshots = repository.snapshots().unwrap();
    let found = &mut |found| {
        all.push(found);
        Search::Continue
    };
    repository.find(&snapshots, options, &Recorder::default(), &Cancel::new(), found).unwrap();
    all
}

fn pattern(pattern: &str) -> FindOptions {
    FindOptions { patterns: vec![pattern.to_owned()], ..FindOptions::default() }
}

#[test]
fn a_search_finds_what_restic_finds() {
    let folder = temporary();
    let (source, vault, repository) = repository(folder.path());
    let absolute = format!("{}/stays/**/[Nl]*", source.display());
    for text in ["Note.TXT", "*.TXT", "deep/Note.TXT", "file-0000?", &absolute, "nothing"] {
        let ours: BTreeSet<(String, String)> = find(&repository, &pattern(text))
            .into_iter()
            .map(|found| (found.snapshot.to_string(), found.path.display().to_string()))
            .collect();
        assert_eq!(ours.is_empty(), text == "nothing", "{text}");
        for restic in restics() {
            let output = restic.run(&vault, &["find", "--json", text]);
            let found: Vec<Value> = output.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap();
            let theirs = |snapshot: &Value| {
                let id = snapshot["snapshot"].as_str().unwrap().to_owned();
                let matches = snapshot["matches"].as_array().unwrap().clone();
                matches.into_iter().map(move |m| (id.clone(), m["path"].as_str().unwrap().to_owned()))
            };
            assert_eq!(ours, found.iter().flat_map(theirs).collect(), "{text}");
        }
    }
}

#[test]
fn a_search_looks_at_kind_time_and_case_and_ends_when_told() {
    let folder = temporary();
    let (source, _, repository) = repository(folder.path());
    let insensitive = FindOptions { ignore_case: true, ..pattern("nOtE.txt") };
    assert_eq!(find(&repository, &insensitive).len(), 4);
    assert_eq!(find(&repository, &pattern("nOtE.txt")).len(), 0);
    let dirs = FindOptions { kind: Some(NodeKind::Dir), ..pattern("file-*") };
    assert_eq!(find(&repository, &dirs)[0].path, source.join("file-00003"));
    assert_eq!(find(&repository, &dirs).len(), 1);
    let copy = find(&repository, &pattern("copy")).remove(0);
    let later = FindOptions { modified_from: Some(copy.entry.modified), ..pattern("Note.TXT") };
    let earlier = FindOptions { modified_before: Some(copy.entry.modified), ..pattern("Note.TXT") };
    assert_eq!(find(&repository, &later).len() + find(&repository, &earlier).len(), 4);
    assert!(find(&repository, &earlier).iter().all(|found| found.entry.modified < copy.entry.modified));

    let (mut seen, snapshots) = (0, repository.snapshots().unwrap());
    let found = &mut |_| {
        seen += 1;
        if seen == 3 { Search::Stop } else { Search::Continue }
    };
    let options = FindOptions::default();
    repository.find(&snapshots, &options, &VoidMonitor, &Cancel::new(), found).unwrap();
    assert_eq!(seen, 3);
    let error = repository.find(&snapshots, &pattern("[a"), &VoidMonitor, &Cancel::new(), &mut |_| panic!());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn statistics_are_restics() {
    let folder = temporary();
    let (_, vault, repository) = repository(folder.path());
    let snapshots = repository.snapshots().unwrap();
    let stats = repository.stats(&snapshots, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(stats.unreadable, 0);
    for restic in restics() {
        let asked = |mode: &str, snapshot: &str| -> Value {
            let output = match snapshot {
                "" => restic.run(&vault, &["stats", "--json", "--mode", mode]),
                id => restic.run(&vault, &["stats", "--json", "--mode", mode, id]),
            };
            output.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap()
        };
        for one in &stats.snapshots {
            let theirs = asked("restore-size", &one.snapshot.to_string());
            let contents = one.contents;
            assert_eq!(theirs["total_size"], contents.bytes);
            assert_eq!(theirs["total_file_count"], contents.files + contents.dirs + contents.specials);
        }
        let theirs = asked("raw-data", "");
        assert_eq!(theirs["total_size"], stats.raw.bytes_stored);
        assert_eq!(theirs["total_blob_count"], stats.raw.blobs);
        if !restic.is_old() {
            // They count what sealing adds.
            assert_eq!(theirs["total_uncompressed_size"], stats.raw.bytes + 32 * stats.raw.blobs);
        }
    }
    // Each snapshot's own and what it added, whatever the others hold.
    let alone = repository.stats(&snapshots[1..], &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(alone.snapshots[0].contents, stats.snapshots[1].contents);
    let added = stats.snapshots[1].added;
    let (summary, _) = diff(&repository, [&snapshots[0], &snapshots[1]]);
    assert_eq!(
        (added.blobs, added.bytes),
        (summary.added.data_blobs + summary.added.tree_blobs, summary.added.bytes)
    );
    assert_eq!(stats.contents().files, stats.snapshots.iter().map(|one| one.contents.files).sum::<u64>());
}

#[test]
fn a_folder_of_many_entries_is_browsed_page_by_page() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 1234);
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let snapshot = support::latest(&repository);
    let mut names = Vec::new();
    loop {
        let page = Page { offset: names.len(), limit: 100 };
        let entries = repository.list(&snapshot, &source, page).unwrap();
        if entries.is_empty() {
            break;
        }
        names.extend(entries.into_iter().map(|entry| entry.name));
    }
    let all = repository.list(&snapshot, &source, Page::ALL).unwrap();
    assert_eq!(names, all.into_iter().map(|entry| entry.name).collect::<Vec<_>>());
    assert_eq!(names.len(), 1234);
}
