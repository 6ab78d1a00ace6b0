//! Queues the periodic work on each vault: a cleanup every day where there are rules of retention, a check every week,
//! and a drill as often as the account's settings say. Each vault has times of its own, so that a thousand vaults are not all at work at midnight.
//!
//! A check always looks at the whole structure, and reads a fourth of the data: in four weeks, all of it.

use std::sync::Arc;

use roadstead_api::vault_task::NewVaultTask;

use crate::{
    Result,
    app::App,
    db::{self, Db, cleanup::Upkeep},
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
    if pass(&app.db, now).await? {
        app.live.cleanups.notify_one();
        app.live.checks.notify_one();
        app.live.vault_tasks.notify_one();
    }
    Ok(())
}

/// Goes through all vaults; says whether anything was queued.
async fn pass(db: &Db, now: i64) -> Result<bool> {
    let (mut after, mut queued) = (String::new(), false);
    loop {
        let vaults = db::cleanup::upkeep(&mut *db.read().await?, &after, BATCH).await?;
        let Some(last) = vaults.last() else { return Ok(queued) };
        after.clone_from(&last.vault_id.0);
        for vault in &vaults {
            queued |= queue(db, vault, now).await?;
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

async fn queue(db: &Db, vault: &Upkeep, now: i64) -> Result<bool> {
    let cleanup = slot(vault, "cleanup", DAY_MS, now)
        .filter(|&slot| vault.has_rules && vault.last_cleanup_ms.is_none_or(|last| last < slot));
    let check =
        slot(vault, "check", WEEK_MS, now).filter(|&slot| vault.last_check_ms.is_none_or(|last| last < slot));
    let drill = slot(vault, "drill", vault.drill_days * DAY_MS, now)
        .filter(|&slot| vault.has_backups && vault.last_drill_ms.is_none_or(|last| last < slot));
    if cleanup.is_none() && check.is_none() && drill.is_none() {
        return Ok(false);
    }
    let mut write = db.write().await?;
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
    Ok(true)
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
    use roadstead_api::{
        check::Check,
        id::{AccountId, VaultId},
        vault_task::DrillSettings,
    };

    use super::*;
    use crate::db::testing;

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

    /// The checks that are queued; they go on from now.
    async fn claimed(db: &Db) -> Vec<Check> {
        let (mut write, mut found) = (db.write().await.unwrap(), Vec::new());
        while let Some(check) = db::check::claim(&mut write, 0).await.unwrap() {
            found.push(check);
        }
        write.commit().await.unwrap();
        found
    }

    #[tokio::test]
    async fn in_four_weeks_all_data_is_read_and_drills_and_cleanups_come_in_their_time() {
        testing::each(|db| async move {
            let (account, vault) = testing::vault(&db, 0).await;
            let mut checks = Vec::new();
            // As if servers were there now and then only, and two at a time.
            for hour in (1..=29 * 24).step_by(5) {
                pass(&db, hour * DAY_MS / 24).await.unwrap();
                assert!(!pass(&db, hour * DAY_MS / 24).await.unwrap(), "once is enough");
                checks.extend(claimed(&db).await);
            }
            let mut read = db.read().await.unwrap();
            let mut parts: Vec<_> = checks.iter().map(|check| (check.part, check.parts)).collect();
            parts.truncate(4);
            parts.sort_unstable();
            assert_eq!(parts, [(0, 4), (1, 4), (2, 4), (3, 4)]);
            assert!(checks.iter().all(|check| check.read_data));
            let drills = db::vault_task::list(&mut read, &vault, i64::MAX, 100).await.unwrap().len();
            let cleanups = db::cleanup::list(&mut read, &vault, i64::MAX, 100).await.unwrap().len();
            assert!((4..=5).contains(&checks.len()) && (4..=5).contains(&drills), "{drills} {checks:?}");
            assert!((28..=29).contains(&cleanups), "{cleanups}");
            drop(read);

            let mut write = db.write().await.unwrap();
            let never = DrillSettings { every_days: 0, ..DrillSettings::default() };
            db::drill_settings::set(&mut write, account, &never).await.unwrap();
            write.commit().await.unwrap();
            pass(&db, 60 * DAY_MS).await.unwrap();
            let mut read = db.read().await.unwrap();
            assert_eq!(db::vault_task::list(&mut read, &vault, i64::MAX, 100).await.unwrap().len(), drills);
            assert_eq!(claimed(&db).await.len(), 1, "the last time stands for all that passed");
        })
        .await;
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
