//! What has happened to machines.

use roadstead_api::{
    id::{AccountId, BackendId, MachineId},
    machine::MachineState,
    machine_history::{HappenedTo, MachineHistory},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::Columns,
    values::{ROWS_AT_ONCE, values},
};
use crate::Result;

/// What happened to a machine.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// What.
    pub what: HappenedTo,
    /// The machine.
    pub machine: &'a MachineId,
    /// Its name.
    pub name: &'a str,
    /// The word of its state.
    pub state: &'a str,
}

/// Writes down what happened to machines of a backend.
pub async fn insert(
    db: &mut Connection,
    (account, backend): (AccountId, &BackendId),
    happened: &[Happened<'_>],
    now_ms: i64,
) -> Result<()> {
    for happened in happened.chunks(ROWS_AT_ONCE) {
        let rows = values(happened.len(), 3, 4, |first| {
            let [machine, name, what, state] = std::array::from_fn(|index| first + index);
            format!("($1, $2, ${machine}, ${name}, ${what}, ${state}, $3)")
        });
        let text = format!(
            "INSERT INTO machine_history (account_id, backend_id, machine_id, name, what, state, at_ms) VALUES {rows}"
        );
        let insert = query(AssertSqlSafe(text)).bind(account.0).bind(backend.0.as_str()).bind(now_ms);
        let insert = happened.iter().fold(insert, |insert, happened| {
            insert
                .bind(happened.machine.0.as_str())
                .bind(happened.name)
                .bind(happened.what.as_str())
                .bind(happened.state)
        });
        db.execute(insert).await?;
    }
    Ok(())
}

/// What happened to a machine of an account before the entry `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    machine: &MachineId,
    before: i64,
    limit: i64,
) -> Result<Vec<MachineHistory>> {
    let select = query(
        "SELECT * FROM machine_history WHERE account_id = $1 AND machine_id = $2 AND id < $3
         ORDER BY id DESC LIMIT $4",
    )
    .bind(account.0)
    .bind(machine.0.as_str())
    .bind(before)
    .bind(limit);
    db.fetch_all(select).await?.iter().map(entry).collect()
}

/// Forgets what is older than this; says how much that was.
pub async fn delete_before(db: &mut Connection, ms: i64) -> Result<u64> {
    let delete = query("DELETE FROM machine_history WHERE at_ms < $1").bind(ms);
    Ok(db.execute(delete).await?.rows_affected())
}

fn entry(row: &AnyRow) -> Result<MachineHistory> {
    let state: MachineState = row.word("state")?;
    Ok(MachineHistory {
        id: row.integer("id")?,
        at: row.time("at_ms")?,
        what: row.word("what")?,
        machine_id: MachineId(row.text("machine_id")?),
        machine_name: row.text("name")?,
        backend_id: BackendId(row.text("backend_id")?),
        state,
    })
}
