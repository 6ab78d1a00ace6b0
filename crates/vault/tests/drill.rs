//! Drills: what they restore is compared with what was backed up, and nothing of it stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::path::Path;

use roadstead_vault::{Cancel, DrillOptions, DrillReport, ErrorKind, Repository, VoidMonitor};
use support::trees::{self, noise};
use support::{backup, init, latest, open, stored, temporary};

fn drill(repository: &Repository, scratch: &Path, files: usize, bytes: u64) -> DrillReport {
    let options = DrillOptions { scratch: scratch.to_owned(), files, bytes };
    let report = repository.drill(&latest(repository), &options, &VoidMonitor, &Cancel::new()).unwrap();
    assert!(!scratch.exists(), "the scratch folder stays");
    report
}

#[test]
fn every_kind_of_file_comes_back() {
    let folder = temporary();
    let (source, scratch) = (folder.path().join("source"), folder.path().join("drills/1"));
    trees::build(&source);
    for odd in ["star*", "a?b", "[class]", "back\\slash", "!first"] {
        fs::write(source.join(odd), odd).unwrap();
    }
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    let report = drill(&repository, &scratch, usize::MAX, u64::MAX);
    assert_eq!(report.problems, []);
    assert!(report.files > 20 && report.files <= report.files_held, "{report:?}");
}

#[test]
fn a_sample_is_as_large_as_was_asked_for() {
    let folder = temporary();
    let (source, scratch) = (folder.path().join("source"), folder.path().join("scratch"));
    fs::create_dir(&source).unwrap();
    for number in 0..40 {
        fs::write(source.join(format!("file-{number}")), noise(number, 1000)).unwrap();
    }
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    let sizes = |files, bytes| {
        let report = drill(&repository, &scratch, files, bytes);
        assert!(report.problems.is_empty() && report.files_held == 40, "{report:?}");
        (report.files, report.bytes)
    };
    assert_eq!(sizes(7, u64::MAX), (7, 7000));
    assert_eq!(sizes(40, 3500), (3, 3000));
    assert_eq!(sizes(40, 10), (1, 1000), "one at least");
    assert_eq!(sizes(0, u64::MAX), (0, 0));
}

#[test]
fn damage_is_found_and_what_is_sound_still_comes_back() {
    let folder = temporary();
    let (source, scratch) = (folder.path().join("source"), folder.path().join("scratch"));
    fs::create_dir(&source).unwrap();
    for number in 0..20 {
        fs::write(source.join(format!("file-{number}")), noise(number, 50_000)).unwrap();
    }
    let vault = folder.path().join("vault");
    backup(&init(&vault), &[&source]);
    // One pack of several keeps its name and length, and has another byte in its middle.
    let size = |pack: &std::path::PathBuf| fs::metadata(pack).unwrap().len();
    let pack = stored(&vault, "data").into_iter().max_by_key(size).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, bytes).unwrap();
    let report = drill(&open(&vault), &scratch, usize::MAX, u64::MAX);
    assert!(!report.problems.is_empty(), "{report:?}");
    assert_eq!(report.files + report.problems.len() as u64, 20);
}

#[test]
fn a_scratch_folder_that_cannot_be_written_says_nothing_about_the_backup() {
    let folder = temporary();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    let options = DrillOptions { scratch: source.join("file/scratch"), files: 1, bytes: 1000 };
    let failed = repository.drill(&latest(&repository), &options, &VoidMonitor, &Cancel::new());
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Io);
    let cancel = Cancel::new();
    cancel.cancel();
    let options = DrillOptions { scratch: folder.path().join("scratch"), ..options };
    let failed = repository.drill(&latest(&repository), &options, &VoidMonitor, &cancel);
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Cancelled);
}
