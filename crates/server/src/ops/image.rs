//! Images of a backend, as it tells them now.

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    image::{Image, ImageList},
};
use roadstead_providers::Capability;

use super::{Context, backend};
use crate::Result;

/// Lists a backend's images.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Image>> {
    context.authorize::<ImageList>()?;
    let driver = backend::driver(context, id, Capability::Images).await?;
    let found = driver.images(search_word(&query)).await?;
    Ok(Page { items: found, next: None })
}

fn search_word(query: &OfferQuery) -> Option<&str> {
    query.search.as_deref().map(str::trim).filter(|word| !word.is_empty())
}
