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
}

/// A program with the repository of one round.
pub struct Tool {
    /// What to call it in a table.
    pub name: &'static str,
    kind: Kind,
    program: PathBuf,
    repository: PathBuf,
    /// Names given to the backups so far; only Borg wants them.
    backups: usize,
}

/// The engine, restic, and Borg if it is installed, with repositories in this folder yet to be made.
pub fn tools(ours: &Path, restic: &Path, folder: &Path) -> Vec<Tool> {
    let tool = |name: &'static str, kind, program: &Path| Tool {
        name,
        kind,
        program: program.to_owned(),
        repository: folder.join(name),
        backups: 0,
    };
    let mut tools = vec![tool("ours", Kind::Ours, ours), tool("restic", Kind::Restic, restic)];
    if works("borg", "--version") {
        tools.push(tool("borg", Kind::Borg, Path::new("borg")));
    }
    tools
}

impl Tool {
    /// Makes the repository, in place of an old one.
    pub fn init(&self) -> Result<()> {
        let _ = fs::remove_dir_all(&self.repository);
        run(self
            .command(&["init"], &["init", "--quiet"], &["init", "-e", "repokey-blake2", "::"])
            .stdout(std::process::Stdio::null()))
    }

    /// Backs a folder up.
    pub fn backup(&mut self, source: &Path) -> Result<Cost> {
        self.backups += 1;
        let (source, name) = (source.display().to_string(), format!("::{}", self.backups));
        cost(&mut self.command(
            &["backup", &source],
            &["backup", &source],
            &["create", "--compression", "zstd,3", &name, &source],
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
            )
            .current_dir(target),
        )
    }

    /// Verifies everything.
    pub fn check(&self) -> Result<Cost> {
        cost(&mut self.command(&["check-data"], &["check", "--read-data"], &["check", "--verify-data"]))
    }

    /// Forgets all but the last backup and takes away what only the others needed.
    pub fn prune(&self) -> Result<Cost> {
        let mut snapshots = self.snapshots()?;
        snapshots.pop();
        let names: Vec<String> = (1..self.backups).map(|number| number.to_string()).collect();
        let delete = [vec!["delete", "::"], names.iter().map(String::as_str).collect()].concat();
        let forget = [vec!["forget"], snapshots.iter().map(String::as_str).collect()].concat();
        let forgotten =
            cost(&mut self.command(&forget, &["forget", "--group-by", "", "--keep-last", "1"], &delete))?;
        let pruned = cost(&mut self.command(&["prune"], &["prune"], &["compact", "::"]))?;
        Ok(forgotten.then(pruned))
    }

    /// What the repository takes, in bytes.
    pub fn size(&self) -> Result<u64> {
        size(&self.repository)
    }

    /// Our snapshots, oldest first; the rivals need no ids.
    fn snapshots(&self) -> Result<Vec<String>> {
        if self.kind != Kind::Ours {
            return Ok(Vec::new());
        }
        let listed = output(&mut self.command(&["snapshots"], &[], &[]))?;
        Ok(listed.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect())
    }

    fn command(&self, ours: &[&str], restic: &[&str], borg: &[&str]) -> Command {
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
