//! What there is to choose from: providers, and a backend's sizes, locations, images and networks. A backend that has
//! none of a kind has an empty list of it.

use roadstead_api::{backend::OfferQuery, id::BackendId};
use roadstead_providers::ErrorKind as ProviderErrorKind;
use serde_json::{Value, json};

use super::{asked::Asked, reply::Reply};
use crate::{
    ErrorKind, Result,
    ops::{Context, backend, image, location, network, provider, size},
};

/// The most that a search finds.
const FOUND: usize = 40;
/// Who has more images than anybody wants to see at once: only the usual ones are starred.
const CURATED: [&str; 2] = ["docker", "ec2"];

/// `GET /providers`.
pub fn providers(context: &Context) -> Result<Reply> {
    let shown = |provider: roadstead_api::provider::Provider| json!({"title": provider.title, "provider": provider.id, "regions": provider.regions});
    let all: Vec<_> = provider::list(context)?.items.into_iter().map(shown).collect();
    Ok(Reply::Json(json!({"supported_providers": all})))
}

/// `GET /backends/ID/sizes`.
pub async fn sizes(context: &Context, id: &str) -> Result<Reply> {
    let id = BackendId(id.to_owned());
    let driver = backend::get(context, &id).await?.backend.provider;
    listed(size::list(context, &id, OfferQuery::default()).await, |size| {
        json!({
            "id": size.id, "name": size.name, "driver": driver, "bandwidth": null,
            "ram": size.memory_bytes.map(|bytes| bytes >> 20),
            "disk": size.disk_bytes.map(|bytes| bytes >> 30),
            "price": size.price.map(|price| price.per_hour),
        })
    })
}

/// `GET /backends/ID/locations`.
pub async fn locations(context: &Context, id: &str) -> Result<Reply> {
    let all = location::list(context, &BackendId(id.to_owned()), OfferQuery::default()).await;
    listed(
        all,
        |place| json!({"id": place.id, "name": place.name, "country": place.country.unwrap_or_default()}),
    )
}

/// `GET /backends/ID/images`, and the same by POST: all of them, or those that `search_term` finds.
pub async fn images(context: &Context, id: &str, asked: &Asked) -> Result<Reply> {
    let id = BackendId(id.to_owned());
    let provider = backend::get(context, &id).await?.backend.provider;
    let search = asked.text("search_term");
    let star = search.is_none() || !CURATED.contains(&provider.0.as_str());
    let mut all = image::list(context, &id, OfferQuery { search: search.clone() }).await;
    if let Ok(page) = &mut all
        && search.is_some()
    {
        page.items.truncate(FOUND);
    }
    listed(all, |image| json!({"id": image.id, "name": image.name, "extra": image.extra, "star": star}))
}

/// `GET /backends/ID/networks`.
pub async fn networks(context: &Context, id: &str) -> Result<Reply> {
    let all = network::list(context, &BackendId(id.to_owned()), OfferQuery::default()).await;
    listed(all, |network| {
        let mut shown = network.extra;
        let status = shown.remove("status").unwrap_or_else(|| "ACTIVE".into());
        let subnets: Vec<_> =
            network.subnets.iter().map(|s| json!({"id": s.id, "name": s.name, "cidr": s.cidr})).collect();
        json!({"id": network.id, "name": network.name, "status": status, "subnets": subnets, "extra": shown})
    })
}

/// A list, or an empty one where the provider has no such thing.
fn listed<T>(all: Result<roadstead_api::Page<T>>, shown: impl FnMut(T) -> Value) -> Result<Reply> {
    match all {
        Ok(page) => Ok(Reply::Json(page.items.into_iter().map(shown).collect())),
        Err(error) if error.kind == ErrorKind::Backend(ProviderErrorKind::Unsupported) => {
            Ok(Reply::Json(json!([])))
        }
        Err(error) => Err(error),
    }
}
