//! Checks of vaults.

use roadstead_api::{
    check::{Check, CheckCreate, CheckShow, NewCheck},
    id::{CheckId, VaultId},
};

use super::{Context, vault};
use crate::{Error, Result, db};

/// Starts a check: it is queued, and the checker is woken.
pub async fn create(context: &Context, vault: &VaultId, new: NewCheck) -> Result<Check> {
    context.authorize::<CheckCreate>()?;
    vault::get(context, vault).await?;
    let mut change = context.change::<CheckCreate>().await?;
    let id =
        db::check::insert(&mut change, context.account(), vault, new.read_data, context.now_ms()).await?;
    change.commit(id).await?;
    context.live.checks.notify_one();
    get(context, id).await
}

/// Shows one check.
pub async fn show(context: &Context, id: CheckId) -> Result<Check> {
    context.authorize::<CheckShow>()?;
    get(context, id).await
}

async fn get(context: &Context, id: CheckId) -> Result<Check> {
    let found = db::check::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no check {id}.")))
}
