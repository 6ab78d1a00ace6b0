//! API keys of the user that calls.

use roadstead_api::{
    Page, PageQuery,
    api_key::{ApiKey, ApiKeyCreate, ApiKeyDelete, ApiKeyList, ApiKeyWithSecret, NewApiKey},
    id::ApiKeyId,
};

use super::{Context, page, validate};
use crate::{Error, Result, auth::API_KEY_PREFIX, db, random};

/// Makes a key, and shows its secret, this once.
pub async fn create(context: &Context, new: NewApiKey) -> Result<ApiKeyWithSecret> {
    context.authorize::<ApiKeyCreate>()?;
    validate::name("name", &new.name)?;
    let secret = random::secret(API_KEY_PREFIX)?;
    let mut change = context.change::<ApiKeyCreate>().await?;
    let hash = random::fingerprint(&secret);
    let id = db::api_key::insert(&mut change, context.user.id, &new.name, &hash, context.now_ms()).await?;
    change.commit(id).await?;
    Ok(ApiKeyWithSecret { id, name: new.name, secret })
}

/// Lists the keys.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<ApiKey>> {
    context.authorize::<ApiKeyList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let keys = db::api_key::list(&mut read, context.user.id, after, page::fetch(limit)).await?;
    Ok(page::page(keys, limit, |key| key.id.to_string()))
}

/// Deletes a key.
pub async fn delete(context: &Context, id: ApiKeyId) -> Result<()> {
    let mut change = context.change::<ApiKeyDelete>().await?;
    if !db::api_key::delete(&mut change, context.user.id, id).await? {
        return Err(Error::not_found(format!("You have no API key {id}.")));
    }
    change.commit(id).await
}
