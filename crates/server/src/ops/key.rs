//! SSH keys. A private half is opened where it is used, and for an admin who asks, which is told to the audit log.

use roadstead_api::{
    Page,
    id::{AccountId, KeyId},
    key::{
        Key, KeyChange, KeyCreate, KeyDelete, KeyKind, KeyList, KeyQuery, KeySetDefault, KeyShow,
        KeyShowPrivate, KeyUpdate, NewKey, NewKeyKind, PrivateKey,
    },
};
use roadstead_providers::{SshKey, SshKeyKind};

use super::{Context, page, validate};
use crate::{Error, Result, app::App, db, random};

/// How large an RSA key is when nobody says, in bits.
const RSA_BITS: u32 = 3072;

/// Adds a key, given or generated.
pub async fn create(context: &Context, new: NewKey) -> Result<Key> {
    context.authorize::<KeyCreate>()?;
    validate::name("name", &new.name)?;
    let name = new.name.clone();
    let pair = pair(new).await?;
    let id = KeyId(random::id()?);
    let (kind, bits) = kind_of(&pair);
    let private = pair.private_text().map_err(refused)?;
    let sealed_private =
        context.account_key(context.account()).await?.seal(&private_place(&id), private.expose())?;
    let row = db::key::NewKey {
        id: &id,
        account_id: context.account(),
        name: &name,
        kind,
        bits,
        fingerprint: &pair.fingerprint(),
        public_key: &pair.public_text().map_err(refused)?,
        sealed_private: &sealed_private,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<KeyCreate>().await?;
    db::key::insert(&mut change, &row).await?;
    change.commit(&id).await?;
    get(context, &id).await
}

/// Lists the keys.
pub async fn list(context: &Context, query: KeyQuery) -> Result<Page<Key>> {
    context.authorize::<KeyList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let rows = db::key::list(&mut read, context.account(), &query, after, page::fetch(limit)).await?;
    let page = page::page(rows, limit, |row| row.number.to_string());
    Ok(Page { items: page.items.into_iter().map(|row| row.key).collect(), next: page.next })
}

/// Shows one key, but for its private half.
pub async fn show(context: &Context, id: &KeyId) -> Result<Key> {
    context.authorize::<KeyShow>()?;
    get(context, id).await
}

/// Shows the private half of a key.
pub async fn show_private(context: &Context, id: &KeyId) -> Result<PrivateKey> {
    context.authorize::<KeyShowPrivate>()?;
    let private_key = private(context, id).await?;
    // Nothing changes, but whoever asks later is to find who has the key.
    context.change::<KeyShowPrivate>().await?.commit(id).await?;
    Ok(PrivateKey { id: id.clone(), private_key })
}

/// Gives a key another name.
pub async fn update(context: &Context, id: &KeyId, wanted: KeyChange) -> Result<Key> {
    context.authorize::<KeyUpdate>()?;
    validate::name("name", &wanted.name)?;
    let mut change = context.change::<KeyUpdate>().await?;
    if !db::key::rename(&mut change, context.account(), id, &wanted.name).await? {
        return Err(not_found(id));
    }
    change.commit(id).await?;
    get(context, id).await
}

/// Makes a key the default.
pub async fn set_default(context: &Context, id: &KeyId) -> Result<Key> {
    let mut change = context.change::<KeySetDefault>().await?;
    let found = db::key::get(&mut change, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))?;
    db::key::set_default(&mut change, context.account(), id).await?;
    change.commit(id).await?;
    get(context, id).await
}

/// Deletes a key.
pub async fn delete(context: &Context, id: &KeyId) -> Result<()> {
    let mut change = context.change::<KeyDelete>().await?;
    if !db::key::delete(&mut change, context.account(), id).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

/// A key of the caller's account.
pub async fn get(context: &Context, id: &KeyId) -> Result<Key> {
    let found = db::key::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| not_found(id))
}

/// The key that is taken where nobody names one, if the account has keys.
pub async fn default(context: &Context) -> Result<Option<Key>> {
    db::key::default(&mut *context.db.read().await?, context.account()).await
}

/// The private half of a key of the caller's account, for operations that log in with it. Not told to the audit log:
/// what is done with it is.
pub async fn private(context: &Context, id: &KeyId) -> Result<String> {
    private_of(context, context.account(), id).await
}

/// The same for background work, which no user calls.
pub async fn private_of(app: &App, account: AccountId, id: &KeyId) -> Result<String> {
    let sealed = db::key::sealed_private(&mut *app.db.read().await?, account, id).await?;
    let sealed = sealed.ok_or_else(|| not_found(id))?;
    app.account_key(account).await?.open(&private_place(id), &sealed)
}

/// The pair that is asked for. Making or opening one is work, so it is done beside the requests.
async fn pair(new: NewKey) -> Result<SshKey> {
    let made = match (new.private_key, new.generate) {
        (Some(text), None) => {
            if new.bits.is_some() {
                return Err(Error::invalid("bits goes with generate only."));
            }
            let read = move || SshKey::parse("private_key", &text, new.passphrase.as_deref());
            tokio::task::spawn_blocking(read).await?
        }
        (None, Some(kind)) => {
            if new.passphrase.is_some() {
                return Err(Error::invalid("passphrase goes with private_key only."));
            }
            return generate(kind, new.bits).await;
        }
        _ => return Err(Error::invalid("Give either private_key or generate.")),
    };
    made.map_err(refused)
}

/// Makes a pair, and keeps it nowhere.
pub async fn generate(kind: NewKeyKind, bits: Option<u32>) -> Result<SshKey> {
    let made = match kind {
        NewKeyKind::Ed25519 if bits.is_some_and(|bits| bits != 256) => {
            return Err(Error::invalid("bits: an Ed25519 key has 256; only RSA keys come in sizes."));
        }
        NewKeyKind::Ed25519 => SshKey::generate_ed25519(),
        NewKeyKind::Rsa => {
            let bits = bits.unwrap_or(RSA_BITS);
            tokio::task::spawn_blocking(move || SshKey::generate_rsa(bits)).await?
        }
    };
    made.map_err(refused)
}

fn kind_of(pair: &SshKey) -> (KeyKind, u32) {
    match pair.kind() {
        SshKeyKind::Ed25519 => (KeyKind::Ed25519, 256),
        SshKeyKind::Rsa(bits) => (KeyKind::Rsa, bits),
        SshKeyKind::Ecdsa(bits) => (KeyKind::Ecdsa, bits),
    }
}

fn refused(error: roadstead_providers::Error) -> Error {
    match error.kind() {
        roadstead_providers::ErrorKind::Invalid => Error::invalid(format!("{error}.")),
        _ => Error::internal("The key could not be made.").caused_by(error),
    }
}

fn not_found(id: &KeyId) -> Error {
    Error::not_found(format!("There is no key {:.100?}.", id.0))
}

/// Where a private half is sealed to.
fn private_place(id: &KeyId) -> String {
    format!("keys/{id}/sealed_private")
}
