//! Checks and cleanups of sealed vaults: the server says when and what, their agents look inside.
//!
//! Of a cleanup the server does itself what it can: it forgets snapshots, by rules that ask for nothing but when each
//! arrived, and never below the floor. What is left, to say which packs nobody needs, it grants to the agent for that one
//! run and for a time; what the agent deletes then goes to the trash (`ops::vault_file`), and stays there for as long as
//! anybody's.

use jiff::{SignedDuration, Timestamp};
use roadstead_api::{
    id::{AgentId, CleanupId, VaultId},
    link::{MAX_PROBLEMS, Outcome, RunRef, UpkeepFindings, Work},
    run::RunState,
};
use roadstead_vault::{
    Id,
    store::{FileKind, Name},
};

use super::{
    cleanup::{TRASH_DAYS, policies},
    lost_file,
};
use crate::{
    Error, Result,
    app::App,
    db::{
        self, Write,
        check::CheckFindings,
        row::timestamp,
        run::ActiveRun,
        upkeep::{Of, UpkeepRow},
        vault::VaultRow,
    },
    vaults::VaultStore,
    worker::plan_unread,
};

/// How long a granted cleanup may give files to the trash, in milliseconds.
const GRANT_MS: i64 = 24 * 3_600_000;

/// Gives a check or cleanup to the vault's agent, where the agent alone can do it; says whether that is so, and the agent
/// has it in its queue.
pub async fn hand_over(app: &App, of: Of, vault: &VaultId) -> Result<bool> {
    let Some(vault) = db::vault::get(&mut *app.db.read().await?, vault).await? else { return Ok(false) };
    if app.vault_password(&vault).await?.is_some() || !vault.current {
        return Ok(false);
    }
    let mut write = app.db.write().await?;
    db::upkeep::hand_over(&mut write, of, &vault, app.now_ms()).await?;
    write.commit().await?;
    app.live.dispatch.notify_one();
    Ok(true)
}

/// Makes things ready for an agent that is about to begin, and says what it is to do in which vault.
pub async fn prepare(app: &App, run: &ActiveRun) -> Result<(VaultRow, Work)> {
    let mut read = app.db.read().await?;
    let gone = || Error::internal("The row of a check or cleanup is gone.");
    let row = db::upkeep::get(&mut read, run.run.id).await?.ok_or_else(gone)?;
    let vault = db::vault::by_agent(&mut read, run.agent_id).await?.filter(|vault| vault.id == row.vault_id);
    let vault = vault.ok_or_else(|| Error::conflict("The agent does not back up to this vault any more."))?;
    match row.of {
        Of::Check(id) => {
            let check = db::check::get(&mut read, run.account_id, id).await?.ok_or_else(gone)?;
            Ok((vault, Work::Check { read_data: check.read_data, part: check.part, parts: check.parts }))
        }
        Of::Cleanup(id) => {
            drop(read);
            forget(app, &vault, id).await?;
            let mut write = app.db.write().await?;
            db::upkeep::grant(&mut write, run.run.id, app.now_ms() + GRANT_MS).await?;
            write.commit().await?;
            Ok((vault, Work::Prune))
        }
    }
}

/// Gives to the trash the snapshots that no rule keeps. May be done again.
async fn forget(app: &App, vault: &VaultRow, id: CleanupId) -> Result<()> {
    let mut read = app.db.read().await?;
    let policies = policies(&db::cleanup::kept(&mut read, &vault.id).await?);
    let mut report = db::upkeep::cleanup_report(&mut read, id).await?;
    drop(read);
    let (store, now) = (app.vaults.store(&vault.id), timestamp(app.now_ms())?);
    let (judged, verdicts) = tokio::task::spawn_blocking(move || {
        let verdicts = plan_unread(snapshots(&store)?, &policies, now)?;
        for verdict in verdicts.iter().filter(|verdict| !verdict.kept) {
            discard(&store, &verdict.snapshot)?;
        }
        Ok::<_, Error>((policies, verdicts))
    })
    .await??;
    let stays = |name: &String| verdicts.iter().any(|verdict| verdict.kept && verdict.snapshot == *name);
    let named = judged.iter().flat_map(|policy| &policy.snapshots).map(|(name, _)| name);
    report.kept = verdicts.iter().filter(|verdict| verdict.kept).count() as u64;
    report.forgotten.extend(named.filter(|name| !stays(name)).cloned());
    let mut write = app.db.write().await?;
    db::upkeep::keep_cleanup(&mut write, (id, &vault.id), &report, app.now_ms()).await?;
    write.commit().await
}

/// The snapshots that a vault holds.
pub fn snapshots(store: &VaultStore) -> Result<Vec<Id>> {
    Ok(store.list(FileKind::Snapshot)?.into_iter().map(|(Name(id), _)| id).collect())
}

fn discard(store: &VaultStore, snapshot: &str) -> Result<()> {
    let Ok(name) = snapshot.parse() else { return Ok(()) };
    match store.inner().discard(FileKind::Snapshot, &name) {
        Err(error) if error.kind() != roadstead_vault::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// A check or cleanup has ended by its agent's word; what it says is kept within bounds.
pub async fn ended(app: &App, agent: AgentId, run: RunRef, outcome: &mut Outcome) -> Result<()> {
    let mut read = app.db.read().await?;
    let known = db::run::get(&mut read, run).await?;
    let row = db::upkeep::get(&mut read, run.id).await?;
    drop(read);
    let is_open = known.is_some_and(|known| known.agent_id == agent && !known.state.has_ended());
    let Some(row) = row.filter(|_| is_open) else { return Ok(()) };
    match (row.of, outcome.upkeep.as_deref_mut()) {
        (Of::Check(_), Some(UpkeepFindings::Check { problems, .. })) => {
            let (most, longest) = MAX_PROBLEMS;
            problems.truncate(most + 1);
            problems.iter_mut().for_each(|text| text.truncate(text.floor_char_boundary(longest)));
            problems.extend(lost_file::find(app, &row.vault_id).await?);
            if outcome.state == RunState::Completed && !problems.is_empty() {
                outcome.state = RunState::CompletedWithErrors;
            }
        }
        (Of::Cleanup(_), Some(UpkeepFindings::Cleanup { .. })) => empty_trash(app, &row).await?,
        _ if outcome.state == RunState::Completed => {
            outcome.state = RunState::Failed;
            outcome.reason = Some("The agent said that it was done, and not what came of it.".to_owned());
        }
        _ => outcome.upkeep = None,
    }
    Ok(())
}

/// Removes for good what has lain in the trash for its time.
async fn empty_trash(app: &App, row: &UpkeepRow) -> Result<()> {
    let Of::Cleanup(id) = row.of else { return Ok(()) };
    // Files of the trash carry the machine's own time, whatever clock the server was given.
    let before = Timestamp::now() - SignedDuration::from_hours(i64::from(TRASH_DAYS) * 24);
    let store = app.vaults.store(&row.vault_id);
    let deleted = tokio::task::spawn_blocking(move || store.empty_trash(before)).await??;
    let mut write = app.db.write().await?;
    let mut report = db::upkeep::cleanup_report(&mut write, id).await?;
    report.files_deleted += deleted as u64;
    db::upkeep::keep_cleanup(&mut write, (id, &row.vault_id), &report, app.now_ms()).await?;
    write.commit().await
}

/// Keeps what a check or cleanup came to, with its end.
pub async fn keep(write: &mut Write, run: RunRef, outcome: &Outcome, now_ms: i64) -> Result<()> {
    let Some(row) = db::upkeep::get(write, run.id).await? else { return Ok(()) };
    match (row.of, outcome.upkeep.as_deref()) {
        (
            Of::Check(id),
            Some(UpkeepFindings::Check { problems, snapshots_checked, packs_checked, bytes_read }),
        ) => {
            let findings = CheckFindings {
                problems: problems.clone(),
                snapshots_checked: *snapshots_checked,
                packs_checked: *packs_checked,
                bytes_read: *bytes_read,
            };
            db::upkeep::keep_check(write, id, &findings).await
        }
        (Of::Cleanup(id), Some(UpkeepFindings::Cleanup { packs_repacked, packs_dropped, bytes_dropped })) => {
            let mut report = db::upkeep::cleanup_report(write, id).await?;
            report.packs_repacked = *packs_repacked;
            report.packs_dropped = *packs_dropped;
            report.bytes_dropped = *bytes_dropped;
            db::upkeep::keep_cleanup(write, (id, &row.vault_id), &report, now_ms).await
        }
        _ => Ok(()),
    }
}
