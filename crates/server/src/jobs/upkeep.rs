//! Queues the periodic work on each vault: a cleanup every day where there are rules of retention, a check every week,
//! and a drill as often as the account's settings say. Each vault has times of its own, so that a thousand vaults are not all at work at midnight.
//!
//! A check always looks at the whole structure, and reads a fourth of the data: in four weeks, all of it.

use std::sync::Arc;

use roadstead_api::vault_task::NewVaultTask;

use crate::{
    Result,
    app::App,
    db::{self, cleanup::Upkeep},
};

const DAY_MS: i64 = 24 * 3_600_000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// How long it is remembered what happened to machines.
const HISTORY_MS: i64 = 90 * DAY_MS;
/// In how many checks all data is read.
pub const PARTS: i64 = 4;
/// How many vaults are gone through at a time.
const BATCH: i64 = 500;

/// Queues what is due. Times that passed while no server ran are not made up for one by one: the last stands for all.
pub async fn run(app: Arc<App>) -> Result<()> {
    let now = app.now_ms();
    forget_history(&app, now).await?;
    let mut after = String::new();
    loop {
        let vaults = db::cleanup::upkeep(&mut *app.db.read().await?, &after, BATCH).await?;
        let Some(last) = vaults.last() else { return Ok(()) };
        after.clone_from(&last.vault_id.0);
        for vault in &vaults {
            queue(&app, vault, now).await?;
        }
    }
}

/// Forgets what happened to machines long ago.
async fn forget_history(app: &App, now: i64) -> Result<()> {
    let mut write = app.db.write().await?;
    if db::machine_history::delete_before(&mut write, now - HISTORY_MS).await? == 0 {
        return Ok(());
    }
    write.commit().await
}

async fn queue(app: &App, vault: &Upkeep, now: i64) -> Result<()> {
    let cleanup = slot(vault, "cleanup", DAY_MS, now)
        .filter(|&slot| vault.has_rules && vault.last_cleanup_ms.is_none_or(|last| last < slot));
    let check =
        slot(vault, "check", WEEK_MS, now).filter(|&slot| vault.last_check_ms.is_none_or(|last| last < slot));
    let drill = slot(vault, "drill", vault.drill_days * DAY_MS, now)
        .filter(|&slot| vault.has_backups && vault.last_drill_ms.is_none_or(|last| last < slot));
    if cleanup.is_none() && check.is_none() && drill.is_none() {
        return Ok(());
    }
    let mut write = app.db.write().await?;
    if let Some(slot) = cleanup {
        db::cleanup::insert(&mut write, vault.account_id, &vault.vault_id, Some(slot), now).await?;
    }
    if let Some(slot) = check {
        let part = vault.last_part.map_or(0, |part| (part + 1) % PARTS);
        db::check::insert_periodic(&mut write, vault.account_id, &vault.vault_id, slot, (part, PARTS), now)
            .await?;
    }
    if let Some(slot) = drill {
        let task = NewVaultTask::drill();
        db::vault_task::insert(&mut write, vault.account_id, &vault.vault_id, &task, Some(slot), now).await?;
    }
    write.commit().await?;
    app.live.cleanups.notify_one();
    app.live.checks.notify_one();
    app.live.vault_tasks.notify_one();
    Ok(())
}

/// The latest slot of a vault's own schedule, if it has one and one has come since it was made.
fn slot(vault: &Upkeep, what: &str, period_ms: i64, now: i64) -> Option<i64> {
    if period_ms == 0 {
        return None;
    }
    let place = place(&vault.vault_id.0, what, period_ms);
    let slot = (now - place).div_euclid(period_ms) * period_ms + place;
    Some(slot).filter(|&slot| slot > vault.created_ms)
}

/// A vault's place in a period: the same on every server (FNV-1a).
fn place(vault: &str, what: &str, period_ms: i64) -> i64 {
    let hash = vault.bytes().chain(what.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    i64::try_from(hash % period_ms.unsigned_abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use roadstead_api::id::{AccountId, VaultId};

    use super::*;

    fn vault(id: &str, created_ms: i64) -> Upkeep {
        Upkeep {
            vault_id: VaultId(id.to_owned()),
            account_id: AccountId(1),
            created_ms,
            has_rules: true,
            last_cleanup_ms: None,
            last_check_ms: None,
            last_part: None,
            drill_days: 7,
            has_backups: true,
            last_drill_ms: None,
        }
    }

    #[test]
    fn a_vault_has_one_slot_a_period_and_none_before_it_was_made() {
        let vault = vault("abc", 5 * DAY_MS);
        let slots: Vec<_> =
            (0..20 * 24).map(|hour| slot(&vault, "cleanup", DAY_MS, hour * DAY_MS / 24)).collect();
        let mut known: Vec<i64> = slots.iter().flatten().copied().collect();
        known.dedup();
        assert!((14..=15).contains(&known.len()), "{known:?}");
        assert!(known.iter().all(|&slot| slot > 5 * DAY_MS));
        assert!(known.windows(2).all(|pair| pair[1] - pair[0] == DAY_MS));
    }

    #[test]
    fn what_is_done_never_has_no_slot() {
        assert_eq!(slot(&vault("abc", 0), "drill", 0, 100 * DAY_MS), None);
        assert!(slot(&vault("abc", 0), "drill", DAY_MS, 100 * DAY_MS).is_some());
    }

    #[test]
    fn vaults_are_spread_over_the_day() {
        let mut hours = [0; 24];
        for number in 0..2400 {
            hours[(place(&format!("vault-{number}"), "cleanup", DAY_MS) / (DAY_MS / 24)) as usize] += 1;
        }
        assert!(hours.iter().all(|count| (40..=180).contains(count)), "{hours:?}");
    }
}
