//! What the tests share: the real restic, trees of every kind of file, and their comparison.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod faulty;
pub mod trees;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use roadstead_vault::store::LocalStore;
use roadstead_vault::{
    BackupOptions, BackupSummary, Cancel, CheckOptions, CheckReport, FileError, InitOptions, KdfCost,
    Monitor, Repository, RestoreOptions, RestoreSummary, Snapshot,
};

pub const PASSWORD: &str = "correct horse";

/// The restic programs to test against: those in `ROADSTEAD_RESTIC` (separated by colons), or the one in
/// the path. Without any the test says so and passes, but not in CI.
pub fn restics() -> Vec<Restic> {
    let given = std::env::var("ROADSTEAD_RESTIC").unwrap_or_else(|_| "restic".to_owned());
    let works =
        |program: &&str| Command::new(program).arg("version").output().is_ok_and(|o| o.status.success());
    let found: Vec<Restic> =
        given.split(':').filter(works).map(|program| Restic { program: program.to_owned() }).collect();
    if found.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "no restic to test against: {given}");
        eprintln!("skipped: no restic to test against");
    }
    found
}

pub struct Restic {
    program: String,
}

impl Restic {
    /// Runs restic on a repository; its output. Panics when it fails.
    pub fn run(&self, repository: &Path, arguments: &[&str]) -> String {
        let (ok, output) = self.attempt(repository, arguments);
        assert!(ok, "{} {arguments:?} failed:\n{output}", self.program);
        output
    }

    /// Whether restic succeeded, and all it said.
    pub fn attempt(&self, repository: &Path, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(&self.program);
        command.arg("--no-cache").arg("-r").arg(repository).args(arguments);
        command.env("RESTIC_PASSWORD", PASSWORD).env("RESTIC_FROM_PASSWORD", PASSWORD);
        // For repositories in a bucket.
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    /// What this version loses of the trees we test with: sockets, and before 0.16 link targets that are no
    /// UTF-8 and attributes of links.
    pub fn loses(&self) -> &'static [&'static str] {
        match self.is_old() {
            true => &["specials/socket", "links/bytes", "attributes/link"],
            false => &["specials/socket"],
        }
    }

    /// Whether this is a version before 0.16.
    pub fn is_old(&self) -> bool {
        let output = Command::new(&self.program).arg("version").output().unwrap().stdout;
        let version = String::from_utf8(output).unwrap();
        let minor =
            version.strip_prefix("restic 0.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        minor.is_some_and(|minor| minor < 16)
    }

    /// The strictest check there is.
    pub fn check(&self, repository: &Path) {
        let output = self.run(repository, &["check", "--read-data"]);
        assert!(output.contains("no errors were found"), "{output}");
    }
}

/// rustic_core, as the program of `bench/rustic` that `ROADSTEAD_RUSTIC` names. `cargo xtask test --long` builds it;
/// other runs do without.
pub fn rustic() -> Option<Rustic> {
    let program = std::env::var_os("ROADSTEAD_RUSTIC")?;
    Some(Rustic { program: program.into() })
}

pub struct Rustic {
    program: PathBuf,
}

impl Rustic {
    /// Runs it on a repository; its output. Panics when it fails.
    pub fn run(&self, repository: &Path, arguments: &[&str]) -> String {
        let (ok, output) = self.attempt(repository, arguments);
        assert!(ok, "rustic {arguments:?} failed:\n{output}");
        output
    }

    /// Whether it succeeded, and all it said.
    pub fn attempt(&self, repository: &Path, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(&self.program);
        command.args(arguments.first()).arg(repository).args(arguments.iter().skip(1));
        let output = command.env("RUSTIC_PASSWORD", PASSWORD).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// A monitor that remembers.
#[derive(Default)]
pub struct Recorder {
    pub errors: Mutex<Vec<FileError>>,
    pub warnings: Mutex<Vec<FileError>>,
}

impl Recorder {
    pub fn error_paths(&self) -> Vec<PathBuf> {
        self.errors.lock().unwrap().iter().map(|error| error.path.clone()).collect()
    }
}

impl Monitor for Recorder {
    fn error(&self, error: &FileError) {
        self.errors.lock().unwrap().push(error.clone());
    }

    fn warning(&self, warning: &FileError) {
        self.warnings.lock().unwrap().push(warning.clone());
    }
}

/// A folder that is removed at the end, even if a test left things in it that resist.
pub fn temporary() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("vault-test-").tempdir().unwrap()
}

/// A new repository of ours.
pub fn init(folder: &Path) -> Repository {
    let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
    Repository::init(Arc::new(LocalStore::new(folder)), PASSWORD.as_bytes(), &options).unwrap()
}

pub fn open(folder: &Path) -> Repository {
    Repository::open(Arc::new(LocalStore::new(folder)), PASSWORD.as_bytes()).unwrap()
}

pub fn options(paths: &[&Path]) -> BackupOptions {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    BackupOptions { paths, ..BackupOptions::default() }
}

/// A backup without a single error.
pub fn backup(repository: &Repository, paths: &[&Path]) -> BackupSummary {
    let monitor = Recorder::default();
    let summary = repository.backup(&options(paths), &monitor, &Cancel::new()).unwrap();
    assert_eq!((monitor.error_paths(), summary.errors), (vec![], 0));
    summary
}

/// A restore without a single error.
pub fn restore(repository: &Repository, snapshot: &Snapshot, target: &Path) -> RestoreSummary {
    let monitor = Recorder::default();
    let summary =
        repository.restore(snapshot, &RestoreOptions::to(target), &monitor, &Cancel::new()).unwrap();
    assert!(monitor.errors.lock().unwrap().is_empty(), "{:?}", monitor.errors.lock().unwrap());
    summary
}

/// Our check with all data.
pub fn check(repository: &Repository) -> CheckReport {
    let options = CheckOptions { read_data: true, threads: 2, ..CheckOptions::default() };
    repository.check(&options, &Recorder::default(), &Cancel::new()).unwrap()
}

pub fn latest(repository: &Repository) -> Snapshot {
    repository.snapshots().unwrap().pop().unwrap()
}

/// Where a restored absolute path lies.
pub fn beneath(target: &Path, path: &Path) -> PathBuf {
    target.join(path.strip_prefix("/").unwrap())
}

/// All files of a kind in a local repository.
pub fn stored(repository: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository.join(kind)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// So many rounds, or more of them where there is time.
pub fn long(usual: u64, long: u64) -> u64 {
    if std::env::var_os("ROADSTEAD_LONG").is_some() { long } else { usual }
}

/// Numbers that look random but are the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number less than `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}
