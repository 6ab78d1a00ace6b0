//! Rebuilding machines: what it comes to, and the job that does it.
//!
//! What can be known to be wrong is refused before anything is ordered, since that costs.

use roadstead_api::{
    backup::Backup,
    job::{Job, JobKind},
    machine::MachinePlan,
    protection::NewProtection,
    rebuild::{MachineRebuild, MachineRebuildPlanShow, NewRebuild, RebuildPlan, USUAL_REBUILD_EXCLUSIONS},
    restore::NewRestore,
    vault::VaultMode,
};
use roadstead_providers::Capability;
use serde::{Deserialize, Serialize};

use super::{Context, backend, backup, job, machine, protection, protection_template, validate, vault};
use crate::{
    Error, Result,
    app::job_input_place,
    db::{self, job::NewJob},
    random,
};

/// A rebuild as its job keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Input {
    /// Who asked, and what the agent is installed with.
    pub asked: protection::Input,
    /// The machine that is ordered.
    pub order: machine::Input,
    /// The user to log in as.
    pub user: Option<String>,
    /// What is restored onto it, but for the agent.
    pub restore: NewRestore,
    /// Whether it gets a backup configuration.
    pub protect: bool,
}

/// Shows what a rebuild comes to.
pub async fn plan(context: &Context, new: &NewRebuild) -> Result<RebuildPlan> {
    context.authorize::<MachineRebuildPlanShow>()?;
    let (machine, _) = machine::ordered(context, &new.machine, &random::id()?).await?;
    checked(context, new, machine).await
}

/// Has a job make a machine and restore a backup onto it.
pub async fn rebuild(context: &Context, new: NewRebuild) -> Result<Job> {
    context.authorize::<MachineRebuild>()?;
    let token = random::id()?;
    let (machine, order) = machine::ordered(context, &new.machine, &token).await?;
    let plan = checked(context, &new, machine).await?;
    let protection = NewProtection { folder: new.folder.clone(), ..NewProtection::default() };
    let restore = NewRestore {
        path: Some(plan.path.clone()),
        inclusions: plan.inclusions.clone(),
        exclusions: plan.exclusions.clone(),
        overwrite: true,
        ..NewRestore::of(new.backup_id)
    };
    let asked = protection::Input::of(context, protection);
    let input = Input { asked, order, user: new.user, restore, protect: new.protect };
    let key = context.account_key(context.account()).await?;
    let row = NewJob {
        account_id: context.account(),
        kind: JobKind::MachineRebuild,
        backend_id: &plan.machine.backend_id,
        token: &token,
        sealed_input: &key.seal(&job_input_place(&token), &db::row::json(&input)?)?,
        machine_ids: &[],
        total: 1,
        created_by: &context.user.username,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<MachineRebuild>().await?;
    let id = db::job::insert(&mut change, &row).await?;
    let target = format!("job {id}: backup {} onto {}", new.backup_id, plan.machine.names.join(", "));
    change.commit(target).await?;
    context.live.make.notify_one();
    job::get(context, id).await
}

async fn checked(context: &Context, new: &NewRebuild, machine: MachinePlan) -> Result<RebuildPlan> {
    if machine.names.len() != 1 {
        return Err(Error::invalid("quantity: a backup is restored onto one machine."));
    }
    let path = new.path.clone().unwrap_or_else(|| "/".to_owned());
    validate::path("path", &path)?;
    validate::patterns("inclusions", &new.inclusions)?;
    let exclusions = new.exclusions.clone().unwrap_or_else(|| {
        let usual = USUAL_REBUILD_EXCLUSIONS.iter().map(|&pattern| pattern.to_owned());
        usual.chain(new.folder.clone()).collect()
    });
    validate::patterns("exclusions", &exclusions)?;
    protection_template::check_folder(new.folder.as_deref())?;
    new.user.iter().try_for_each(|user| validate::login("user", user))?;
    require_way(context, &machine).await?;
    let backup = restorable(context, new).await?;
    let inclusions = new.inclusions.clone();
    let (backup_id, backup_name, protect) = (backup.id, backup.name, new.protect);
    Ok(RebuildPlan { machine, backup_id, backup_name, path, inclusions, exclusions, protect })
}

/// Refuses a machine that nobody could get in to.
async fn require_way(context: &Context, machine: &MachinePlan) -> Result<()> {
    if machine.key_id.is_some() {
        return Ok(());
    }
    let has_own = backend::driver(context, &machine.backend_id, Capability::Exec).await;
    has_own.map(drop).map_err(|error| {
        Error::invalid("machine.key_id: without a key nobody gets in to the new machine; name one.")
            .caused_by(error)
    })
}

async fn restorable(context: &Context, new: &NewRebuild) -> Result<Backup> {
    let backup = backup::get(context, new.backup_id).await?;
    if backup.snapshot_id.is_none() {
        let message = format!("Backup {} is {} and left no snapshot to restore.", backup.id, backup.state);
        return Err(Error::conflict(message));
    }
    if vault::get(context, &backup.vault_id).await?.mode == VaultMode::Sealed {
        return Err(Error::conflict(
            "The backup's vault is sealed. Make the machine, protect it, and restore with `roadstead restores start \
             --agent`, which asks for the password.",
        ));
    }
    Ok(backup)
}
