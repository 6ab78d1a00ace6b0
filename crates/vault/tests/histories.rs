//! Both programs on one repository: trees of every kind through either, and random histories in turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use roadstead_vault::store::Disposal;
use roadstead_vault::{Cancel, Id, PruneOptions, Repository, VoidMonitor};
use support::trees::{self, assert_same, assert_same_but, noise};
use support::{Random, Restic, backup, beneath, check, init, long, open, restics, restore, temporary};

type Make = fn(&Path);

/// Trees of twenty kinds.
const KINDS: [(&str, Make); 20] = [
    ("empty", |folder| fs::create_dir(folder).unwrap()),
    ("names", trees::names),
    ("links", trees::links),
    ("specials", trees::specials),
    ("modes", trees::modes),
    ("attributes", trees::attributes),
    ("times", trees::times),
    ("sizes", trees::sizes),
    ("deep", |folder| trees::deep(folder, 80)),
    ("many", |folder| trees::many(folder, 3000)),
    ("alike", |folder| files(folder, 40, |_| b"all the same".repeat(1000))),
    ("text", |folder| files(folder, 5, |n| format!("line {n} of a long text\n").repeat(40_000).into_bytes())),
    ("zeros", |folder| files(folder, 3, |n| vec![0; (n << 20) + 17])),
    ("random", |folder| files(folder, 5, |n| noise(n as u64, (n << 20) + n))),
    ("shifted", |folder| files(folder, 4, |n| [vec![b'x'; n * 1000], noise(8, 3 << 20)].concat())),
    ("empty-files", |folder| files(folder, 500, |_| Vec::new())),
    ("wide", |folder| {
        fs::create_dir(folder).unwrap();
        (0..600).for_each(|n| fs::create_dir(folder.join(format!("folder {n}"))).unwrap());
    }),
    ("long-links", |folder| {
        fs::create_dir(folder).unwrap();
        (1..8).for_each(|n| symlink("long/".repeat(n * 100), folder.join(format!("{n}"))).unwrap());
    }),
    ("many-links", |folder| {
        files(folder, 10, |n| noise(n as u64, 5000));
        (0..100).for_each(|n| {
            fs::hard_link(folder.join(format!("{}", n % 10)), folder.join(format!("l{n}"))).unwrap()
        });
    }),
    ("mixed", |folder| mix(folder, &mut Random::new(99), 300)),
];

fn files(folder: &Path, count: usize, content: impl Fn(usize) -> Vec<u8>) {
    fs::create_dir(folder).unwrap();
    (0..count).for_each(|n| fs::write(folder.join(n.to_string()), content(n)).unwrap());
}

/// Makes, changes and removes things at random.
fn mix(root: &Path, random: &mut Random, steps: u64) {
    fs::create_dir_all(root).unwrap();
    for _ in 0..steps {
        let folder =
            (0..random.below(4)).fold(root.to_owned(), |path, _| path.join(format!("d{}", random.below(3))));
        if fs::create_dir_all(&folder).is_err() {
            continue;
        }
        let path = folder.join(format!("f{}", random.below(12)));
        let (seed, bits) = (random.below(1 << 40), random.below(20));
        let length = random.below(1 << bits) as usize;
        // What cannot be done to what is there is passed by.
        let _ = match random.below(8) {
            0 => fs::remove_file(&path),
            1 => fs::remove_dir_all(&path),
            2 => symlink(format!("f{}", random.below(12)), &path),
            // Neither program keeps which links are one, only which files.
            3 if path.is_symlink() => continue,
            3 => fs::hard_link(&path, folder.join(format!("f{}", random.below(12)))),
            4 => fs::rename(&path, root.join(format!("moved{}", random.below(9)))),
            _ => fs::write(&path, noise(seed, length)),
        };
    }
}

/// What this version of restic loses of a kind of tree, by path in it.
fn lost(restic: &Restic, kind: &str) -> Vec<&'static str> {
    let of = |path: &&'static str| path.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    restic.loses().iter().filter_map(of).collect()
}

#[test]
fn trees_of_twenty_kinds_go_through_either_program() {
    for restic in restics() {
        let folder = temporary();
        let (source, ours, theirs) =
            (folder.path().join("source"), folder.path().join("ours"), folder.path().join("theirs"));
        fs::create_dir(&source).unwrap();
        KINDS.iter().for_each(|(name, make)| make(&source.join(name)));
        let repository = init(&ours);
        let snapshots: Vec<Id> =
            KINDS.iter().map(|(name, _)| backup(&repository, &[&source.join(name)]).snapshot).collect();
        restic.check(&ours);
        restic.run(&theirs, &["init"]);
        for ((name, _), snapshot) in KINDS.iter().zip(snapshots) {
            let (root, target) = (source.join(name), folder.path().join("target"));
            restic.run(&ours, &["restore", &snapshot.to_string(), "--target", target.to_str().unwrap()]);
            assert_same_but(&root, &beneath(&target, &root), &lost(&restic, name));
            fs::remove_dir_all(&target).unwrap();
            restic.run(&theirs, &["backup", root.to_str().unwrap()]);
        }
        let repository = open(&theirs);
        assert_eq!(check(&repository).problems, []);
        for ((name, _), snapshot) in KINDS.iter().zip(repository.snapshots().unwrap()) {
            let (root, target) = (source.join(name), folder.path().join("target"));
            assert_eq!(snapshot.paths, [root.to_str().unwrap()]);
            restore(&repository, &snapshot, &target);
            assert_same_but(&root, &beneath(&target, &root), &lost(&restic, name));
            fs::remove_dir_all(&target).unwrap();
        }
    }
}

/// A repository that both work on, another for copies, and what each snapshot must restore to.
struct History {
    folder: tempfile::TempDir,
    /// Snapshots with copies of what they hold; those of ours, and those of restic.
    kept: Vec<(Id, PathBuf)>,
    random: Random,
}

impl History {
    fn source(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn copies(&self) -> PathBuf {
        self.folder.path().join("copies")
    }

    /// Notes that the newest snapshot holds what the source holds now.
    fn keep(&mut self, repository: &Repository) {
        let known = |id: &Id| self.kept.iter().any(|(kept, _)| kept == id);
        let new =
            repository.snapshots().unwrap().into_iter().map(|snapshot| snapshot.id).find(|id| !known(id));
        let id = new.expect("a snapshot was written");
        let copy = self.folder.path().join(format!("copy-{}", id));
        assert!(Command::new("cp").arg("-a").arg(self.source()).arg(&copy).status().unwrap().success());
        self.kept.push((id, copy));
    }

    /// One of the snapshots, which is to be no more. One always stays.
    fn give_up(&mut self) -> Option<Id> {
        if self.kept.len() < 2 {
            return None;
        }
        let at = self.random.below(self.kept.len() as u64) as usize;
        let (id, copy) = self.kept.remove(at);
        fs::remove_dir_all(copy).unwrap();
        Some(id)
    }

    fn step(&mut self, restic: &Restic) -> &'static str {
        let (source, vault, copies) = (self.source(), self.vault(), self.copies());
        let (cancel, repository) = (Cancel::new(), open(&vault));
        match self.random.below(9) {
            0..=1 => {
                mix(&source, &mut self.random, 30);
                backup(&repository, &[&source]);
                self.keep(&repository);
                "our backup"
            }
            2..=3 => {
                mix(&source, &mut self.random, 30);
                restic.run(&vault, &["backup", source.to_str().unwrap()]);
                self.keep(&repository);
                "their backup"
            }
            4 => {
                let ids: Vec<Id> = self.give_up().into_iter().collect();
                repository.forget(&ids, Disposal::Remove, &cancel).unwrap();
                "our forget"
            }
            5 => {
                if let Some(id) = self.give_up() {
                    restic.run(&vault, &["forget", &id.to_string()]);
                }
                "their forget"
            }
            6 => {
                let options =
                    PruneOptions { max_waste: 0.0, disposal: Disposal::Remove, ..PruneOptions::default() };
                repository.prune(&options, &VoidMonitor, &cancel).unwrap();
                "our prune"
            }
            7 => {
                restic.run(&vault, &["prune", "--max-unused", "0"]);
                "their prune"
            }
            _ => {
                let all = repository.snapshots().unwrap();
                let summary = repository.copy_to(&open(&copies), &all, &VoidMonitor, &cancel).unwrap();
                assert!(summary.failed.is_empty());
                restic.check(&copies);
                "a copy"
            }
        }
    }
}

#[test]
fn random_histories_by_both_in_turns_lose_nothing() {
    for (number, restic) in restics().into_iter().enumerate() {
        for theirs in [false, true] {
            let seed = 100 * number as u64 + u64::from(theirs);
            let mut history = History { folder: temporary(), kept: Vec::new(), random: Random::new(seed) };
            let (source, vault) = (history.source(), history.vault());
            match theirs {
                true => drop(restic.run(&vault, &["init"])),
                false => drop(init(&vault)),
            }
            init(&history.copies());
            mix(&source, &mut history.random, 100);
            let mut steps = Vec::new();
            for _ in 0..long(12, 100) {
                steps.push(history.step(&restic));
                let (ok, said) = restic.attempt(&vault, &["check", "--read-data"]);
                assert!(ok, "after {steps:?}:\n{said}");
                assert_eq!(check(&open(&vault)).problems, [], "after {steps:?}");
            }
            let repository = open(&vault);
            assert_eq!(repository.snapshots().unwrap().len(), history.kept.len(), "{steps:?}");
            for (id, copy) in &history.kept {
                let target = temporary();
                let snapshot = repository.snapshot(&id.to_string()).unwrap();
                restore(&repository, &snapshot, &target.path().join("ours"));
                assert_same(copy, &beneath(&target.path().join("ours"), &source));
                let into = target.path().join("theirs");
                restic.run(&vault, &["restore", &id.to_string(), "--target", into.to_str().unwrap()]);
                assert_same(copy, &beneath(&into, &source));
            }
        }
    }
}
