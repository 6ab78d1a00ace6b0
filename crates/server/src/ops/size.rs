//! Sizes of a backend, as it tells them now.

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    size::{Size, SizeList},
};
use roadstead_providers::Capability;

use super::{Context, backend, connection};
use crate::Result;

/// Lists a backend's sizes.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Size>> {
    context.authorize::<SizeList>()?;
    let driver = backend::driver(context, id, Capability::Sizes).await?;
    let mut found = driver.sizes().await?;
    found.retain(|size| connection::matches(&query, [&size.id, &size.name]));
    Ok(Page { items: found, next: None })
}
