//! The proof: a backup, its restore beside the source, a comparison of the two, and a check of the vault.

use std::{fs, io, path::Path};

use roadstead_client::{
    BackupReport, RestoreReport, Status,
    api::{
        backup_configuration::{BackupConfigurationChange, BackupConfigurationQuery, NewBackupConfiguration},
        check::Check,
        id::BackupConfigurationId,
        restore::NewRestore,
        run::RunState,
    },
};
use serde_json::json;

use crate::{
    check,
    error::{Error, Result},
    human,
    output::Output,
    run::{self, Watched},
    up::{
        UpArgs,
        compare::{self, Comparison},
        system::Access,
    },
};

/// The name of the configuration that `up` makes.
const CONFIGURATION: &str = "first-backup";
/// How many differences are shown, of each kind.
const SHOWN: usize = 20;

/// What came of it.
#[derive(Debug)]
pub struct Proof {
    backup: BackupReport,
    restore: RestoreReport,
    comparison: Comparison,
    check: Check,
}

/// Makes the proof, with a word to the user at each step.
pub async fn make(access: &Access, args: &UpArgs, output: Output) -> Result<Proof> {
    let configuration = configuration(access, args).await?;
    output.say("Backing up.");
    let started = access.client.start_backup(configuration).await?;
    let backup = ended(&started, "backup").await?;
    if !backup.restorable {
        let why = backup.error.as_deref().unwrap_or("there is no snapshot");
        return Err(Error::local(format!("the backup left nothing to restore: {why}")));
    }
    let proof_folder = access.folder.join("proof");
    clear(&proof_folder)?;
    output.say("Restoring it aside.");
    let wanted =
        NewRestore { path: Some(text_of(&proof_folder)?), overwrite: true, ..NewRestore::of(started.id()) };
    let restore = ended(&access.client.start_restore(&wanted).await?, "restore").await?;
    output.say("Comparing every file with its source.");
    let since = started.at_first().created_at.into();
    let task = compare::Task {
        roots: args.include.clone(),
        proof: proof_folder,
        except: access.folder.clone(),
        since,
    };
    let comparison = tokio::task::spawn_blocking(move || task.compare());
    let comparison = comparison.await.map_err(|e| Error::local("the comparison broke off").caused_by(e))?;
    output.say("Checking the vault.");
    let vault = started.at_first().vault_id.clone();
    let check = check::watch(&access.client, &vault, true).await?;
    Ok(Proof { backup, restore, comparison, check })
}

/// The configuration of `up`, made or changed to back up what is wanted.
async fn configuration(access: &Access, args: &UpArgs) -> Result<BackupConfigurationId> {
    let inclusions = args.include.iter().map(|path| text_of(path)).collect::<Result<Vec<_>>>()?;
    // What the copy is made in is no part of it.
    let own = args.include.iter().any(|path| access.folder.starts_with(path)).then_some(&access.folder);
    let exclusions =
        own.map(|folder| Ok(as_pattern(&text_of(folder)?))).into_iter().collect::<Result<Vec<_>>>()?;
    let query =
        BackupConfigurationQuery { agent_id: Some(access.agent_id), ..BackupConfigurationQuery::default() };
    let known = access.client.find_backup_configurations(query).await?;
    let Some(mut known) = known.into_iter().find(|c| c.name == CONFIGURATION) else {
        let new = NewBackupConfiguration::new(CONFIGURATION, access.agent_id, inclusions);
        let new = NewBackupConfiguration { exclusions, ..new };
        return Ok(access.client.create_backup_configuration(new).await?.id);
    };
    if known.inclusions != inclusions || known.exclusions != exclusions {
        let change = BackupConfigurationChange {
            inclusions: Some(inclusions),
            exclusions: Some(exclusions),
            ..BackupConfigurationChange::default()
        };
        known.update(&change).await?;
    }
    Ok(known.id)
}

/// Waits for a run, and reads its report.
async fn ended<R: Watched>(status: &Status<R>, what: &str) -> Result<roadstead_client::Handle<R::Report>> {
    let state = run::watch(status).await?.state();
    let report = status.report().await?;
    report.ok_or_else(|| Error::local(format!("the {what} was not carried out: it is {state}")))
}

impl Proof {
    /// Whether everything that could be read is proven to be there.
    pub fn proven(&self) -> bool {
        self.backup.restorable
            && self.restore.state == RunState::Completed
            && self.comparison.is_same()
            && self.check.state == RunState::Completed
    }

    /// Prints it: a few lines for people, a document for programs.
    pub fn print(&self, access: &Access, output: Output) -> Result<()> {
        if !output.is_for_people() {
            return output.object(&json!({
                "proven": self.proven(),
                "server": access.admin,
                "agent_id": access.agent_id,
                "backup": *self.backup,
                "restore": *self.restore,
                "comparison": self.comparison,
                "check": self.check,
            }));
        }
        output.text(&self.text(access))
    }

    fn text(&self, access: &Access) -> String {
        let verdict = if self.proven() {
            "PROVEN: what was backed up can be restored."
        } else {
            "NOT PROVEN: see above."
        };
        let mut lines = self.figures(access);
        lines.extend(self.troubles());
        lines.extend([String::new(), verdict.to_owned(), String::new()]);
        let admin = &access.admin;
        lines.push(format!("server    {}", access.client.url()));
        lines.push(format!("user      {}  password {}", admin.username, admin.password));
        lines.push(format!("API key   {}", admin.api_key));
        lines.join("\n")
    }

    /// A line for each step.
    fn figures(&self, access: &Access) -> Vec<String> {
        let Self { backup, restore, comparison, check } = self;
        vec![
            format!(
                "backup    {} files, {} in {}; the vault grew by {}; {} unreadable",
                human::count(backup.files_searched),
                human::size(backup.bytes_searched),
                human::duration(backup.duration_seconds),
                human::size(backup.bytes_added),
                human::count(backup.error_count),
            ),
            format!("snapshot  {}", backup.snapshot_id.as_ref().map_or("none", |id| &id.0)),
            format!(
                "restore   {} files, {} in {}, to {}",
                human::count(restore.files_restored),
                human::size(restore.bytes_restored),
                human::duration(restore.duration_seconds),
                access.folder.join("proof").display(),
            ),
            format!("compared  {comparison}"),
            format!(
                "check     {}: {} packs, {} read and verified, {} problems",
                check.state,
                human::count(check.packs_checked),
                human::size(check.bytes_read),
                check.problems.len(),
            ),
        ]
    }

    /// What went wrong, if anything did.
    fn troubles(&self) -> Vec<String> {
        let errors = [&self.backup.error, &self.restore.error, &self.check.reason];
        let mut lines: Vec<String> = errors.into_iter().flatten().cloned().collect();
        lines.extend(self.comparison.told(SHOWN));
        lines.extend(self.check.problems.iter().take(SHOWN).map(|problem| format!("  problem: {problem}")));
        lines
    }
}

/// The proof of an earlier run must not stand in for this one's.
fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::local(format!("cannot clear {}", folder.display())).caused_by(error))
        }
        _ => Ok(()),
    }
}

fn text_of(path: &Path) -> Result<String> {
    let text = path.to_str().map(ToOwned::to_owned);
    text.ok_or_else(|| {
        Error::usage(format!("{} is not UTF-8, which a configuration's paths must be", path.display()))
    })
}

/// A path as an exclude pattern that matches it alone.
fn as_pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for letter in path.chars() {
        if matches!(letter, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
