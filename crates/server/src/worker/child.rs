//! The child's side: open the vault, do the work, answer.

use std::{
    io::{BufRead, Write},
    path::Path,
    time::Duration,
};

use roadstead_vault::{
    Cancel, CheckOptions, Id, Page, Repository, VoidMonitor,
    store::{FileKind, Name, Store},
};
use serde::Serialize;

use super::{Order, Reply, Task, cleanup, copy, drill, file, look, repair, view};
use crate::{
    Error, Result,
    db::{check::CheckFindings, row::timestamp},
};

/// How much memory a child may map, in bytes. Threads reserve far more than they use.
const MEMORY_LIMIT: u64 = 4 << 30;
/// How long a check waits for those who are alone in the vault: the end of a cleanup, a repair.
const CHECK_WAITS: Duration = Duration::from_mins(10);
/// How many problems of a check are told one by one.
const MAX_PROBLEMS: usize = 1000;

/// The main function of a child: reads its order from standard input, and answers on standard output.
pub fn vault_work() -> Result<()> {
    let limit = rustix::process::Rlimit { current: Some(MEMORY_LIMIT), maximum: Some(MEMORY_LIMIT) };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).map_err(std::io::Error::from)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let order: Order = serde_json::from_str(&line)
        .map_err(|e| Error::invalid("The order is not of its form.").caused_by(e))?;
    if let Order { task: Task::View { snapshot, password }, .. } = &order {
        // It listens to its input itself.
        return view::show(open(&order, &Cancel::new()), snapshot, password);
    }
    let cancel = Cancel::new();
    cancel_when_input_ends(cancel.clone());
    carry_out(order, &cancel)
}

/// The parent holds the other end of standard input: when it closes, also by the parent's death, nobody waits for
/// the answer any more.
fn cancel_when_input_ends(cancel: Cancel) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        cancel.cancel();
    });
}

fn carry_out(order: Order, cancel: &Cancel) -> Result<()> {
    let repository = open(&order, cancel);
    match order.task {
        Task::Check { read_data, part, parts } => answer(
            repository
                .and_then(|r| check(&r.with_lock_patience(CHECK_WAITS), read_data, (part, parts), cancel)),
        ),
        Task::CheckNames => {
            answer(order.folder.store(cancel).and_then(|store| check_names(store.as_ref(), cancel)))
        }
        Task::PlanCleanup { policies, now_ms } => {
            answer(repository.and_then(|r| cleanup::plan(&r, &policies, timestamp(now_ms)?)))
        }
        Task::Cleanup { policies, now_ms, empty_before_ms } => answer(repository.and_then(|r| {
            let times = (timestamp(now_ms)?, timestamp(empty_before_ms)?);
            cleanup::clean(&r, &order.folder.files()?, &policies, times, cancel)
        })),
        Task::Drill { snapshots, files, bytes, scratch } => {
            answer(repository.and_then(|r| drill::drill(&r, snapshots, (files, bytes), scratch, cancel)))
        }
        Task::Copy { snapshots, destination, rechunk } => {
            answer(repository.and_then(|r| copy::copy(&r, &snapshots, &destination, rechunk, cancel)))
        }
        Task::Repair { read_data, dry_run } => {
            answer(repository.and_then(|r| repair::repair(&r, read_data, dry_run, cancel)))
        }
        Task::RestoreTrash => {
            answer(repository.and_then(|r| cleanup::restore_trash(&r, &order.folder.files()?, cancel)))
        }
        Task::List { snapshot, path, offset, limit } => answer(repository.and_then(|r| {
            let entries = r.list(&r.snapshot(&snapshot)?, Path::new(&path), Page { offset, limit })?;
            Ok(entries.into_iter().map(file).collect::<Vec<_>>())
        })),
        Task::Find { snapshots, pattern, ignore_case, offset, limit } => answer(
            repository
                .and_then(|r| look::find(&r, &snapshots, (pattern, ignore_case), (offset, limit), cancel)),
        ),
        Task::Diff { before, after, offset, limit } => {
            answer(repository.and_then(|r| look::diff(&r, [&before, &after], (offset, limit), cancel)))
        }
        Task::Count { snapshots } => answer(repository.and_then(|r| look::count(&r, &snapshots, cancel))),
        Task::Archive { snapshot, path, is_zip } => {
            stream(|out| look::archive(&repository?, (&snapshot, &path, is_zip), out, cancel))
        }
        Task::View { snapshot, password } => view::show(repository, &snapshot, &password),
        Task::Content { snapshot, path } => stream(|out| {
            let repository = repository?;
            repository.cat(&repository.snapshot(&snapshot)?, Path::new(&path), out, cancel)?;
            Ok(())
        }),
    }
}

fn open(order: &Order, cancel: &Cancel) -> Result<Repository> {
    Ok(Repository::open(order.folder.store(cancel)?, order.password.as_bytes())?)
}

fn check(
    repository: &Repository,
    read_data: bool,
    part: (u32, u32),
    cancel: &Cancel,
) -> Result<CheckFindings> {
    let options = CheckOptions { read_data, part: Some(part), ..CheckOptions::default() };
    let report = repository.check(&options, &VoidMonitor, cancel)?;
    let mut problems: Vec<String> = report.problems.iter().take(MAX_PROBLEMS).map(problem_in_words).collect();
    if report.problems.len() > MAX_PROBLEMS {
        problems.push(format!("and {} more problems", report.problems.len() - MAX_PROBLEMS));
    }
    Ok(CheckFindings {
        problems,
        snapshots_checked: report.snapshots,
        packs_checked: report.packs,
        bytes_read: report.bytes_read,
    })
}

/// Compares every file with its name, which is the SHA-256 of its bytes.
fn check_names(store: &dyn Store, cancel: &Cancel) -> Result<CheckFindings> {
    let mut findings = CheckFindings::default();
    let mut files = Vec::new();
    for kind in [FileKind::Key, FileKind::Pack, FileKind::Index, FileKind::Snapshot] {
        files.extend(store.list(kind)?.into_iter().map(|(name, _)| (kind, name)));
    }
    for (kind, name) in files {
        if cancel.is_cancelled() {
            return Err(Error::new(crate::ErrorKind::Unavailable, "Nobody waits for the check any more."));
        }
        match store.read(kind, &name) {
            Ok(bytes) if Name(Id::of(&bytes)) == name => findings.bytes_read += bytes.len() as u64,
            Ok(_) => findings.problems.push(format!("{kind}/{name} is not what its name says")),
            // Something that a cleanup or a password's change took away meanwhile.
            Err(error) if error.kind() == roadstead_vault::ErrorKind::NotFound => {}
            Err(error) => findings.problems.push(format!("{kind}/{name} cannot be read: {error}")),
        }
        findings.snapshots_checked += u64::from(kind == FileKind::Snapshot);
        findings.packs_checked += u64::from(kind == FileKind::Pack);
    }
    findings.problems.truncate(MAX_PROBLEMS);
    Ok(findings)
}

fn problem_in_words(problem: &roadstead_vault::Problem) -> String {
    let mut text = problem.message.clone();
    if let Some(hit) = problem.hits.first() {
        let more = problem.hits.len() - 1;
        text.push_str(&format!(" (hits {} in snapshot {}", hit.path.display(), hit.snapshot));
        text.push_str(&if more == 0 { ")".to_owned() } else { format!(", and {more} more)") });
    }
    text
}

/// Answers with what is written out.
fn stream(write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let mut out =
        Announced { out: std::io::BufWriter::with_capacity(1 << 20, std::io::stdout()), begun: false };
    let written = write(&mut out);
    match written {
        Err(error) if !out.begun => answer::<()>(Err(error)),
        Err(error) => Err(error),
        Ok(_) => Ok(out.announce().and_then(|()| out.flush())?),
    }
}

/// Answers that all is well before the first byte of a file, so that a path that there is not is an answer, and not a
/// broken stream.
struct Announced<W> {
    out: W,
    begun: bool,
}

impl<W: Write> Announced<W> {
    fn announce(&mut self) -> std::io::Result<()> {
        if !self.begun {
            self.begun = true;
            serde_json::to_writer(&mut self.out, &Reply::Done(()))?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Announced<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.announce()?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

pub(super) fn answer<T: Serialize>(result: Result<T>) -> Result<()> {
    let line = serde_json::to_string(&Reply::of(result));
    let line = line.map_err(|e| Error::internal("The answer could not be written as JSON.").caused_by(e))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
