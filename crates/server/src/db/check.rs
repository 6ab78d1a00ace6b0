//! Checks: one row a run. A check is a job: durable, and begun again when the server dies in the middle.

use roadstead_api::{
    check::Check,
    event::Event,
    id::{AccountId, CheckId, VaultId},
    run::RunState,
};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write,
    dialect::Dialect,
    row::{Columns, json},
};
use crate::Result;

/// What a check found, as its row keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckFindings {
    /// One sentence a problem.
    pub problems: Vec<String>,
    /// Snapshots looked at.
    pub snapshots_checked: u64,
    /// Packs looked at.
    pub packs_checked: u64,
    /// Data read and verified, in bytes.
    pub bytes_read: u64,
}

/// Makes a queued check.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    vault: &VaultId,
    read_data: bool,
    now_ms: i64,
) -> Result<CheckId> {
    let insert = query(
        "INSERT INTO checks (account_id, vault_id, read_data, state, report, created_ms)
         VALUES ($1, $2, $3, 'queued', $4, $5) RETURNING id",
    )
    .bind(account.0)
    .bind(vault.0.as_str())
    .bind(i64::from(read_data))
    .bind(json(&CheckFindings::default())?)
    .bind(now_ms);
    Ok(CheckId(db.fetch_one(insert).await?.integer("id")?))
}

/// Makes a queued check of one part of a vault's data, for a slot of the vault's own schedule, unless that has one.
pub async fn insert_periodic(
    db: &mut Connection,
    account: AccountId,
    vault: &VaultId,
    slot_ms: i64,
    (part, parts): (i64, i64),
    now_ms: i64,
) -> Result<()> {
    let insert = query(
        "INSERT INTO checks (account_id, vault_id, read_data, state, report, created_ms, slot_ms, part, parts)
         VALUES ($1, $2, 1, 'queued', $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(account.0)
    .bind(vault.0.as_str())
    .bind(json(&CheckFindings::default())?)
    .bind(now_ms)
    .bind(slot_ms)
    .bind(part)
    .bind(parts);
    db.execute(insert).await?;
    Ok(())
}

/// An account's check.
pub async fn get(db: &mut Connection, account: AccountId, id: CheckId) -> Result<Option<Check>> {
    let select = query("SELECT * FROM checks WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(check).transpose()
}

/// Puts back in the queue what was going on when its server died.
pub async fn requeue_interrupted(db: &mut Connection) -> Result<()> {
    let update = Dialect::of(db).requeue("checks");
    db.execute(AssertSqlSafe(update)).await?;
    Ok(())
}

/// Takes a queued check, the oldest above `after`, if there is one.
pub async fn claim(db: &mut Write, after: i64) -> Result<Option<Check>> {
    let update = Dialect::of(db).claim("checks", after);
    let Some(row) = db.fetch_optional(AssertSqlSafe(update)).await? else { return Ok(None) };
    tell(db, &row)?;
    check(&row).map(Some)
}

/// Tells of a check's new state.
fn tell(db: &mut Write, row: &AnyRow) -> Result<()> {
    let event = Event::new("check", row.integer("id")?, "state").state(row.text("state")?);
    db.tell(AccountId(row.integer("account_id")?), event);
    Ok(())
}

/// Puts a check back in the queue: it could not be done just now. What is known to be damaged all the same is kept, and
/// then the reason why it waits.
pub async fn put_back(
    db: &mut Write,
    id: CheckId,
    findings: &CheckFindings,
    reason: Option<&str>,
) -> Result<()> {
    let update = query(
        "UPDATE checks SET state = 'queued', report = $2, reason = $3 WHERE id = $1 RETURNING id, account_id, state",
    );
    let put_back = update.bind(id.0).bind(json(findings)?).bind(reason);
    match db.fetch_optional(put_back).await? {
        Some(row) => tell(db, &row),
        None => Ok(()),
    }
}

/// Ends a check.
pub async fn finish(
    db: &mut Write,
    id: CheckId,
    state: RunState,
    reason: Option<&str>,
    findings: &CheckFindings,
    now_ms: i64,
) -> Result<()> {
    let update = query(
        "UPDATE checks SET state = $2, reason = $3, report = $4, completed_ms = $5 WHERE id = $1
         RETURNING id, account_id, state",
    )
    .bind(id.0)
    .bind(state.as_str())
    .bind(reason)
    .bind(json(findings)?)
    .bind(now_ms);
    match db.fetch_optional(update).await? {
        Some(row) => tell(db, &row),
        None => Ok(()),
    }
}

fn check(row: &AnyRow) -> Result<Check> {
    let findings: CheckFindings = row.json("report")?;
    Ok(Check {
        id: CheckId(row.integer("id")?),
        vault_id: VaultId(row.text("vault_id")?),
        read_data: row.flag("read_data")?,
        part: u32::try_from(row.integer("part")?).unwrap_or(0),
        parts: u32::try_from(row.integer("parts")?).unwrap_or(1),
        slot_at: row.maybe_time("slot_ms")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        problems: findings.problems,
        snapshots_checked: findings.snapshots_checked,
        packs_checked: findings.packs_checked,
        bytes_read: findings.bytes_read,
        created_at: row.time("created_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roadstead_api::{agent::HostFacts, id::VaultId};

    use super::{claim, insert, requeue_interrupted};
    use crate::db::{Db, account, agent, testing, vault};

    /// An account, an agent, a vault, and so many queued checks.
    async fn with_checks(db: &Db, count: usize) {
        let mut write = db.write().await.unwrap();
        let owner = account::insert(&mut write, "test", 1).await.unwrap();
        let host = HostFacts::default();
        let new = agent::NewAgent {
            account_id: owner,
            name: "test",
            public_key: "",
            fingerprint: "",
            credential_hash: "",
            host: &host,
            now_ms: 1,
        };
        let id = agent::insert(&mut write, &new).await.unwrap();
        let place = VaultId("test".to_owned());
        vault::insert(&mut write, &place, (owner, id), "", 1).await.unwrap();
        for _ in 0..count {
            insert(&mut write, owner, &place, false, 1).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn each_check_is_claimed_once() {
        testing::each(|db| async move {
            with_checks(&db, 20).await;
            let claims: Vec<_> = (0..25)
                .map(|_| {
                    let db = db.clone();
                    tokio::spawn(async move {
                        let mut write = db.write().await.unwrap();
                        let claimed = claim(&mut write, 0).await.unwrap();
                        write.commit().await.unwrap();
                        claimed.map(|check| check.id.0)
                    })
                })
                .collect();
            let mut claimed = Vec::new();
            for claim in claims {
                claimed.extend(claim.await.unwrap());
            }
            claimed.sort_unstable();
            assert_eq!(claimed, (1..=20).collect::<Vec<_>>());
        })
        .await;
    }

    #[tokio::test]
    async fn a_check_that_a_living_server_works_on_is_left_to_it() {
        testing::on_postgres(async |url| {
            let db = Db::open_shared(&url).await.unwrap();
            with_checks(&db, 2).await;
            let mut write = db.write().await.unwrap();
            let first = claim(&mut write, 0).await.unwrap().unwrap();
            let second = claim(&mut write, 0).await.unwrap().unwrap();
            let leases = [db.lease_check(first.id).await.unwrap(), db.lease_check(second.id).await.unwrap()];
            write.commit().await.unwrap();
            let [first_lease, second_lease] = leases;

            let requeued = async || {
                let mut write = db.write().await.unwrap();
                requeue_interrupted(&mut write).await.unwrap();
                let claimed = claim(&mut write, 0).await.unwrap();
                write.commit().await.unwrap();
                claimed.map(|check| check.id)
            };
            assert_eq!(requeued().await, None);
            drop(first_lease);
            // The database learns of a dropped connection in its own time.
            while requeued().await != Some(first.id) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(second_lease);
            db.close().await;
        })
        .await;
    }
}
