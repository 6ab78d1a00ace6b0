//! The programs that are measured, and how each is asked for the same work.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::measure::{Cost, cost};
use crate::command::{output, run, works};

const PASSWORD: &str = "bench";

/// A program that makes backups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Restic,
    Borg,
    Rustic,
}

/// A program with the repository of one round.
pub struct Tool {
    /// What to call it in a table.
    pub name: &'static str,
    /// In how many rounds it takes part; it is enough to be beaten once by a wide margin.
    pub rounds: u64,
    kind: Kind,
    program: PathBuf,
    repository: PathBuf,
    /// Names given to the backups so far; only Borg wants them.
    backups: usize,
}

/// The engine and its rivals as far as they are there, with repositories in this folder yet to be made.
pub fn tools(programs: &Programs, folder: &Path) -> Vec<Tool> {
    let tool = |name: &'static str, kind, rounds, program: &Path| Tool {
        name,
        rounds,
        kind,
        program: program.to_owned(),
        repository: folder.join(name),
        backups: 0,
    };
    let all = u64::MAX;
    let mut tools = vec![tool("ours", Kind::Ours, all, &programs.ours)];
    tools.extend(programs.restic.iter().map(|restic| tool("restic", Kind::Restic, all, restic)));
    if programs.restic.is_some() && works("borg", "--version") {
        tools.push(tool("borg", Kind::Borg, all, Path::new("borg")));
    }
    tools.extend(programs.rustic.iter().map(|rustic| tool("rustic", Kind::Rustic, 1, rustic)));
    tools
}

/// What is measured: without restic, ours alone.
pub struct Programs {
    /// Our engine as a command.
    pub ours: PathBuf,
    /// The newest restic.
    pub restic: Option<PathBuf>,
    /// rustic_core as a command.
    pub rustic: Option<PathBuf>,
}

impl Tool {
    /// Makes the repository, in place of an old one.
    pub fn init(&self) -> Result<()> {
        let _ = fs::remove_dir_all(&self.repository);
        run(self
            .command(&["init"], &["init", "--quiet"], &["init", "-e", "repokey-blake2", "::"], &["init"])
            .stdout(std::process::Stdio::null()))
    }

    /// Where its repository is.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Deletes the repository.
    pub fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.repository).with_context(|| self.repository.display().to_string())
    }

    /// Backs a folder up.
    pub fn backup(&mut self, source: &Path) -> Result<Cost> {
        self.backups += 1;
        let (source, name) = (source.display().to_string(), format!("::{}", self.backups));
        cost(&mut self.command(
            &["backup", &source],
            &["backup", &source],
            &["create", "--compression", "zstd,3", &name, &source],
            &["backup", &source],
        ))
    }

    /// Restores the last backup into a new folder.
    pub fn restore(&self, target: &Path) -> Result<Cost> {
        fs::create_dir_all(target)?;
        let (into, name) = (target.display().to_string(), format!("::{}", self.backups));
        let snapshot = self.snapshots()?.pop().unwrap_or_default();
        cost(
            self.command(
                &["restore", &snapshot, &into],
                &["restore", "latest", "--target", &into],
                &["extract", &name],
                &["restore", "latest", &into],
            )
            .current_dir(target),
        )
    }

    /// Verifies everything.
    pub fn check(&self) -> Result<Cost> {
        let borg = ["check", "--verify-data"];
        cost(&mut self.command(&["check-data"], &["check", "--read-data"], &borg, &["check"]))
    }

    /// Forgets all but the last backup and takes away what only the others needed.
    pub fn prune(&self) -> Result<Cost> {
        let mut snapshots = self.snapshots()?;
        snapshots.pop();
        let names: Vec<String> = (1..self.backups).map(|number| number.to_string()).collect();
        let delete = [vec!["delete", "::"], names.iter().map(String::as_str).collect()].concat();
        let forget = [vec!["forget"], snapshots.iter().map(String::as_str).collect()].concat();
        let keep_one = ["forget", "--group-by", "", "--keep-last", "1"];
        let forgotten = cost(&mut self.command(&forget, &keep_one, &delete, &forget))?;
        let pruned = cost(&mut self.command(&["prune"], &["prune"], &["compact", "::"], &["prune"]))?;
        Ok(forgotten.then(pruned))
    }

    /// What the repository takes, in bytes.
    pub fn size(&self) -> Result<u64> {
        size(&self.repository)
    }

    /// How long our engine goes on, in seconds, when it is cancelled so many milliseconds after it began a backup.
    pub fn cancel(&self, source: &Path, after: u64) -> Result<f64> {
        let (source, after) = (source.display().to_string(), after.to_string());
        let milliseconds = output(&mut self.command(&["cancel", &after, &source], &[], &[], &[]))?;
        Ok(milliseconds.trim().parse::<f64>()? / 1000.0)
    }

    /// The snapshots of those that want their ids, oldest first.
    fn snapshots(&self) -> Result<Vec<String>> {
        if !matches!(self.kind, Kind::Ours | Kind::Rustic) {
            return Ok(Vec::new());
        }
        let listed = output(&mut self.command(&["snapshots"], &[], &[], &["snapshots"]))?;
        Ok(listed.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect())
    }

    fn command(&self, ours: &[&str], restic: &[&str], borg: &[&str], rustic: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        match self.kind {
            Kind::Ours => {
                command.env("VAULT_PASSWORD", PASSWORD).arg(ours[0]).arg(&self.repository).args(&ours[1..])
            }
            Kind::Restic => command
                .env("RESTIC_PASSWORD", PASSWORD)
                .args(["--no-cache", "--repo"])
                .arg(&self.repository)
                .args(restic),
            Kind::Borg => command
                .env("BORG_PASSPHRASE", PASSWORD)
                .env("BORG_REPO", &self.repository)
                .env("BORG_BASE_DIR", self.repository.with_extension("home"))
                .env("BORG_DELETE_I_KNOW_WHAT_I_AM_DOING", "YES")
                .args(borg),
            Kind::Rustic => command
                .env("RUSTIC_PASSWORD", PASSWORD)
                .arg(rustic[0])
                .arg(&self.repository)
                .args(&rustic[1..]),
        };
        command
    }
}

fn size(path: &Path) -> Result<u64> {
    let metadata = fs::symlink_metadata(path).with_context(|| path.display().to_string())?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}
