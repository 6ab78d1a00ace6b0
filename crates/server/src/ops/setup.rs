//! How the server is set up; and its master key, shown once to whoever set it up.

use roadstead_api::setup::{MasterKey, Setup, SetupMasterKey, SetupShow, TlsKind, VaultStoreKind};

use super::Context;
use crate::{Error, Result, db};

/// What is noted when the master key was shown.
const MASTER_KEY: &str = "master_key_shown";

/// Shows how the server is set up.
pub async fn show(context: &Context) -> Result<Setup> {
    context.authorize::<SetupShow>()?;
    let mut read = context.db.read().await?;
    let (tls, ca_fingerprint) = match context.trust.as_str() {
        "plain" => (TlsKind::None, None),
        trust => match trust.strip_prefix("ca:") {
            Some(hash) => (TlsKind::Own, Some(hash.to_owned())),
            None => (TlsKind::Given, None),
        },
    };
    Ok(Setup {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: context.public_url.clone(),
        database: db::setup::database(&read),
        vault_store: if context.vaults.is_bucket() { VaultStoreKind::Bucket } else { VaultStoreKind::Disk },
        tls,
        ca_fingerprint,
        password_changed_at: db::setup::password_changed_at(&mut read, context.user.id).await?,
        master_key_shown_at: db::setup::done_at(&mut read, MASTER_KEY).await?,
    })
}

/// Shows the master key, if nobody has seen it yet. It opens the secrets of every account, so only the account that the
/// first start made has it.
pub async fn master_key(context: &Context) -> Result<MasterKey> {
    context.authorize::<SetupMasterKey>()?;
    let first = db::account::first(&mut *context.db.read().await?).await?;
    if first.is_none_or(|(account, _)| account != context.account()) {
        return Err(Error::forbidden("Only an admin of the server's first account may see its master key."));
    }
    let mut change = context.change::<SetupMasterKey>().await?;
    if !db::setup::note(&mut change, MASTER_KEY).await? {
        return Err(Error::conflict(
            "The master key was shown already. Whoever has the server's machine finds it in master.key in the data folder.",
        ));
    }
    change.commit("master.key").await?;
    Ok(MasterKey { key: context.master_key.to_text() })
}
