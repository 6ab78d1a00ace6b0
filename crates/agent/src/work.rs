//! What a job does, in the engine's terms; sealing and its passwords are in `sealing`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use roadstead_api::{
    id::SnapshotId,
    link::{UpkeepFindings, Work},
    restore::{OverwriteRule, RestorePlan},
    run::{Progress, RunError},
};
use roadstead_vault::{
    BackupOptions, BackupSummary, Error, ErrorKind, FileError, FileErrorKind, Monitor, Overwrite, Repository,
    RestoreOptions, RestoreSummary, Result, Skip,
};

pub(crate) use roadstead_vault::Cancel;

use crate::{
    data_dir::DataDir, dump, order::JobOrder, planned_list::PlannedList, policy::Policy, reporter::Reporter,
    sealing, upkeep, vault,
};

/// What work leaves behind when it is done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The snapshot that a backup wrote.
    pub snapshot_id: Option<SnapshotId>,
    /// Files that a restore left as they were.
    pub files_skipped: u64,
    /// What a restore would do, where that was asked.
    pub plan: Option<RestorePlan>,
    /// What a check or cleanup came to.
    pub upkeep: Option<UpkeepFindings>,
}

/// Carries out the work of an order.
pub(crate) fn carry_out<W: Write + Send>(
    order: &JobOrder,
    reporter: &Reporter<W>,
    cancel: &Cancel,
) -> Result<Done> {
    reporter.progress(Progress::default());
    match &order.job.work {
        Work::Seal { password } => return sealing::seal(order, password, cancel).map(|()| Done::default()),
        Work::ChangePassword { current, new } => {
            return sealing::change_password(order, [current, new], cancel).map(|()| Done::default());
        }
        Work::TakeOver { password } => {
            return sealing::take_over(order, password, cancel).map(|()| Done::default());
        }
        Work::Restore { path, .. } | Work::PlanRestore { path, .. } => {
            allowed_to_restore(order, Path::new(path))?
        }
        Work::Backup { .. } | Work::Check { .. } | Work::Prune => {}
    }
    let store = match order.job.work {
        Work::Backup { .. } => vault::cached(order, cancel)?,
        Work::Prune => vault::granted(order, cancel)?,
        _ => vault::store(order, cancel)?,
    };
    let repository = Repository::open(store, sealing::password(order)?.as_bytes())?;
    run(order, &repository, reporter, cancel)
}

/// Whether the machine lets a restore write there.
fn allowed_to_restore(order: &JobOrder, folder: &Path) -> Result<()> {
    let file = DataDir::new(&order.data_dir).policy();
    let denied = |why: String| Error::new(ErrorKind::Denied, why);
    match Policy::read(&file).map_err(denied)?.allows_restoring(folder) {
        true => Ok(()),
        false => Err(denied(format!(
            "this machine does not let restores write to {}; its administrator says where they may: restore = [...] in {}",
            folder.display(),
            file.display()
        ))),
    }
}

/// Backs up or restores.
fn run<W: Write + Send>(
    order: &JobOrder,
    repository: &Repository,
    reporter: &Reporter<W>,
    cancel: &Cancel,
) -> Result<Done> {
    let watch = Watch { reporter };
    match &order.job.work {
        Work::Backup { inclusions, exclusions, tags, options, timezone: _ } => {
            let dumped = options;
            let options = BackupOptions {
                paths: inclusions.iter().map(PathBuf::from).collect(),
                excludes: exclusions.clone(),
                tags: tags.clone(),
                includes: options.patterns.clone(),
                ignore_files: options.ignore_files.clone(),
                skip: Skip {
                    larger_than: options.exclude_larger_than,
                    caches: options.exclude_caches,
                    other_file_systems: options.one_file_system,
                },
                ..BackupOptions::default()
            };
            let dumps = dump::streams(&dumped.dumps, &DataDir::new(&order.data_dir))?;
            let summary = repository.backup_with(dumps, &options, &watch, cancel)?;
            reporter.progress(backup_progress(&summary));
            Ok(Done { snapshot_id: Some(SnapshotId(summary.snapshot.to_hex())), ..Done::default() })
        }
        Work::Restore { snapshot_id, path, inclusions, overwrite } => {
            let options = restore_options(path, inclusions, *overwrite);
            let snapshot = repository.snapshot(&snapshot_id.0)?;
            let summary = repository.restore(&snapshot, &options, &watch, cancel)?;
            reporter.progress(restore_progress(&summary));
            Ok(Done { files_skipped: summary.skipped, ..Done::default() })
        }
        Work::PlanRestore { snapshot_id, path, inclusions, overwrite } => {
            let options = restore_options(path, inclusions, *overwrite);
            let snapshot = repository.snapshot(&snapshot_id.0)?;
            let mut files = PlannedList::default();
            let mut told = |path: &Path, action, bytes| files.push(path, action, bytes);
            let plan = repository.plan_restore(&snapshot, &options, &watch, cancel, &mut told)?;
            reporter.progress(plan_progress(&plan));
            Ok(Done { plan: Some(files.into_plan(&plan)), ..Done::default() })
        }
        Work::Check { read_data, part, parts } => {
            let found = upkeep::check(repository, (*read_data, *part, *parts), &watch, cancel)?;
            Ok(Done { upkeep: Some(found), ..Done::default() })
        }
        Work::Prune => {
            let done = upkeep::prune(repository, &watch, cancel)?;
            Ok(Done { upkeep: Some(done), ..Done::default() })
        }
        Work::Seal { .. } | Work::ChangePassword { .. } | Work::TakeOver { .. } => Ok(Done::default()),
    }
}

fn restore_options(path: &str, inclusions: &[String], rule: OverwriteRule) -> RestoreOptions {
    RestoreOptions {
        include: inclusions.to_vec(),
        overwrite: match rule {
            OverwriteRule::Never => Overwrite::Never,
            OverwriteRule::IfChanged => Overwrite::IfChanged,
            OverwriteRule::IfNewer => Overwrite::IfNewer,
            OverwriteRule::Always => Overwrite::Always,
        },
        ..RestoreOptions::to(path)
    }
}

fn backup_progress(summary: &BackupSummary) -> Progress {
    Progress {
        files_searched: summary.files_searched,
        bytes_searched: summary.bytes_searched,
        files_done: summary.files_backed_up,
        bytes_done: summary.bytes_backed_up,
        bytes_added: summary.bytes_added_stored,
        files_total: summary.files_searched,
        bytes_total: summary.bytes_searched,
        totals_final: true,
        error_count: summary.errors,
        current_path: None,
    }
}

fn restore_progress(summary: &RestoreSummary) -> Progress {
    let files = summary.files + summary.skipped;
    Progress {
        files_searched: files,
        bytes_searched: summary.bytes,
        files_done: summary.files,
        bytes_done: summary.bytes,
        bytes_added: 0,
        files_total: files,
        bytes_total: summary.bytes,
        totals_final: true,
        error_count: summary.errors,
        current_path: None,
    }
}

fn plan_progress(plan: &roadstead_vault::RestorePlan) -> Progress {
    let parts = [plan.created, plan.overwritten, plan.left, plan.refused];
    let (files, bytes) = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.files, sum.1 + part.bytes));
    Progress {
        files_searched: files,
        bytes_searched: bytes,
        files_total: files,
        bytes_total: bytes,
        totals_final: true,
        error_count: plan.errors,
        ..Progress::default()
    }
}

/// Passes on what the engine tells.
struct Watch<'a, W> {
    reporter: &'a Reporter<W>,
}

impl<W: Write + Send> Monitor for Watch<'_, W> {
    fn progress(&self, progress: &roadstead_vault::Progress) {
        self.reporter.progress(Progress {
            files_searched: progress.files_searched,
            bytes_searched: progress.bytes_searched,
            files_done: progress.files_backed_up,
            bytes_done: progress.bytes_backed_up,
            bytes_added: progress.bytes_added,
            files_total: progress.files_total,
            bytes_total: progress.bytes_total,
            totals_final: progress.totals_final,
            error_count: progress.errors,
            current_path: Some(progress.current.clone()).filter(|path| !path.is_empty()),
        });
    }

    fn error(&self, error: &FileError) {
        self.reporter.error(run_error(error));
    }

    fn warning(&self, warning: &FileError) {
        tracing::warn!(file = %warning.path.display(), reason = %warning.reason, "the engine warns");
    }
}

fn run_error(error: &FileError) -> RunError {
    let (kind, operation) = match error.kind {
        FileErrorKind::Open => ("io", "open"),
        FileErrorKind::Read => ("io", "read"),
        FileErrorKind::Metadata => ("metadata", "metadata"),
        FileErrorKind::Vanished => ("not_found", "open"),
        FileErrorKind::Changed => ("changed", "read"),
        FileErrorKind::Command => ("dump", "dump"),
        FileErrorKind::Write => ("io", "write"),
        FileErrorKind::Damaged => ("damaged", "read from the vault"),
        FileErrorKind::Refused => ("refused", "restore"),
        _ => ("io", ""),
    };
    RunError {
        // The system's own number says more than the doing it was met in.
        kind: error.code.and_then(kind_of_code).unwrap_or(kind).to_owned(),
        reason: error.reason.clone(),
        code: error.code.unwrap_or(0),
        details: operation.to_owned(),
        path: error.path.to_string_lossy().into_owned(),
    }
}

fn kind_of_code(code: i32) -> Option<&'static str> {
    match rustix::io::Errno::from_raw_os_error(code) {
        rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => Some("permission_denied"),
        rustix::io::Errno::NOENT => Some("not_found"),
        rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT => Some("no_space"),
        rustix::io::Errno::ROFS => Some("read_only"),
        _ => None,
    }
}
