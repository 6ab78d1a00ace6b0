//! `roadstead machines rebuild`: a machine is made, and has a backup restored onto it.

use clap::Args;
use roadstead_client::api::{
    id::BackupId,
    rebuild::{NewRebuild, RebuildPlan},
};

use super::create::{self, CreateArgs};
use crate::{
    error::{Exit, Result},
    job,
    session::Session,
};

/// A machine to be made anew, from which backup, and how.
#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// The backup to restore.
    #[arg(long = "from-backup", value_name = "BACKUP")]
    backup: BackupId,
    /// The user that the image lets log in with the key, such as ubuntu; what the backend says, or root, when absent.
    #[arg(long)]
    user: Option<String>,
    /// The folder that the files go under; / (where they were) when absent.
    #[arg(long)]
    path: Option<String>,
    /// Only files that match this pattern.
    #[arg(long = "include", value_name = "PATTERN")]
    inclusions: Vec<String>,
    /// Files to leave out; when absent, what belongs to one machine alone, such as /etc/fstab and /etc/machine-id.
    #[arg(long = "exclude", value_name = "PATTERN")]
    exclusions: Vec<String>,
    /// A folder for program and agent, with nothing beside it.
    #[arg(long)]
    folder: Option<String>,
    /// Have the new machine backed up from then on.
    #[arg(long)]
    protect: bool,
    #[command(flatten)]
    machine: CreateArgs,
}

/// Orders a rebuild, after the plan was seen.
pub async fn run(session: &Session, args: RebuildArgs) -> Result<Exit> {
    let (wait, cost) = (args.machine.wait, args.machine.cost);
    let new = NewRebuild {
        machine: create::described(session, args.machine).await?,
        user: args.user,
        backup_id: args.backup,
        path: args.path,
        inclusions: args.inclusions,
        exclusions: (!args.exclusions.is_empty()).then_some(args.exclusions),
        folder: args.folder,
        protect: args.protect,
    };
    if cost.dry_run {
        session.output.object(&session.client.plan_rebuild(&new).await?)?;
        return Ok(Exit::Done);
    }
    if !cost.is_sure() && !cost.confirm_to("make", &told(&session.client.plan_rebuild(&new).await?))? {
        return Ok(Exit::NotDone);
    }
    let job = session.client.rebuild_machine(&new).await?;
    job::print(session, job, wait).await
}

fn told(plan: &RebuildPlan) -> String {
    format!("{}, and restore {} onto it under {}", create::told(&plan.machine), plan.backup_name, plan.path)
}
