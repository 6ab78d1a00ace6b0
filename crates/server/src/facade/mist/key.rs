//! SSH keys, by their names.

use roadstead_api::{
    PageQuery,
    key::{Key, KeyChange, KeyCreate, KeyQuery, NewKey, NewKeyKind},
    key_machine::{KeyMachine, NewKeyMachine},
};
use serde_json::{Value, json};

use super::{
    asked::Asked,
    backend::{PAGE, named},
    machine,
    reply::Reply,
};
use crate::{
    Error, ErrorKind, Result,
    ops::{Context, key as ops, key_deployment, key_machine, machine as machines},
};

/// What Mist.io made: RSA of this many bits.
const BITS: u32 = 2048;

/// `GET /keys`.
pub async fn list(context: &Context) -> Result<Reply> {
    let mut query = KeyQuery { limit: Some(PAGE), ..KeyQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = ops::list(context, query.clone()).await?;
        for key in &page.items {
            all.push(shown(context, key).await?);
        }
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
    let key = ops::create(context, new).await?;
    Ok(Reply::Json(shown(context, &key).await?))
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

/// `PUT /backends/ID/machines/ID/keys/NAME`: has the machine let the key in, over another that works. User and port have
/// two names each: the clients' and the server's of then.
pub async fn associate(context: &Context, place: (&str, &str), name: &str, asked: &Asked) -> Result<Reply> {
    let key = named(context, name).await?;
    let port = match asked.text("ssh_port").or_else(|| asked.text("port")) {
        Some(port) => Some(port.parse().map_err(|_| Error::invalid("ssh_port is no port."))?),
        None => None,
    };
    let new = NewKeyMachine {
        machine_id: machine::find(context, place.0, place.1).await?.id,
        user: asked.text("ssh_user").or_else(|| asked.text("user")),
        port,
        host: asked.text("host"),
    };
    key_deployment::associate(context, &key, new).await.map_err(no_way_in)?;
    Ok(Reply::Json(associations(context, &ops::show(context, &key).await?).await?))
}

/// `DELETE /backends/ID/machines/ID/keys/NAME`: with a `host`, the machine lets the key in no more.
pub async fn disassociate(
    context: &Context,
    place: (&str, &str),
    name: &str,
    asked: &Asked,
) -> Result<Reply> {
    let key = named(context, name).await?;
    let pair = (key.clone(), machine::find(context, place.0, place.1).await?.id);
    if asked.text("host").is_some() {
        key_deployment::withdraw(context, pair.clone()).await.map_err(no_way_in)?;
    }
    key_machine::delete(context, pair).await?;
    Ok(Reply::Json(associations(context, &ops::show(context, &key).await?).await?))
}

/// A machine that lets nobody in is a 401 to the old clients, whatever stands in the way.
fn no_way_in(error: Error) -> Error {
    match error.kind {
        ErrorKind::Backend(_) | ErrorKind::Conflict => {
            Error::new(ErrorKind::Unauthorized, error.message.clone()).caused_by(error)
        }
        _ => error,
    }
}

async fn shown(context: &Context, key: &Key) -> Result<Value> {
    let machines = associations(context, key).await?;
    Ok(json!({"id": key.name, "isDefault": key.is_default, "machines": machines}))
}

/// A key's machines, each as `[backend, machine, when, user, sudo, port]`.
async fn associations(context: &Context, key: &Key) -> Result<Value> {
    let mut query = PageQuery { limit: Some(PAGE), cursor: None };
    let mut all = Vec::new();
    loop {
        let page = key_machine::list(context, &key.id, query.clone()).await?;
        for KeyMachine { machine_id, user, port, created_at, .. } in page.items {
            let machine = machines::get(context, &machine_id).await?;
            let when = created_at.as_second();
            all.push(json!([machine.backend_id, machine.external_id, when, user, false, port]));
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(all.into()),
        }
    }
}
