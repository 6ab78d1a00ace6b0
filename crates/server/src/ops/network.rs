//! Networks of a backend, as it tells them now.

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    network::{Network, NetworkList},
};
use roadstead_providers::Capability;

use super::{Context, backend, connection};
use crate::Result;

/// Lists a backend's networks.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Network>> {
    context.authorize::<NetworkList>()?;
    let driver = backend::driver(context, id, Capability::Networks).await?;
    let mut found = driver.networks().await?;
    found.retain(|network| connection::matches(&query, [&network.id, &network.name]));
    Ok(Page { items: found, next: None })
}
