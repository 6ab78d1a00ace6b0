//! Keys of machines.

use roadstead_api::{
    id::{AccountId, KeyId, MachineId},
    key_machine::KeyMachine,
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// An association with its place in lists.
#[derive(Clone, Debug)]
pub struct KeyMachineRow {
    /// The place.
    pub number: i64,
    /// The association.
    pub association: KeyMachine,
}

const SELECT: &str = "SELECT km.*, m.name AS machine_name FROM key_machines km
     JOIN keys k ON k.id = km.key_id JOIN machines m ON m.id = km.machine_id";

/// Associates a key with a machine, both of one account, anew if they were.
pub async fn put(
    db: &mut Connection,
    (key, machine): (&KeyId, &MachineId),
    (user, port, host): (&str, u16, Option<&str>),
    now_ms: i64,
) -> Result<()> {
    let put = query(
        "INSERT INTO key_machines (key_id, machine_id, username, port, host, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (key_id, machine_id) DO UPDATE SET username = $3, port = $4, host = $5,
             host_key = NULL, host_key_fingerprint = NULL",
    )
    .bind(key.0.as_str())
    .bind(machine.0.as_str())
    .bind(user)
    .bind(i64::from(port))
    .bind(host)
    .bind(now_ms);
    db.execute(put).await?;
    Ok(())
}

/// The machines of an account's key above the number `after`, in the order in which they were associated.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    key: &KeyId,
    after: i64,
    limit: i64,
) -> Result<Vec<KeyMachineRow>> {
    let text = format!(
        "{SELECT} WHERE k.account_id = $1 AND km.key_id = $2 AND km.number > $3 ORDER BY km.number LIMIT $4"
    );
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(key.0.as_str()).bind(after).bind(limit);
    db.fetch_all(select).await?.iter().map(association).collect()
}

/// The keys of an account's machine, the account's default key first, then in the order in which they were associated.
pub async fn of_machine(
    db: &mut Connection,
    account: AccountId,
    machine: &MachineId,
) -> Result<Vec<KeyMachine>> {
    let text = format!(
        "{SELECT} JOIN accounts a ON a.id = k.account_id WHERE k.account_id = $1 AND km.machine_id = $2
         ORDER BY CASE WHEN a.default_key_id = k.id THEN 0 ELSE 1 END, km.number"
    );
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(machine.0.as_str());
    let rows = db.fetch_all(select).await?;
    rows.iter().map(|row| Ok(association(row)?.association)).collect()
}

/// Keeps the host key that a machine showed first to whoever logs in with a key.
pub async fn pin(
    db: &mut Connection,
    (key, machine): (&KeyId, &MachineId),
    host_key: &str,
    fingerprint: &str,
) -> Result<()> {
    let update = query(
        "UPDATE key_machines SET host_key = $3, host_key_fingerprint = $4
         WHERE key_id = $1 AND machine_id = $2 AND host_key IS NULL",
    );
    let update = update.bind(key.0.as_str()).bind(machine.0.as_str()).bind(host_key).bind(fingerprint);
    db.execute(update).await?;
    Ok(())
}

/// Forgets the host key of a machine.
pub async fn unpin(db: &mut Connection, (key, machine): (&KeyId, &MachineId)) -> Result<()> {
    let update = query(
        "UPDATE key_machines SET host_key = NULL, host_key_fingerprint = NULL
         WHERE key_id = $1 AND machine_id = $2",
    );
    db.execute(update.bind(key.0.as_str()).bind(machine.0.as_str())).await?;
    Ok(())
}

/// The host key that a machine has to show to whoever logs in with a key.
pub async fn pinned(db: &mut Connection, (key, machine): (&KeyId, &MachineId)) -> Result<Option<String>> {
    let select = query("SELECT host_key FROM key_machines WHERE key_id = $1 AND machine_id = $2");
    let row = db.fetch_optional(select.bind(key.0.as_str()).bind(machine.0.as_str())).await?;
    row.map_or(Ok(None), |row| row.maybe_text("host_key"))
}

/// Ends the association of an account's key with a machine; says whether there was one.
pub async fn delete(
    db: &mut Connection,
    account: AccountId,
    key: &KeyId,
    machine: &MachineId,
) -> Result<bool> {
    let delete = query(
        "DELETE FROM key_machines WHERE machine_id = $3
         AND key_id IN (SELECT id FROM keys WHERE account_id = $1 AND id = $2)",
    )
    .bind(account.0)
    .bind(key.0.as_str())
    .bind(machine.0.as_str());
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

fn association(row: &AnyRow) -> Result<KeyMachineRow> {
    let association = KeyMachine {
        key_id: KeyId(row.text("key_id")?),
        machine_id: MachineId(row.text("machine_id")?),
        machine_name: row.text("machine_name")?,
        user: row.text("username")?,
        port: u16::try_from(row.integer("port")?).unwrap_or_default(),
        host: row.maybe_text("host")?,
        host_key: row.maybe_text("host_key_fingerprint")?,
        created_at: row.time("created_ms")?,
    };
    Ok(KeyMachineRow { number: row.integer("number")?, association })
}
