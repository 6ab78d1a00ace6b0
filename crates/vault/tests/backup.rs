//! Backups of changing trees, with our own engine alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;

use roadstead_vault::{
    BackupOptions, Cancel, ErrorKind, FileErrorKind, Monitor, Overwrite, Page, ParentChoice, Progress,
    RestoreOptions, VoidMonitor,
};
use support::trees::{self, assert_same, noise};
use support::{Recorder, backup, beneath, check, init, latest, open, options, restore, stored, temporary};

#[test]
fn an_unchanged_tree_is_not_read_again() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::build(&source);
    let repository = init(&vault);
    let first = backup(&repository, &[&source]);
    let packs = stored(&vault, "data");
    let second = backup(&repository, &[&source]);
    assert_eq!(second.parent, Some(first.snapshot));
    assert_eq!((second.files_new, second.files_changed, second.files_unmodified), (0, 0, first.files_new));
    assert_eq!((second.bytes_backed_up, second.data_blobs), (0, 0));
    assert_eq!(second.files_searched, first.files_searched);
    assert_eq!(second.bytes_searched, first.bytes_searched);
    assert!(stored(&vault, "data").len() <= packs.len() + 1, "only the folders above may have changed");
    let (a, b) = (repository.snapshot(&first.snapshot.to_hex()).unwrap(), latest(&repository));
    assert_eq!(
        repository.list(&a, &source, Page::ALL).unwrap(),
        repository.list(&b, &source, Page::ALL).unwrap()
    );
}

#[test]
fn changes_are_found_and_counted() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 100);
    fs::create_dir(source.join("sub")).unwrap();
    fs::write(source.join("sub/large"), noise(1, 12 << 20)).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let mut large = noise(1, 12 << 20);
    large.splice(5 << 20..5 << 20, *b"an insertion in the middle");
    fs::write(source.join("sub/large"), large).unwrap();
    fs::write(source.join("file-00000"), "changed").unwrap();
    fs::write(source.join("new"), "new").unwrap();
    fs::remove_file(source.join("file-00001")).unwrap();
    let summary = backup(&open(&vault), &[&source]);
    assert_eq!((summary.files_new, summary.files_changed, summary.files_unmodified), (1, 2, 98));
    assert!(summary.bytes_added < 9 << 20, "most of the large file's chunks are known: {summary:?}");
    assert!(summary.dirs_changed >= 2);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
    assert_eq!(check(&repository).problems, []);
}

#[test]
fn ids_do_not_depend_on_threads() {
    let folder = temporary();
    let source = folder.path().join("source");
    trees::build(&source);
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    let run = |threads| {
        let options = BackupOptions { threads, parent: ParentChoice::None, ..options(&[&source]) };
        repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap()
    };
    assert!(run(1).data_blobs > 100);
    for threads in [4, 2] {
        let again = run(threads);
        assert_eq!(again.data_blobs, 0);
        assert!(again.tree_blobs <= 4, "only the folders above the source may have changed: {again:?}");
    }
}

#[test]
fn excludes_and_several_roots() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    for path in ["a/keep.txt", "a/skip.log", "a/important.log", "cache/x", "b/deep/cache/y", "c/z"] {
        fs::create_dir_all(source.join(path).parent().unwrap()).unwrap();
        fs::write(source.join(path), path).unwrap();
    }
    let repository = init(&vault);
    let excludes = ["*.log", "!important.log", "b/**/cache"].map(str::to_owned).to_vec();
    let paths = vec![source.join("a"), source.join("b"), source.join("c/z"), source.join("a/keep.txt")];
    let options = BackupOptions { paths, excludes, ..BackupOptions::default() };
    repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    let names: Vec<_> = trees::describe(&beneath(&target, &source)).into_keys().collect();
    let expected = ["", "a", "a/important.log", "a/keep.txt", "b", "b/deep", "c", "c/z"];
    assert_eq!(names, expected.map(Path::new).map(Path::to_owned));
}

#[test]
fn a_missing_root_is_an_error_but_not_the_end() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 3);
    let repository = init(&vault);
    let missing = folder.path().join("missing");
    let monitor = Recorder::default();
    let summary = repository.backup(&options(&[&source, &missing]), &monitor, &Cancel::new()).unwrap();
    assert_eq!((summary.errors, summary.files_new), (1, 3));
    assert_eq!(monitor.error_paths(), vec![missing.clone()]);
    assert_eq!(monitor.errors.lock().unwrap()[0].code, Some(2));
    let error = repository.backup(&options(&[&missing]), &VoidMonitor, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_file_that_cannot_be_read_takes_nothing_from_those_read_with_it() {
    let folder = temporary();
    let repository = init(&folder.path().join("vault"));
    // Nothing lies at the beginning of a process's memory; the files around it are small and can be read.
    let process = Path::new("/proc").join(std::process::id().to_string());
    let paths = ["comm", "limits", "mem", "personality", "schedstat"].map(|name| process.join(name));
    let options = BackupOptions { threads: 1, ..options(&paths.each_ref().map(|path| &**path)) };
    let monitor = Recorder::default();
    let summary = repository.backup(&options, &monitor, &Cancel::new()).unwrap();
    assert_eq!((summary.errors, summary.files_new), (1, 4));
    let error = monitor.errors.lock().unwrap()[0].clone();
    assert_eq!((&error.path, error.kind), (&paths[2], FileErrorKind::Read));
    for path in [&paths[0], &paths[1], &paths[3]] {
        let mut saved = Vec::new();
        repository.cat(&latest(&repository), path, &mut saved, &Cancel::new()).unwrap();
        assert_eq!(String::from_utf8(saved).unwrap(), fs::read_to_string(path).unwrap());
    }
    assert_eq!(check(&repository).problems, []);
}

/// Removes and changes files while the run goes on: the monitor is told of paths as they are begun.
struct Meddler {
    victim: std::path::PathBuf,
    done: Mutex<bool>,
}

impl Monitor for Meddler {
    fn progress(&self, progress: &Progress) {
        let mut done = self.done.lock().unwrap();
        if !*done && progress.files_searched > 0 {
            fs::remove_file(&self.victim).unwrap();
            *done = true;
        }
    }
}

#[test]
fn files_that_vanish_do_no_harm() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("a"), "first").unwrap();
    fs::write(source.join("b-large"), noise(1, 200 << 20)).unwrap();
    fs::write(source.join("z"), "vanishes").unwrap();
    let repository = init(&vault);
    let options = BackupOptions { threads: 1, ..options(&[&source]) };
    let meddler = Meddler { victim: source.join("z"), done: Mutex::new(false) };
    let summary = repository.backup(&options, &meddler, &Cancel::new()).unwrap();
    assert!(*meddler.done.lock().unwrap(), "the run was too fast for this test");
    assert_eq!((summary.errors, summary.files_new), (0, 2));
    assert_eq!(repository.list(&latest(&repository), &source, Page::ALL).unwrap().len(), 2);
    assert_eq!(check(&repository).problems, []);
}

#[test]
fn files_that_grow_or_shrink_while_they_are_read_are_told_and_hold_what_was_read() {
    for (length, grows) in [(240 << 20, true), (1 << 20, false)] {
        let folder = temporary();
        let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
        fs::create_dir(&source).unwrap();
        let (path, content) = (source.join("file"), noise(3, 200 << 20));
        fs::write(&path, &content).unwrap();
        let (repository, monitor) = (init(&vault), Recorder::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Some of it was read when a pack is there, and far from all.
                while stored(&vault, "data").is_empty() {
                    std::thread::yield_now();
                }
                assert!(stored(&vault, "snapshots").is_empty(), "the run was too fast for this test");
                fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
            });
            let options = BackupOptions { threads: 1, ..options(&[&source]) };
            let summary = repository.backup(&options, &monitor, &Cancel::new()).unwrap();
            assert_eq!((summary.errors, summary.files_new), (0, 1));
        });
        let warned = monitor.warnings.lock().unwrap();
        assert_eq!(warned.iter().map(|warning| &warning.path).collect::<Vec<_>>(), [&path]);
        let entry = repository.entry(&latest(&repository), &path).unwrap();
        let mut saved = Vec::new();
        repository.cat(&latest(&repository), &path, &mut saved, &Cancel::new()).unwrap();
        assert_eq!(entry.size, saved.len() as u64);
        let common = saved.len().min(content.len());
        assert!(saved[..common] == content[..common] && saved[common..].iter().all(|byte| *byte == 0));
        assert_eq!(saved.len() > content.len(), grows, "{} bytes were saved", saved.len());
        assert_eq!(check(&repository).problems, []);
    }
}

#[test]
fn cancel_ends_soon_and_leaves_a_clean_repository() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    fs::create_dir(&source).unwrap();
    let large = fs::File::create(source.join("large")).unwrap();
    let block = noise(9, 64 << 20);
    for i in 0..16 {
        std::os::unix::fs::FileExt::write_all_at(&large, &block, i * ((64 << 20) + 12_345)).unwrap();
    }
    let repository = init(&vault);
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while stored(&vault, "data").is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            cancel.cancel();
        });
        let error = repository.backup(&options(&[&source]), &VoidMonitor, &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    });
    assert!(stored(&vault, "snapshots").is_empty() && stored(&vault, "locks").is_empty());
    assert!(stored(&vault, "tmp").is_empty());
    let report = check(&repository);
    assert_eq!((report.problems, report.packs_unindexed), (vec![], 0));
    for restic in support::restics() {
        restic.check(&vault);
    }
}

#[test]
fn browsing() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 50);
    fs::write(source.join("large"), noise(1, 3 << 20)).unwrap();
    symlink("large", source.join("link")).unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let snapshot = repository.snapshot(&latest(&repository).id.short()).unwrap();
    let page = repository.list(&snapshot, &source, Page { offset: 48, limit: 10 }).unwrap();
    assert_eq!(
        page.iter().map(|e| e.name.to_str().unwrap()).collect::<Vec<_>>(),
        ["file-00048", "file-00049", "large", "link"]
    );
    assert_eq!((page[2].size, page[2].mode & 0o777), (3 << 20, 0o644));
    assert_eq!(page[3].link_target.as_deref(), Some("large".as_ref()));
    let mut content = Vec::new();
    repository.cat(&snapshot, &source.join("large"), &mut content, &Cancel::new()).unwrap();
    assert_eq!(content, noise(1, 3 << 20));
    for path in ["none", "large/none", "link/none"] {
        let error = repository.list(&snapshot, &source.join(path), Page::ALL).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{path}");
    }
    assert_eq!(repository.snapshot("ffff").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repository.entry(&snapshot, &source).unwrap().name, "source");
}

#[test]
fn restores_choose_and_spare() {
    let folder = temporary();
    let (source, vault, target) =
        (folder.path().join("source"), folder.path().join("vault"), folder.path().join("target"));
    trees::many(&source.join(""), 20);
    fs::create_dir(source.join("sub")).unwrap();
    fs::create_dir(source.join("other")).unwrap();
    fs::write(source.join("sub/wanted"), "wanted").unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let snapshot = latest(&repository);
    let with = |include: &[&str], overwrite| RestoreOptions {
        include: include.iter().map(|p| (*p).to_owned()).collect(),
        overwrite,
        ..RestoreOptions::to(&target)
    };
    let run = |options| repository.restore(&snapshot, &options, &VoidMonitor, &Cancel::new()).unwrap();
    let summary = run(with(&["wanted", "file-0000?"], Overwrite::IfChanged));
    assert_eq!((summary.files, summary.skipped), (11, 0));
    assert!(!beneath(&target, &source).join("other").exists(), "folders without anything wanted stay away");
    let summary = run(with(&[], Overwrite::IfChanged));
    assert_eq!((summary.files, summary.skipped), (10, 11));
    fs::write(beneath(&target, &source).join("file-00003"), "spoilt").unwrap();
    let summary = run(with(&[], Overwrite::Never));
    assert_eq!((summary.files, summary.skipped), (0, 21));
    let summary = run(with(&[], Overwrite::IfChanged));
    assert_eq!((summary.files, summary.skipped), (1, 20));
    assert_same(&source, &beneath(&target, &source));
    let summary = run(with(&[], Overwrite::Always));
    assert_eq!((summary.files, summary.errors), (21, 0));
    assert_same(&source, &beneath(&target, &source));
}

#[test]
fn a_link_in_the_target_is_replaced_and_not_followed() {
    let folder = temporary();
    let (source, vault, target) =
        (folder.path().join("source"), folder.path().join("vault"), folder.path().join("target"));
    trees::many(&source, 3);
    let repository = init(&vault);
    backup(&repository, &[&source]);
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let place = beneath(&target, &source);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(&outside, &place).unwrap();
    restore(&repository, &latest(&repository), &target);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert_same(&source, &place);
}

#[test]
fn an_unfinished_reader_sees_progress() {
    #[derive(Default)]
    struct Last(Mutex<Progress>);
    impl Monitor for Last {
        fn progress(&self, progress: &Progress) {
            *self.0.lock().unwrap() = progress.clone();
        }
    }
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    trees::many(&source, 30);
    let repository = init(&vault);
    let last = Last::default();
    let summary = repository.backup(&options(&[&source]), &last, &Cancel::new()).unwrap();
    let progress = last.0.into_inner().unwrap();
    assert!(progress.totals_final);
    assert_eq!((progress.files_total, progress.files_searched), (30, 30));
    assert_eq!(
        (progress.bytes_total, progress.bytes_backed_up),
        (summary.bytes_searched, summary.bytes_backed_up)
    );
    let mut first = String::new();
    fs::File::open(source.join("file-00000")).unwrap().read_to_string(&mut first).unwrap();
    assert_eq!(first, "content 0");
}
