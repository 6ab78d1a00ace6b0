//! What has happened to machines, also to those that are gone.

use roadstead_api::{
    Page, PageQuery,
    id::MachineId,
    machine_history::{MachineHistory, MachineHistoryList},
};

use super::{Context, machine, page};
use crate::{Result, db};

/// Lists what has happened to a machine, newest first.
pub async fn list(context: &Context, id: &MachineId, query: PageQuery) -> Result<Page<MachineHistory>> {
    context.authorize::<MachineHistoryList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let rows =
        db::machine_history::list(&mut read, context.account(), id, before, page::fetch(limit)).await?;
    let is_known = !rows.is_empty()
        || query.cursor.is_some()
        || db::machine::get(&mut read, context.account(), id).await?.is_some();
    if !is_known {
        return Err(machine::not_found(id));
    }
    Ok(page::page(rows, limit, |entry: &MachineHistory| entry.id.to_string()))
}
