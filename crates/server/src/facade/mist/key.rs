//! SSH keys, by their names.

use roadstead_api::key::{Key, KeyChange, KeyCreate, KeyQuery, NewKey, NewKeyKind};
use serde_json::{Value, json};

use super::{
    asked::Asked,
    backend::{PAGE, named},
    reply::Reply,
};
use crate::{
    Result,
    ops::{Context, key as ops},
};

/// What Mist.io made: RSA of this many bits.
const BITS: u32 = 2048;

/// `GET /keys`.
pub async fn list(context: &Context) -> Result<Reply> {
    let mut query = KeyQuery { limit: Some(PAGE), ..KeyQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = ops::list(context, query.clone()).await?;
        all.extend(page.items.iter().map(shown));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(Reply::Json(all.into())),
        }
    }
}

/// `POST /keys`: makes a key, and keeps nothing of it.
pub async fn generate(context: &Context) -> Result<Reply> {
    context.authorize::<KeyCreate>()?;
    let made = ops::generate(NewKeyKind::Rsa, Some(BITS)).await?;
    Ok(Reply::Json(json!({"priv": made.private_text()?.expose()})))
}

/// `PUT /keys`.
pub async fn add(context: &Context, asked: &Asked) -> Result<Reply> {
    let new = NewKey::uploaded(&asked.required("id")?, &asked.required("priv")?, None);
    Ok(Reply::Json(shown(&ops::create(context, new).await?)))
}

/// `PUT /keys/NAME`.
pub async fn rename(context: &Context, name: &str, asked: &Asked) -> Result<Reply> {
    let change = KeyChange { name: asked.required("new_id")? };
    let renamed = ops::update(context, &named(context, name).await?, change).await?;
    Ok(Reply::Json(json!({"new_id": renamed.name})))
}

/// `POST /keys/NAME`.
pub async fn set_default(context: &Context, name: &str) -> Result<Reply> {
    ops::set_default(context, &named(context, name).await?).await?;
    Ok(Reply::Done)
}

/// `DELETE /keys/NAME`: answers with those that are left.
pub async fn delete(context: &Context, name: &str) -> Result<Reply> {
    ops::delete(context, &named(context, name).await?).await?;
    list(context).await
}

/// `GET /keys/NAME/private`.
pub async fn private(context: &Context, name: &str) -> Result<Reply> {
    let key = ops::show_private(context, &named(context, name).await?).await?;
    Ok(Reply::Json(key.private_key.into()))
}

/// `GET /keys/NAME/public`.
pub async fn public(context: &Context, name: &str) -> Result<Reply> {
    Ok(Reply::Json(ops::show(context, &named(context, name).await?).await?.public_key.into()))
}

fn shown(key: &Key) -> Value {
    json!({"id": key.name, "isDefault": key.is_default, "machines": []})
}
