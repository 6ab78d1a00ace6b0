//! The audit log: appended to in the transaction of the change that it tells of.

use roadstead_api::{audit::AuditEntry, id::AccountId};
use sha2::{Digest, Sha256};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, dialect::Dialect, row::Columns};
use crate::Result;

/// What an entry tells.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// The account that the change was made in.
    pub account_id: AccountId,
    /// Who made it.
    pub actor: &'a str,
    /// From where.
    pub source: &'a str,
    /// What was done.
    pub action: &'a str,
    /// To what.
    pub target: &'a str,
    /// Now.
    pub now_ms: i64,
}

/// An entry with what its hash is made of.
#[derive(Debug)]
pub struct ChainedEntry {
    /// Its number.
    pub id: i64,
    /// The hash that it carries.
    pub hash: String,
    account_id: i64,
    at_ms: i64,
    texts: [String; 4],
}

/// Appends an entry. Its number and hash follow from the last one's, so writers append in turn.
pub async fn append(db: &mut Connection, new: &NewEntry<'_>) -> Result<()> {
    if let Some(turn) = Dialect::of(db).audit_turn() {
        db.execute(turn).await?;
    }
    let last = db.fetch_optional("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").await?;
    let (number, before) = match last {
        Some(row) => (row.integer("id")? + 1, row.text("hash")?),
        None => (1, String::new()),
    };
    let texts = [new.actor, new.source, new.action, new.target];
    let hash = hash(&before, number, new.account_id.0, new.now_ms, &texts);
    let insert = query(
        "INSERT INTO audit (id, account_id, at_ms, actor, source, action, target, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(number)
    .bind(new.account_id.0)
    .bind(new.now_ms)
    .bind(new.actor)
    .bind(new.source)
    .bind(new.action)
    .bind(new.target)
    .bind(hash);
    db.execute(insert).await?;
    Ok(())
}

/// An account's entries below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    before: i64,
    limit: i64,
) -> Result<Vec<AuditEntry>> {
    let select = query("SELECT * FROM audit WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
        .bind(account.0)
        .bind(before)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(entry).collect()
}

/// The whole server's entries above `after`, oldest first.
pub async fn chain(db: &mut Connection, after: i64, limit: i64) -> Result<Vec<ChainedEntry>> {
    let select = query("SELECT * FROM audit WHERE id > $1 ORDER BY id LIMIT $2").bind(after).bind(limit);
    db.fetch_all(select).await?.iter().map(chained).collect()
}

impl ChainedEntry {
    /// Whether this entry follows from the one before it: the next number, and the right hash.
    pub fn follows(&self, before: Option<&Self>) -> bool {
        let (number, hash_before) = before.map_or((0, ""), |entry| (entry.id, entry.hash.as_str()));
        let texts = self.texts.each_ref().map(String::as_str);
        self.id == number + 1 && self.hash == hash(hash_before, self.id, self.account_id, self.at_ms, &texts)
    }
}

/// Every part is preceded by its length, so that no two entries give the same bytes.
fn hash(before: &str, number: i64, account: i64, at_ms: i64, texts: &[&str; 4]) -> String {
    let mut hasher = Sha256::new();
    for text in [&[before][..], &texts[..]].concat() {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    for value in [number, account, at_ms] {
        hasher.update(value.to_be_bytes());
    }
    hex::encode(hasher.finalize())
}

fn entry(row: &AnyRow) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.integer("id")?,
        at: row.time("at_ms")?,
        actor: row.text("actor")?,
        source: row.text("source")?,
        action: row.text("action")?,
        target: row.text("target")?,
        hash: row.text("hash")?,
    })
}

fn chained(row: &AnyRow) -> Result<ChainedEntry> {
    Ok(ChainedEntry {
        id: row.integer("id")?,
        hash: row.text("hash")?,
        account_id: row.integer("account_id")?,
        at_ms: row.integer("at_ms")?,
        texts: [row.text("actor")?, row.text("source")?, row.text("action")?, row.text("target")?],
    })
}
