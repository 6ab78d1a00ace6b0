//! Work with the commands around it that its configuration names: before it, and after it as it ended.

use std::{io::Write, path::PathBuf};

use roadstead_api::{
    backup_options::{Hook, HookKind, HookOutcome, Hooks},
    link::Work,
    run::RunError,
};
use roadstead_vault::{Error, ErrorKind, Result};

use crate::{
    data_dir::DataDir,
    error::Chain,
    hook::{self, Told},
    order::JobOrder,
    reporter::Reporter,
    work::{self, Cancel, Done},
};

/// The commands of one backup.
struct Around<'a> {
    order: &'a JobOrder,
    policy: PathBuf,
    cancel: &'a Cancel,
    ran: Vec<HookOutcome>,
}

/// Carries out the work of an order, with the commands before and after it; gives what became of those, too.
pub(crate) fn carry_out<W: Write + Send>(
    order: &JobOrder,
    reporter: &Reporter<W>,
    cancel: &Cancel,
) -> (Result<Done>, Vec<HookOutcome>) {
    let hooks = match &order.job.work {
        Work::Backup { options, .. } => options.hooks.clone(),
        Work::Restore { .. }
        | Work::PlanRestore { .. }
        | Work::Seal { .. }
        | Work::ChangePassword { .. }
        | Work::TakeOver { .. }
        | Work::Check { .. }
        | Work::Prune => Hooks::default(),
    };
    let policy = DataDir::new(&order.data_dir).policy();
    let mut around = Around { order, policy, cancel, ran: Vec::new() };
    around.run(HookKind::Pre, hooks.pre.as_ref(), &Told::default());
    let refusal = around.ran.first().filter(|_| hooks.cancel_when_pre_fails).and_then(refusal);
    let done = refusal.map_or_else(|| work::carry_out(order, reporter, cancel), Err);
    match &done {
        // A run that is stopped ends at once, and leaves no time for more.
        _ if cancel.is_cancelled() => {}
        Ok(_) => {
            let told = Told { outcome: reporter.state().as_str(), reason: "" };
            around.run(HookKind::Post, hooks.post.as_ref(), &told);
        }
        Err(error) => {
            let told = Told { outcome: "failed", reason: &Chain(error).to_string() };
            around.run(HookKind::Error, hooks.error.as_ref(), &told);
        }
    }
    if done.is_ok() {
        around.ran.iter().filter_map(counted).for_each(|error| reporter.count_error(error));
    }
    (done, around.ran)
}

impl Around<'_> {
    fn run(&mut self, kind: HookKind, hook: Option<&Hook>, told: &Told<'_>) {
        if let Some(hook) = hook {
            let run = self.order.job.run;
            self.ran.push(hook::run((kind, hook), &self.policy, run, told, self.cancel));
        }
    }
}

/// Why a backup is not even begun.
fn refusal(ran: &HookOutcome) -> Option<Error> {
    let why = ran.error.as_ref()?;
    let said = if ran.output.is_empty() { String::new() } else { format!(": {}", ran.output) };
    Some(Error::new(ErrorKind::Command, format!("the command before the backup failed: {why}{said}")))
}

/// The error of a command that failed, as one of those in the report.
fn counted(ran: &HookOutcome) -> Option<RunError> {
    let why = ran.error.as_ref()?;
    Some(RunError {
        kind: "hook".to_owned(),
        reason: format!("the {} command failed: {why}", ran.hook),
        code: 0,
        details: ran.output.clone(),
        path: String::new(),
    })
}
