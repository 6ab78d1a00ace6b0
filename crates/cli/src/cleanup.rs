//! `roadstead vaults cleanup` and `vaults trash`: what retention gives up, and what it threw away.

use clap::Args;
use roadstead_client::api::{
    Page,
    cleanup::{CleanupVerdict, TrashRestore},
    id::VaultId,
    run::RunState,
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    session::Session,
    table::{self, Row},
};

/// What to do with a vault's trash.
#[derive(Args, Debug)]
pub struct TrashArgs {
    /// The vault's id.
    vault: VaultId,
    /// Bring everything back.
    #[arg(long)]
    restore: bool,
}

impl Row for CleanupVerdict {
    const COLUMNS: &'static [&'static str] = &["backup", "configuration", "arrived", "kept", "why"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.backup_id.to_string(),
            self.configuration_id.to_string(),
            table::age(Some(self.arrived_at)),
            table::yes(self.kept),
            self.reasons.join(", "),
        ]
    }
}

/// Cleans a vault, and waits until that has ended; or shows what it would do.
pub async fn run(session: &Session, vault: &VaultId, delete: DeleteArgs) -> Result<Exit> {
    let Session { client, output } = session;
    let plan = client.plan_cleanup(vault).await?;
    if delete.dry_run {
        output.page(&Page { items: plan.verdicts, next: None })?;
        return Ok(Exit::Done);
    }
    let going = plan.verdicts.iter().filter(|verdict| !verdict.kept).count();
    if going > 0 && !delete.confirm(&format!("{going} backups of vault {vault} that no rule keeps"))? {
        return Ok(Exit::NotDone);
    }
    let started = client.start_cleanup(vault).await?;
    let ended = client.wait_for_cleanup(started.id, |_| ()).await?;
    output.object(&ended)?;
    Ok(if ended.state == RunState::Completed { Exit::Done } else { Exit::NotDone })
}

/// Shows what lies in a vault's trash, or brings it back.
pub async fn trash(session: &Session, args: TrashArgs) -> Result<Exit> {
    let Session { client, output } = session;
    let trash = if args.restore {
        client.call::<TrashRestore>(&args.vault, &(), &()).await?
    } else {
        client.trash(&args.vault).await?
    };
    output.object(&trash)?;
    Ok(Exit::Done)
}
