//! Quotas: setting them, and how much room an upload has.

use roadstead_api::{
    Page, PageQuery,
    alarm::AlarmKind,
    id::{AccountId, VaultId},
    quota::{NewQuota, Quota, QuotaDelete, QuotaList, QuotaSet, QuotaSubject},
};
use roadstead_vault::store::FileKind;

use super::{Context, page, vault};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    db::{self, Write, alarm::Condition, quota::QuotaRow},
};

/// The smallest quota: less has no room for a single pack.
const SMALLEST: u64 = 1 << 20;
/// How much further the files may go that end a backup whose data had room, in bytes.
const TO_END: u64 = 64 << 20;
/// What the quota of the account is called where there is a vault's id otherwise.
const ACCOUNT: &str = "account";

/// Lists the quotas.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<Quota>> {
    context.authorize::<QuotaList>()?;
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(|cursor| if cursor == ACCOUNT { "" } else { cursor });
    let mut read = context.db.read().await?;
    let rows = db::quota::list(&mut read, context.account(), after, page::fetch(limit)).await?;
    drop(read);
    let rows = page::page(rows, limit, |row| name(row.vault_id.as_ref()).to_owned());
    let mut items = Vec::new();
    for row in rows.items {
        items.push(described(context, row).await?);
    }
    Ok(Page { items, next: rows.next })
}

/// Sets a quota.
pub async fn set(context: &Context, new: NewQuota) -> Result<Quota> {
    context.authorize::<QuotaSet>()?;
    if new.bytes < SMALLEST || i64::try_from(new.bytes).is_err() {
        return Err(Error::invalid(format!("bytes is {}; it goes from {SMALLEST} (1 MiB) up.", new.bytes)));
    }
    let vault = new.vault_id.as_ref();
    if let Some(vault) = vault {
        vault::get(context, vault).await?;
    }
    let mut change = context.change::<QuotaSet>().await?;
    db::quota::set(&mut change, context.account(), vault, new.bytes).await?;
    close_alarm(&mut change, context.account(), vault, context.now_ms()).await?;
    change.commit(name(vault)).await?;
    described(context, QuotaRow { vault_id: new.vault_id, bytes: new.bytes }).await
}

/// Removes a quota.
pub async fn delete(context: &Context, subject: QuotaSubject) -> Result<()> {
    let vault = subject.vault_id.as_ref();
    let mut change = context.change::<QuotaDelete>().await?;
    if !db::quota::delete(&mut change, context.account(), vault).await? {
        return Err(Error::not_found("There is no such quota."));
    }
    close_alarm(&mut change, context.account(), vault, context.now_ms()).await?;
    change.commit(name(vault)).await
}

fn name(vault: Option<&VaultId>) -> &str {
    vault.map_or(ACCOUNT, |vault| vault.0.as_str())
}

async fn described(context: &Context, row: QuotaRow) -> Result<Quota> {
    let used_bytes = used(context, context.account(), row.vault_id.as_ref()).await?;
    Ok(Quota { vault_id: row.vault_id, bytes: row.bytes, used_bytes })
}

/// What is taken of a quota.
async fn used(app: &App, account: AccountId, vault: Option<&VaultId>) -> Result<u64> {
    if let Some(vault) = vault {
        return app.usage.of(&app.vaults, vault).await;
    }
    let vaults = db::vault::ids(&mut *app.db.read().await?, account).await?;
    let mut sum = 0_u64;
    for vault in vaults {
        sum = sum.saturating_add(app.usage.of(&app.vaults, &vault).await?);
    }
    Ok(sum)
}

/// How much room an upload has.
#[derive(Debug)]
pub struct Room {
    left: Option<(u64, QuotaRow)>,
    account: AccountId,
}

/// How much room there is in a vault for a file of a kind. Where no quota is set, that costs one look into the database.
/// What is on its way beside it is not counted yet, so a quota can be exceeded by a few files.
pub async fn room(app: &App, account: AccountId, vault: &VaultId, kind: FileKind) -> Result<Room> {
    if kind == FileKind::Lock {
        return Ok(Room { left: None, account });
    }
    let further = if kind == FileKind::Pack { 0 } else { TO_END };
    let quotas = db::quota::of_vault(&mut *app.db.read().await?, account, vault).await?;
    let mut least = None;
    for quota in quotas {
        let used = used(app, account, quota.vault_id.as_ref()).await?;
        let left = quota.bytes.saturating_add(further).saturating_sub(used);
        if least.as_ref().is_none_or(|(other, _)| left < *other) {
            least = Some((left, quota));
        }
    }
    Ok(Room { left: least, account })
}

impl Room {
    /// Refuses a file of which so many bytes have come, if there is no room for them.
    pub async fn check(&self, app: &App, bytes: u64) -> Result<()> {
        let Some((left, quota)) = &self.left else { return Ok(()) };
        // A full vault refuses at the first byte.
        if bytes <= *left && *left > 0 {
            return Ok(());
        }
        let of = if quota.vault_id.is_some() { "this vault" } else { "the account" };
        let message = format!(
            "The quota of {of}, {} bytes, is used up. Raise it (roadstead quotas set), or keep backups for a shorter time.",
            quota.bytes
        );
        let mut write = app.db.write().await?;
        let what = condition(self.account, quota.vault_id.as_ref());
        db::alarm::open(&mut write, what, &message, app.now_ms()).await?;
        write.commit().await?;
        Err(Error::new(ErrorKind::Full, message))
    }
}

fn condition(account_id: AccountId, vault: Option<&VaultId>) -> Condition<'_> {
    Condition { account_id, kind: AlarmKind::Quota, noun: "quota", noun_id: name(vault) }
}

/// A quota that has changed is seen anew: what is still refused opens the alarm again.
async fn close_alarm(
    write: &mut Write,
    account: AccountId,
    vault: Option<&VaultId>,
    now_ms: i64,
) -> Result<()> {
    db::alarm::close(write, condition(account, vault), now_ms).await.map(drop)
}
