//! Locations of a backend, as it tells them now.

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    location::{Location, LocationList},
};
use roadstead_providers::Capability;

use super::{Context, backend, connection};
use crate::Result;

/// Lists a backend's locations.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Location>> {
    context.authorize::<LocationList>()?;
    let driver = backend::driver(context, id, Capability::Locations).await?;
    let mut found = driver.locations().await?;
    found.retain(|location| connection::matches(&query, [&location.id, &location.name]));
    Ok(Page { items: found, next: None })
}
