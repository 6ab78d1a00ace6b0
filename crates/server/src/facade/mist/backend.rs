//! Backends, as Mist.io knew them: an EC2 backend's provider is its region.

use std::collections::BTreeMap;

use roadstead_api::{
    backend::{Backend, BackendChange, BackendQuery, BackendState, NewBackend},
    id::{BackendId, KeyId, ProviderId},
    key::KeyQuery,
};
use roadstead_providers::{FieldKind, registration};
use serde_json::{Value, json};

use super::{asked::Asked, reply::Reply};
use crate::{
    Error, Result,
    ops::{Context, backend as ops, key},
};

/// The most that a page of ours holds.
pub const PAGE: u32 = 1000;
/// What EC2's regions begin with, in the old names.
const EC2_REGION: &str = "ec2_";
/// What first-generation Rackspace was called: as a provider, and before a region.
const FIRST_GENERATION: &str = "rackspace_first_gen";

/// `GET /backends`.
pub async fn list(context: &Context) -> Result<Reply> {
    let mut query = BackendQuery { limit: Some(PAGE), ..BackendQuery::default() };
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

/// `POST /backends`: each provider's own parameters are its fields.
pub async fn add(context: &Context, asked: &Asked) -> Result<Reply> {
    let (provider, region) = place(&asked.required("provider")?, asked.text("region"));
    let title = asked.text("title").unwrap_or_else(|| provider.0.clone());
    let fields = fields(context, &provider, asked).await?;
    let added = ops::create(context, NewBackend { provider, title, region, fields }).await?;
    Ok(Reply::Json(shown(&added)))
}

/// `DELETE /backends/ID`.
pub async fn delete(context: &Context, id: &str) -> Result<Reply> {
    ops::delete(context, &BackendId(id.to_owned())).await?;
    Ok(Reply::Done)
}

/// `PUT /backends/ID`.
pub async fn rename(context: &Context, id: &str, asked: &Asked) -> Result<Reply> {
    let change = BackendChange { title: Some(asked.required("new_name")?), ..BackendChange::default() };
    ops::update(context, &BackendId(id.to_owned()), change).await?;
    Ok(Reply::Done)
}

/// `POST /backends/ID`: enables it or disables it.
pub async fn set_state(context: &Context, id: &str, asked: &Asked) -> Result<Reply> {
    let id = BackendId(id.to_owned());
    match asked.required("new_state")?.as_str() {
        "1" => ops::enable(context, &id).await?,
        "0" => ops::disable(context, &id).await?,
        _ => return Err(Error::invalid("new_state is 1 or 0.")),
    };
    Ok(Reply::Done)
}

/// A provider and a region of ours, from what the old clients call them.
fn place(provider: &str, region: Option<String>) -> (ProviderId, Option<String>) {
    let (provider, region) = match provider {
        region if region.starts_with(EC2_REGION) => ("ec2", Some(region.to_owned())),
        FIRST_GENERATION => ("rackspace", region.map(|region| format!("{FIRST_GENERATION}:{region}"))),
        provider => (provider, region),
    };
    (ProviderId(provider.to_owned()), region)
}

/// Those parameters that the provider has fields for. The clients send more, for other providers and later times.
async fn fields(context: &Context, provider: &ProviderId, asked: &Asked) -> Result<BTreeMap<String, Value>> {
    let known = registration(provider)?.fields;
    let mut values = BTreeMap::new();
    for (name, value) in asked.given() {
        // One of the three is the backend's own, whatever a provider calls its fields.
        if let Some(field) =
            known.get(name).filter(|_| !["title", "provider", "region"].contains(&name.as_str()))
        {
            let value = match (field.kind, value.as_str()) {
                (FieldKind::Key, Some(text)) => key_of(context, text.trim()).await?,
                _ => value.clone(),
            };
            values.insert(name.clone(), value);
        }
    }
    Ok(values)
}

/// A key goes by its name here.
async fn key_of(context: &Context, text: &str) -> Result<Value> {
    if text.is_empty() || text.starts_with("-----BEGIN") {
        return Ok(text.into());
    }
    Ok(named(context, text).await?.0.into())
}

/// The id of the key with this name.
pub async fn named(context: &Context, name: &str) -> Result<KeyId> {
    let query = KeyQuery { name: Some(name.to_owned()), ..KeyQuery::default() };
    let found = key::list(context, query).await?.items.into_iter().next();
    found.map(|key| key.id).ok_or_else(|| Error::not_found(format!("There is no key {name:.100?}.")))
}

fn shown(backend: &Backend) -> Value {
    let region = backend.region.as_deref().unwrap_or_default();
    let provider = match (backend.provider.0.as_str(), region) {
        ("ec2", region) if region.starts_with(EC2_REGION) => region,
        ("rackspace", region) if region.starts_with(FIRST_GENERATION) => FIRST_GENERATION,
        (provider, _) => provider,
    };
    let online = backend.enabled && backend.state != BackendState::Offline;
    json!({
        "id": backend.id, "title": backend.title, "provider": provider, "region": region,
        "enabled": backend.enabled, "state": if online { "online" } else { "offline" },
        "poll_interval": 10_000, "apikey": "", "tenant_name": "",
    })
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn providers_that_are_regions_become_both() {
        let placed = |provider, region: Option<&str>| {
            let (provider, region) = place(provider, region.map(str::to_owned));
            (provider.0, region.unwrap_or_default())
        };
        let both = |provider: &str, region: &str| (provider.to_owned(), region.to_owned());
        assert_eq!(placed("ec2", Some("ec2_eu_west")), both("ec2", "ec2_eu_west"));
        assert_eq!(placed("ec2_eu_west", None), both("ec2", "ec2_eu_west"));
        assert_eq!(placed("rackspace_first_gen", Some("uk")), both("rackspace", "rackspace_first_gen:uk"));
        assert_eq!(placed("bare_metal", None), both("bare_metal", ""));
    }
}
