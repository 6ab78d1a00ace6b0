//! Backends: what was added, how it was last found, and when to look again.

use jiff::Timestamp;
use roadstead_api::{
    backend::{Backend, BackendQuery, BackendState},
    id::{AccountId, BackendId, ProviderId},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    filter::{Filter, anywhere},
    row::Columns,
};
use crate::Result;

/// A backend with what only the server knows of it.
#[derive(Clone, Debug)]
pub struct BackendRow {
    /// Its place in lists.
    pub number: i64,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// As the API shows it.
    pub backend: Backend,
    /// The values of its fields, sealed.
    pub sealed_fields: String,
    /// The host keys known so far, as JSON.
    pub pins: String,
    /// Counts the changes to how it is reached: what was learned under an older one is out of date.
    pub generation: i64,
    /// How often in a row it did not answer.
    pub failures: i64,
    /// When it was last asked, whatever came of it.
    pub asked_ms: i64,
    /// Until when it is asked more often, since something was done to its machines.
    pub hurry_until_ms: i64,
}

/// What is kept of how a backend is reached.
#[derive(Debug)]
pub struct Reach<'a> {
    /// The name for people.
    pub title: &'a str,
    /// The kind of backend.
    pub provider: &'a ProviderId,
    /// Its region.
    pub region: Option<&'a str>,
    /// The values of its fields, sealed.
    pub sealed_fields: &'a str,
    /// Equal for equal credentials of an account.
    pub fingerprint: &'a str,
    /// The host keys, as JSON.
    pub pins: &'a str,
}

/// How a backend was found when it was asked.
#[derive(Debug)]
pub struct Found<'a> {
    /// Online or offline.
    pub state: BackendState,
    /// Why it is offline.
    pub reason: Option<&'a str>,
    /// How often in a row it did not answer.
    pub failures: i64,
    /// When it was asked.
    pub asked_ms: i64,
    /// When it is to be asked next; never by itself where absent.
    pub next_refresh_ms: Option<i64>,
}

/// In how many milliseconds a backend is asked by itself that was just added. Whoever adds it has asked, and writes down
/// the answer long before; this is for when the server dies over it.
const ASK_AFTER_MS: i64 = 300_000;

/// Adds a backend; says whether it is new: the account may have one with the same credentials.
pub async fn insert(
    db: &mut Connection,
    account: AccountId,
    id: &BackendId,
    reach: &Reach<'_>,
    now_ms: i64,
) -> Result<bool> {
    let insert = query(
        "INSERT INTO backends (id, account_id, title, provider, region, search, enabled, state, sealed_fields,
                               fingerprint, pins, generation, machine_count, failures, created_ms, asked_ms,
                               next_refresh_ms, hurry_until_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 1, 'unknown', $7, $8, $9, 1, 0, 0, $10, 0, $11, 0)
         ON CONFLICT (account_id, provider, fingerprint) DO NOTHING",
    )
    .bind(id.0.as_str())
    .bind(account.0)
    .bind(reach.title)
    .bind(reach.provider.0.as_str())
    .bind(reach.region)
    .bind(search_text(id, reach))
    .bind(reach.sealed_fields)
    .bind(reach.fingerprint)
    .bind(reach.pins)
    .bind(now_ms)
    .bind(now_ms + ASK_AFTER_MS);
    Ok(db.execute(insert).await?.rows_affected() > 0)
}

/// Changes how a backend is reached, unless that was changed since `generation`, and lets it be asked at once; says
/// whether it did. What was learned before no longer counts.
pub async fn set_reach(
    db: &mut Connection,
    id: &BackendId,
    generation: i64,
    reach: &Reach<'_>,
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE backends SET title = $2, region = $3, search = $4, sealed_fields = $5, fingerprint = $6, pins = $7,
                             generation = generation + 1, failures = 0, next_refresh_ms = $8
         WHERE id = $1 AND generation = $9",
    )
    .bind(id.0.as_str())
    .bind(reach.title)
    .bind(reach.region)
    .bind(search_text(id, reach))
    .bind(reach.sealed_fields)
    .bind(reach.fingerprint)
    .bind(reach.pins)
    .bind(now_ms)
    .bind(generation);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// An account's backend with these credentials, if there is one.
pub async fn with_fingerprint(
    db: &mut Connection,
    account: AccountId,
    provider: &ProviderId,
    fingerprint: &str,
) -> Result<Option<BackendRow>> {
    let select = query("SELECT * FROM backends WHERE account_id = $1 AND provider = $2 AND fingerprint = $3")
        .bind(account.0)
        .bind(provider.0.as_str())
        .bind(fingerprint);
    db.fetch_optional(select).await?.as_ref().map(backend_row).transpose()
}

/// An account's backends above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &BackendQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<BackendRow>> {
    let filter = Filter::from(4)
        .and("id = {}", filter.id.as_ref().map(|id| id.0.as_str()))
        .and("title = {}", filter.name.as_deref())
        .and("provider = {}", filter.provider.as_ref().map(|provider| provider.0.as_str()))
        .and(
            "search LIKE {} ESCAPE '!'",
            filter.search.as_deref().map(|text| anywhere(&text.to_lowercase())),
        );
    let text = format!(
        "SELECT * FROM backends WHERE account_id = $1 AND number > $2{} ORDER BY number LIMIT $3",
        filter.sql()
    );
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(after).bind(limit);
    db.fetch_all(filter.bind(select)).await?.iter().map(backend_row).collect()
}

/// An account's backend.
pub async fn get(db: &mut Connection, account: AccountId, id: &BackendId) -> Result<Option<BackendRow>> {
    let select =
        query("SELECT * FROM backends WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0.as_str());
    db.fetch_optional(select).await?.as_ref().map(backend_row).transpose()
}

/// A backend of any account.
pub async fn by_id(db: &mut Connection, id: &BackendId) -> Result<Option<BackendRow>> {
    let select = query("SELECT * FROM backends WHERE id = $1").bind(id.0.as_str());
    db.fetch_optional(select).await?.as_ref().map(backend_row).transpose()
}

/// When the next backend is due, if any ever is.
pub async fn next_due(db: &mut Connection) -> Result<Option<i64>> {
    let select = "SELECT MIN(next_refresh_ms) AS next FROM backends WHERE enabled = 1";
    db.fetch_one(select).await?.maybe_integer("next")
}

/// Every backend whose time to be asked has come, the longest due first.
pub async fn due(db: &mut Connection, now_ms: i64, limit: i64) -> Result<Vec<BackendRow>> {
    let select = query(
        "SELECT * FROM backends WHERE next_refresh_ms <= $1 AND enabled = 1 ORDER BY next_refresh_ms LIMIT $2",
    )
    .bind(now_ms)
    .bind(limit);
    db.fetch_all(select).await?.iter().map(backend_row).collect()
}

/// Takes it on to ask a backend that is due; says whether nobody else has. Should this server die over it, the backend
/// is due again at `again_ms`.
pub async fn claim(db: &mut Connection, id: &BackendId, now_ms: i64, again_ms: i64) -> Result<bool> {
    let update = query(
        "UPDATE backends SET next_refresh_ms = $3 WHERE id = $1 AND next_refresh_ms <= $2 AND enabled = 1",
    )
    .bind(id.0.as_str())
    .bind(now_ms)
    .bind(again_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Writes down how a backend was found, unless it was changed, disabled or deleted in the meantime, or asked later
/// than this; says whether it was written.
pub async fn set_found(
    db: &mut Connection,
    id: &BackendId,
    generation: i64,
    found: &Found<'_>,
) -> Result<bool> {
    let update = query(
        "UPDATE backends SET state = $3, reason = $4, failures = $5, asked_ms = $6, next_refresh_ms = $7
         WHERE id = $1 AND generation = $2 AND enabled = 1 AND asked_ms <= $6",
    )
    .bind(id.0.as_str())
    .bind(generation)
    .bind(found.state.as_str())
    .bind(found.reason)
    .bind(found.failures)
    .bind(found.asked_ms)
    .bind(found.next_refresh_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// Writes down that a backend's machines are known, and how many they are.
pub async fn set_refreshed(db: &mut Connection, id: &BackendId, asked_ms: i64, machines: i64) -> Result<()> {
    let update = query("UPDATE backends SET refreshed_ms = $2, machine_count = $3 WHERE id = $1")
        .bind(id.0.as_str())
        .bind(asked_ms)
        .bind(machines);
    db.execute(update).await?;
    Ok(())
}

/// Keeps the host keys that a driver met.
pub async fn set_pins(db: &mut Connection, id: &BackendId, generation: i64, pins: &str) -> Result<()> {
    let update = query("UPDATE backends SET pins = $3 WHERE id = $1 AND generation = $2")
        .bind(id.0.as_str())
        .bind(generation)
        .bind(pins);
    db.execute(update).await?;
    Ok(())
}

/// Lets a backend be asked soon, and often until `until_ms`.
pub async fn hurry(db: &mut Connection, id: &BackendId, next_ms: i64, until_ms: i64) -> Result<()> {
    let update =
        query("UPDATE backends SET next_refresh_ms = $2, hurry_until_ms = $3 WHERE id = $1 AND enabled = 1")
            .bind(id.0.as_str())
            .bind(next_ms)
            .bind(until_ms);
    db.execute(update).await?;
    Ok(())
}

/// Enables a backend, which is then asked at once, or disables it.
pub async fn set_enabled(db: &mut Connection, id: &BackendId, enabled: bool, now_ms: i64) -> Result<()> {
    let update = query(
        "UPDATE backends SET enabled = $2, state = 'unknown', reason = NULL, failures = 0,
                             generation = generation + 1, next_refresh_ms = $3
         WHERE id = $1",
    )
    .bind(id.0.as_str())
    .bind(i64::from(enabled))
    .bind(enabled.then_some(now_ms));
    db.execute(update).await?;
    Ok(())
}

/// Deletes an account's backend with its machines; says whether there was one.
pub async fn delete(db: &mut Connection, account: AccountId, id: &BackendId) -> Result<bool> {
    let machines = query("DELETE FROM machines WHERE account_id = $1 AND backend_id = $2")
        .bind(account.0)
        .bind(id.0.as_str());
    db.execute(machines).await?;
    let delete =
        query("DELETE FROM backends WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0.as_str());
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

fn search_text(id: &BackendId, reach: &Reach<'_>) -> String {
    format!("{}\n{}\n{id}", reach.title.to_lowercase(), reach.provider)
}

fn backend_row(row: &AnyRow) -> Result<BackendRow> {
    let refreshed: Option<Timestamp> = row.maybe_time("refreshed_ms")?;
    Ok(BackendRow {
        number: row.integer("number")?,
        account_id: AccountId(row.integer("account_id")?),
        backend: Backend {
            id: BackendId(row.text("id")?),
            title: row.text("title")?,
            provider: ProviderId(row.text("provider")?),
            region: row.maybe_text("region")?,
            enabled: row.flag("enabled")?,
            state: row.word("state")?,
            reason: row.maybe_text("reason")?,
            machine_count: row.integer("machine_count")?.unsigned_abs(),
            created_at: row.time("created_ms")?,
            refreshed_at: refreshed,
        },
        sealed_fields: row.text("sealed_fields")?,
        pins: row.text("pins")?,
        generation: row.integer("generation")?,
        failures: row.integer("failures")?,
        asked_ms: row.integer("asked_ms")?,
        hurry_until_ms: row.integer("hurry_until_ms")?,
    })
}
