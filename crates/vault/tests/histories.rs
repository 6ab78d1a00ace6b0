//! Both programs on one repository, we and restic or rustic: trees of every kind through either, and random
//! histories in turns.

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
use support::trees::{self, assert_same_but, noise};
use support::{
    Random, Restic, Rustic, backup, beneath, check, init, long, open, restics, restore, rustic, temporary,
};

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

/// What rustic loses of a tree: of the folder that it is asked for all but the name.
const RUSTIC_LOSES: &[&str] = &[""];

/// What rustic does not bring back of what restic's format keeps of a kind of tree, by path in it. A mode of 0 is left out
/// there, like every 0, and rustic takes it for one that nobody knows.
fn ignored_by_rustic(kind: &str) -> &'static [&'static str] {
    match kind {
        "modes" => &["file-0"],
        _ => &[],
    }
}

#[test]
fn trees_of_twenty_kinds_go_through_rustic_as_well() {
    let Some(rustic) = rustic() else { return };
    let folder = temporary();
    let (source, ours, theirs) =
        (folder.path().join("source"), folder.path().join("ours"), folder.path().join("theirs"));
    fs::create_dir(&source).unwrap();
    KINDS.iter().for_each(|(name, make)| make(&source.join(name)));
    let repository = init(&ours);
    rustic.run(&theirs, &["init"]);
    let target = folder.path().join("target");
    for (name, _) in &KINDS {
        let root = source.join(name);
        let snapshot = backup(&repository, &[&root]).snapshot.to_string();
        rustic.run(&ours, &["restore", &snapshot, target.to_str().unwrap()]);
        assert_same_but(&root, &beneath(&target, &root), ignored_by_rustic(name));
        fs::remove_dir_all(&target).unwrap();
        rustic.run(&theirs, &["backup", root.to_str().unwrap()]);
        // Of an empty folder it saves not even the name.
        if *name != "empty" {
            let repository = open(&theirs);
            restore(&repository, &support::latest(&repository), &target);
            assert_same_but(&root, &beneath(&target, &root), RUSTIC_LOSES);
            fs::remove_dir_all(&target).unwrap();
        }
    }
    rustic.run(&ours, &["check"]);
    assert_eq!(check(&open(&theirs)).problems, []);
    restics().iter().for_each(|restic| restic.check(&theirs));
}

/// The program that works on a repository in turns with us.
trait Other {
    fn init(&self, vault: &Path);
    fn backup(&self, vault: &Path, source: &Path);
    fn forget(&self, vault: &Path, id: &Id);
    fn prune(&self, vault: &Path);
    /// Copies all that is not there yet; false where it knows no copies.
    fn copy(&self, from: &Path, to: &Path) -> bool;
    fn restore(&self, vault: &Path, id: &Id, target: &Path);
    /// The strictest check there is: whether it was passed, and what was said.
    fn verify(&self, vault: &Path) -> (bool, String);
    /// What it loses of a tree, by path in it.
    fn loses(&self) -> &'static [&'static str];
}

impl Other for Restic {
    fn init(&self, vault: &Path) {
        self.run(vault, &["init"]);
    }
    fn backup(&self, vault: &Path, source: &Path) {
        self.run(vault, &["backup", source.to_str().unwrap()]);
    }
    fn forget(&self, vault: &Path, id: &Id) {
        self.run(vault, &["forget", &id.to_string()]);
    }
    fn prune(&self, vault: &Path) {
        self.run(vault, &["prune", "--max-unused", "0"]);
    }
    fn copy(&self, from: &Path, to: &Path) -> bool {
        if !self.is_old() {
            self.run(to, &["copy", "--from-repo", from.to_str().unwrap()]);
        }
        !self.is_old()
    }
    fn restore(&self, vault: &Path, id: &Id, target: &Path) {
        self.run(vault, &["restore", &id.to_string(), "--target", target.to_str().unwrap()]);
    }
    fn verify(&self, vault: &Path) -> (bool, String) {
        self.attempt(vault, &["check", "--read-data"])
    }
    fn loses(&self) -> &'static [&'static str] {
        &[]
    }
}

impl Other for Rustic {
    fn init(&self, vault: &Path) {
        self.run(vault, &["init"]);
    }
    fn backup(&self, vault: &Path, source: &Path) {
        self.run(vault, &["backup", source.to_str().unwrap()]);
    }
    fn forget(&self, vault: &Path, id: &Id) {
        self.run(vault, &["forget", &id.to_string()]);
    }
    fn prune(&self, vault: &Path) {
        self.run(vault, &["prune"]);
    }
    fn copy(&self, _: &Path, _: &Path) -> bool {
        false
    }
    fn restore(&self, vault: &Path, id: &Id, target: &Path) {
        self.run(vault, &["restore", &id.to_string(), target.to_str().unwrap()]);
    }
    fn verify(&self, vault: &Path) -> (bool, String) {
        self.attempt(vault, &["check"])
    }
    fn loses(&self) -> &'static [&'static str] {
        RUSTIC_LOSES
    }
}

/// A repository that both work on, another for copies, and what each snapshot must restore to.
struct History {
    folder: tempfile::TempDir,
    /// Snapshots with copies of what they hold; those of ours, and those of the other.
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

    fn step(&mut self, other: &dyn Other) -> &'static str {
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
                other.backup(&vault, &source);
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
                    other.forget(&vault, &id);
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
                other.prune(&vault);
                "their prune"
            }
            _ => {
                let all = repository.snapshots().unwrap();
                let theirs = all.len().is_multiple_of(2) && other.copy(&vault, &copies);
                let summary = repository.copy_to(&open(&copies), &all, &VoidMonitor, &cancel).unwrap();
                assert!(summary.failed.is_empty() && (summary.copied.is_empty() || !theirs));
                let (ok, said) = other.verify(&copies);
                assert!(ok, "{said}");
                if theirs { "their copy" } else { "our copy" }
            }
        }
    }
}

#[test]
fn random_histories_by_both_in_turns_lose_nothing() {
    for (number, restic) in restics().into_iter().enumerate() {
        for theirs in [false, true] {
            history(&restic, theirs, 100 * number as u64 + u64::from(theirs));
        }
    }
}

#[test]
fn random_histories_by_rustic_and_us_lose_nothing() {
    if let Some(rustic) = rustic() {
        [false, true].into_iter().for_each(|theirs| history(&rustic, theirs, 300 + u64::from(theirs)));
    }
}

/// Works on a repository in turns, which the other program makes if it is `theirs`.
fn history(other: &dyn Other, theirs: bool, seed: u64) {
    let mut history = History { folder: temporary(), kept: Vec::new(), random: Random::new(seed) };
    let (source, vault) = (history.source(), history.vault());
    match theirs {
        true => other.init(&vault),
        false => drop(init(&vault)),
    }
    init(&history.copies());
    mix(&source, &mut history.random, 100);
    let mut steps = Vec::new();
    for _ in 0..long(12, 100) {
        steps.push(history.step(other));
        let (ok, said) = other.verify(&vault);
        assert!(ok, "after {steps:?}:\n{said}");
        assert_eq!(check(&open(&vault)).problems, [], "after {steps:?}");
    }
    let repository = open(&vault);
    assert_eq!(repository.snapshots().unwrap().len(), history.kept.len(), "{steps:?}");
    for (id, copy) in &history.kept {
        let target = temporary();
        let snapshot = repository.snapshot(&id.to_string()).unwrap();
        restore(&repository, &snapshot, &target.path().join("ours"));
        assert_same_but(copy, &beneath(&target.path().join("ours"), &source), other.loses());
        let into = target.path().join("theirs");
        other.restore(&vault, id, &into);
        assert_same_but(copy, &beneath(&into, &source), other.loses());
    }
}
