//! The child's side: open the vault, do the work, answer.

use std::{
    io::{BufRead, Write},
    path::Path,
};

use roadstead_vault::{Cancel, CheckOptions, Page, Repository, VoidMonitor};
use serde::Serialize;

use super::{Order, Reply, Task, cleanup, file};
use crate::{
    Error, Result,
    db::{check::CheckFindings, row::timestamp},
};

/// How much memory a child may map, in bytes. Threads reserve far more than they use.
const MEMORY_LIMIT: u64 = 4 << 30;
/// How many problems of a check are told one by one.
const MAX_PROBLEMS: usize = 1000;

/// The main function of a child: reads its order from standard input, and answers on standard output.
pub fn vault_work() -> Result<()> {
    let limit = rustix::process::Rlimit { current: Some(MEMORY_LIMIT), maximum: Some(MEMORY_LIMIT) };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).map_err(std::io::Error::from)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let order = serde_json::from_str(&line)
        .map_err(|e| Error::invalid("The order is not of its form.").caused_by(e))?;
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
        Task::Check { read_data, part, parts } => {
            answer(repository.and_then(|r| check(&r, read_data, (part, parts), cancel)))
        }
        Task::PlanCleanup { policies, now_ms } => {
            answer(repository.and_then(|r| cleanup::plan(&r, &policies, timestamp(now_ms)?)))
        }
        Task::Cleanup { policies, now_ms, empty_before_ms } => answer(repository.and_then(|r| {
            let times = (timestamp(now_ms)?, timestamp(empty_before_ms)?);
            cleanup::clean(&r, &order.folder.files()?, &policies, times, cancel)
        })),
        Task::RestoreTrash => {
            answer(repository.and_then(|r| cleanup::restore_trash(&r, &order.folder.files()?, cancel)))
        }
        Task::List { snapshot, path, offset, limit } => answer(repository.and_then(|r| {
            let entries = r.list(&r.snapshot(&snapshot)?, Path::new(&path), Page { offset, limit })?;
            Ok(entries.into_iter().map(file).collect::<Vec<_>>())
        })),
        Task::Content { snapshot, path } => content(repository, &snapshot, &path, cancel),
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

fn problem_in_words(problem: &roadstead_vault::Problem) -> String {
    let mut text = problem.message.clone();
    if let Some(hit) = problem.hits.first() {
        let more = problem.hits.len() - 1;
        text.push_str(&format!(" (hits {} in snapshot {}", hit.path.display(), hit.snapshot));
        text.push_str(&if more == 0 { ")".to_owned() } else { format!(", and {more} more)") });
    }
    text
}

fn content(repository: Result<Repository>, snapshot: &str, path: &str, cancel: &Cancel) -> Result<()> {
    let mut out =
        Announced { out: std::io::BufWriter::with_capacity(1 << 20, std::io::stdout()), begun: false };
    let copied =
        repository.and_then(|r| Ok(r.cat(&r.snapshot(snapshot)?, Path::new(path), &mut out, cancel)?));
    match copied {
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

fn answer<T: Serialize>(result: Result<T>) -> Result<()> {
    let line = serde_json::to_string(&Reply::of(result));
    let line = line.map_err(|e| Error::internal("The answer could not be written as JSON.").caused_by(e))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
