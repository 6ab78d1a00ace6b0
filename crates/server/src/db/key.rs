//! SSH keys. Which one is an account's default stands with the account, so there are never two.

use roadstead_api::{
    id::{AccountId, KeyId},
    key::{Key, KeyKind, KeyQuery},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::{Error, Result};

/// A key to be added.
#[derive(Debug)]
pub struct NewKey<'a> {
    /// Its id.
    pub id: &'a KeyId,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Its name.
    pub name: &'a str,
    /// Its algorithm.
    pub kind: KeyKind,
    /// Its size in bits.
    pub bits: u32,
    /// The hash of its public half.
    pub fingerprint: &'a str,
    /// Its public half, without a comment.
    pub public_key: &'a str,
    /// Its private half, sealed.
    pub sealed_private: &'a str,
    /// Now.
    pub now_ms: i64,
}

/// A key with its place in lists.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// The place.
    pub number: i64,
    /// The key.
    pub key: Key,
}

/// Columns of a key, with whether it is the default of its account.
const SELECT: &str = "SELECT k.*, CASE WHEN a.default_key_id = k.id THEN 1 ELSE 0 END AS is_default
     FROM keys k JOIN accounts a ON a.id = k.account_id";

/// Adds a key, and makes it the default of an account that has none. A name that is taken is a conflict.
pub async fn insert(db: &mut Connection, new: &NewKey<'_>) -> Result<()> {
    let insert = query(
        "INSERT INTO keys (id, account_id, name, kind, bits, fingerprint, public_key, sealed_private, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id, name) DO NOTHING",
    )
    .bind(new.id.0.as_str())
    .bind(new.account_id.0)
    .bind(new.name)
    .bind(new.kind.as_str())
    .bind(i64::from(new.bits))
    .bind(new.fingerprint)
    .bind(new.public_key)
    .bind(new.sealed_private)
    .bind(new.now_ms);
    if db.execute(insert).await?.rows_affected() == 0 {
        return Err(taken());
    }
    let first = query("UPDATE accounts SET default_key_id = $2 WHERE id = $1 AND default_key_id IS NULL");
    db.execute(first.bind(new.account_id.0).bind(new.id.0.as_str())).await?;
    Ok(())
}

/// An account's keys above `after`, oldest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &KeyQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<KeyRow>> {
    let text = format!(
        "{SELECT} WHERE k.account_id = $1 AND k.number > $2 AND ($4 = '' OR k.name = $4) ORDER BY k.number LIMIT $3"
    );
    let select = query(AssertSqlSafe(text))
        .bind(account.0)
        .bind(after)
        .bind(limit)
        .bind(filter.name.clone().unwrap_or_default());
    db.fetch_all(select).await?.iter().map(key).collect()
}

/// An account's key.
pub async fn get(db: &mut Connection, account: AccountId, id: &KeyId) -> Result<Option<Key>> {
    let text = format!("{SELECT} WHERE k.account_id = $1 AND k.id = $2");
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(id.0.as_str());
    let row = db.fetch_optional(select).await?;
    row.map(|row| Ok(key(&row)?.key)).transpose()
}

/// The key that an account takes where nobody names one.
pub async fn default(db: &mut Connection, account: AccountId) -> Result<Option<Key>> {
    let text = format!(
        "{SELECT} WHERE k.account_id = $1 AND k.id = (SELECT default_key_id FROM accounts WHERE id = $1)"
    );
    let row = db.fetch_optional(query(AssertSqlSafe(text)).bind(account.0)).await?;
    row.map(|row| Ok(key(&row)?.key)).transpose()
}

/// The sealed private half of an account's key.
pub async fn sealed_private(db: &mut Connection, account: AccountId, id: &KeyId) -> Result<Option<String>> {
    let select = query("SELECT sealed_private FROM keys WHERE account_id = $1 AND id = $2")
        .bind(account.0)
        .bind(id.0.as_str());
    db.fetch_optional(select).await?.map(|row| row.text("sealed_private")).transpose()
}

/// Gives an account's key another name; says whether there is such a key. A name that is taken is a conflict.
pub async fn rename(db: &mut Connection, account: AccountId, id: &KeyId, name: &str) -> Result<bool> {
    let update = query(
        "UPDATE keys SET name = $3 WHERE account_id = $1 AND id = $2
         AND NOT EXISTS (SELECT 1 FROM keys o WHERE o.account_id = $1 AND o.name = $3 AND o.id <> $2)",
    )
    .bind(account.0)
    .bind(id.0.as_str())
    .bind(name);
    match db.execute(update).await {
        Ok(done) if done.rows_affected() > 0 => Ok(true),
        Ok(_) if get(db, account, id).await?.is_some() => Err(taken()),
        Ok(_) => Ok(false),
        // Another one took the name between the look and the change.
        Err(error) if super::row::is_duplicate(&error) => Err(taken()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a key the default of its account.
pub async fn set_default(db: &mut Connection, account: AccountId, id: &KeyId) -> Result<()> {
    let update = query("UPDATE accounts SET default_key_id = $2 WHERE id = $1");
    db.execute(update.bind(account.0).bind(id.0.as_str())).await?;
    Ok(())
}

/// Deletes an account's key; says whether there was one. If it was the default, the oldest of the others becomes it.
pub async fn delete(db: &mut Connection, account: AccountId, id: &KeyId) -> Result<bool> {
    let delete = query("DELETE FROM keys WHERE account_id = $1 AND id = $2");
    if db.execute(delete.bind(account.0).bind(id.0.as_str())).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let next = query(
        "UPDATE accounts SET default_key_id =
             (SELECT id FROM keys WHERE account_id = $1 ORDER BY number LIMIT 1)
         WHERE id = $1 AND default_key_id = $2",
    );
    db.execute(next.bind(account.0).bind(id.0.as_str())).await?;
    Ok(true)
}

fn taken() -> Error {
    Error::conflict("There is a key of this name already.")
}

fn key(row: &AnyRow) -> Result<KeyRow> {
    let name = row.text("name")?;
    let key = Key {
        id: KeyId(row.text("id")?),
        kind: row.word("kind")?,
        bits: u32::try_from(row.integer("bits")?).unwrap_or_default(),
        fingerprint: row.text("fingerprint")?,
        public_key: format!("{} {name}", row.text("public_key")?),
        is_default: row.flag("is_default")?,
        created_at: row.time("created_ms")?,
        name,
    };
    Ok(KeyRow { number: row.integer("number")?, key })
}
