//! What there is to choose from: providers, and a backend's sizes, locations and images. A backend that has none of a kind
//! has an empty list of it.

use std::collections::HashMap;

use roadstead_api::{backend::OfferQuery, id::BackendId, image::ImageStar};
use roadstead_providers::ErrorKind as ProviderErrorKind;
use serde_json::{Value, json};

use super::{asked::Asked, reply::Reply};
use crate::{
    ErrorKind, Result,
    ops::{Context, backend, image, location, provider, size},
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
    let stars = stars(context, &id).await?;
    listed(all, |image| {
        let star = stars.get(&image.id).copied().unwrap_or(star);
        json!({"id": image.id, "name": image.name, "extra": image.extra, "star": star})
    })
}

/// `POST /backends/ID/images/IMAGE`, whose id may have slashes: gives or takes its star, and says whether it has one.
pub async fn toggle_star(context: &Context, id: &str, image: &str) -> Result<Reply> {
    let id = BackendId(id.to_owned());
    let now = match stars(context, &id).await?.get(image) {
        Some(&starred) => starred,
        None => is_starred_by_itself(context, &id, image).await?,
    };
    let star = image::star(context, &id, ImageStar { image: image.to_owned(), starred: !now }).await?;
    Ok(Reply::Json(star.starred.into()))
}

async fn stars(context: &Context, id: &BackendId) -> Result<HashMap<String, bool>> {
    let stars = image::stars(context, id).await?.items;
    Ok(stars.into_iter().map(|star| (star.image, star.starred)).collect())
}

/// Of the many images of some providers only the usual ones are, which are those of a list without a search.
async fn is_starred_by_itself(context: &Context, id: &BackendId, image: &str) -> Result<bool> {
    let provider = backend::get(context, id).await?.backend.provider;
    if !CURATED.contains(&provider.0.as_str()) {
        return Ok(true);
    }
    let usual = image::list(context, id, OfferQuery::default()).await?.items;
    Ok(usual.iter().any(|usual| usual.id == image))
}

/// A list, or an empty one where the provider has no such thing.
pub fn listed<T>(all: Result<roadstead_api::Page<T>>, shown: impl FnMut(T) -> Value) -> Result<Reply> {
    match all {
        Ok(page) => Ok(Reply::Json(page.items.into_iter().map(shown).collect())),
        Err(error) if error.kind == ErrorKind::Backend(ProviderErrorKind::Unsupported) => {
            Ok(Reply::Json(json!([])))
        }
        Err(error) => Err(error),
    }
}
