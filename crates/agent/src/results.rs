//! How runs ended, on disk: one file a run, `results/<run>.json`, from the end of the run until the server has it; beside it,
//! `results/<run>.errors` with the errors of single files.
//!
//! Written by the job's process, or by the agent where that process could not; read and removed by the agent alone.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use roadstead_api::{
    link::{Outcome, RunKind, RunRef},
    run::{Progress, RunState},
};

use crate::durable;

/// The folder of results.
#[derive(Clone, Debug)]
pub(crate) struct Results(PathBuf);

impl Results {
    /// The folder at `path`; made where it is missing.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        durable::make_folder(&path)?;
        Ok(Self(path))
    }

    /// The runs whose results are kept. What has another name, or cannot be read, is left alone.
    pub fn list(&self) -> io::Result<Vec<RunRef>> {
        let mut runs = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let Some(run) = name.to_str().and_then(|name| parse_run(name.strip_suffix(".json")?)) else {
                continue;
            };
            match self.load(run) {
                Ok(_) => runs.push(run),
                Err(e) => tracing::warn!(%run, error = %e, "a kept result cannot be read"),
            }
        }
        Ok(runs)
    }

    /// Keeps a result, so that it outlives this process and a power cut.
    pub fn save(&self, run: RunRef, outcome: &Outcome) -> io::Result<()> {
        durable::write(&self.path(run), &serde_json::to_vec(outcome)?)
    }

    /// Reads a result.
    pub fn load(&self, run: RunRef) -> io::Result<Outcome> {
        Ok(serde_json::from_slice(&fs::read(self.path(run))?)?)
    }

    /// Forgets a result. One that comes back after a power cut is only sent once more.
    pub fn remove(&self, run: RunRef) -> io::Result<()> {
        remove(&self.path(run))?;
        remove(&self.errors(run))
    }

    /// Where the errors of a run's files are.
    pub fn errors(&self, run: RunRef) -> PathBuf {
        self.0.join(format!("{run}.errors"))
    }

    /// Removes what a process that was killed while it wrote has left. Only without a job at work.
    pub fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let of_none = name.to_str().and_then(|name| parse_run(name.strip_suffix(".errors")?));
            if name.to_string_lossy().starts_with(durable::UNFINISHED)
                || of_none.is_some_and(|run| !self.path(run).exists())
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn path(&self, run: RunRef) -> PathBuf {
        Path::new(&self.0).join(format!("{run}.json"))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Reads what [`RunRef`]'s `Display` writes.
fn parse_run(text: &str) -> Option<RunRef> {
    let (kind, id) = text.split_once('-')?;
    let kind = match kind {
        "backup" => RunKind::Backup,
        "restore" => RunKind::Restore,
        "sealing" => RunKind::Sealing,
        "upkeep" => RunKind::Upkeep,
        _ => return None,
    };
    Some(RunRef { kind, id: id.parse().ok()? }).filter(|run| run.to_string() == text)
}

/// The result of a run that did nothing worth counting.
pub(crate) fn idle(state: RunState, reason: Option<String>) -> Outcome {
    Outcome {
        state,
        reason,
        snapshot_id: None,
        started_ms: now_ms(),
        duration_ms: 0,
        progress: Progress::default(),
        files_skipped: 0,
        errors: Vec::new(),
        hooks: Vec::new(),
        plan: None,
        upkeep: None,
    }
}

/// Now, in milliseconds since 1970, by this machine's clock.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    milliseconds(since)
}

/// A duration as the link has it.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        link::{RunKind, RunRef},
        run::RunState,
    };

    use super::{Results, idle, parse_run};

    #[test]
    fn a_result_is_kept_listed_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path().join("results")).unwrap();
        let run = RunRef { kind: RunKind::Restore, id: 7 };
        let outcome = idle(RunState::Failed, Some("a reason".to_owned()));
        results.save(run, &outcome).unwrap();
        assert_eq!(results.list().unwrap(), [run]);
        assert_eq!(results.load(run).unwrap(), outcome);
        std::fs::write(results.errors(run), "").unwrap();
        results.sweep().unwrap();
        assert!(results.errors(run).exists());
        results.remove(run).unwrap();
        results.remove(run).unwrap();
        assert!(!results.errors(run).exists());
        std::fs::write(results.errors(run), "of a run that was killed").unwrap();
        results.sweep().unwrap();
        assert!(!results.errors(run).exists());
        assert!(results.list().unwrap().is_empty());
    }

    #[test]
    fn strange_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path().to_owned()).unwrap();
        for name in
            ["backup-1.json", "backup-01.json", "backup-x.json", "notes.txt", ".unfinished-1-backup-2.json"]
        {
            std::fs::write(folder.path().join(name), "{").unwrap();
        }
        assert!(results.list().unwrap().is_empty());
        results.sweep().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn names_of_runs_are_read_back() {
        for run in [RunRef { kind: RunKind::Backup, id: 12 }, RunRef { kind: RunKind::Restore, id: i64::MAX }]
        {
            assert_eq!(parse_run(&run.to_string()), Some(run));
        }
        for bad in ["backup", "backup-", "backup-+1", "backup-007", "check-1", "backup-1-2"] {
            assert_eq!(parse_run(bad), None, "{bad}");
        }
    }
}
