//! Providers: the static catalogue.

use roadstead_api::{
    Page,
    id::ProviderId,
    provider::{Provider, ProviderList, ProviderShow},
};

use super::Context;
use crate::{Error, Result};

/// Lists the catalogue.
pub fn list(context: &Context) -> Result<Page<Provider>> {
    context.authorize::<ProviderList>()?;
    Ok(Page { items: roadstead_providers::providers(), next: None })
}

/// Shows one provider.
pub fn show(context: &Context, id: &ProviderId) -> Result<Provider> {
    context.authorize::<ProviderShow>()?;
    roadstead_providers::provider(id)
        .ok_or_else(|| Error::not_found(format!("There is no provider {:.100?}.", id.0)))
}
