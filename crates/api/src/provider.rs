//! Providers: the kinds of backend there are, and their regions. A static catalogue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, endpoint::endpoints, id::ProviderId};

/// A kind of backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provider {
    /// The provider's id.
    pub id: ProviderId,
    /// Its name for people.
    pub title: String,
    /// Its regions; none where it has no such notion.
    pub regions: Vec<Region>,
    /// The service behind it has closed; only private installations of it are left.
    pub retired: bool,
}

/// A region of a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Region {
    /// The region's id, as `--region` takes it.
    pub id: String,
    /// Its place for people.
    pub location: String,
}

endpoints! {
    /// Lists the supported providers with their regions.
    ProviderList = "provider_list": Get "/providers", Observer, (()) ? (), () => 200 Page<Provider>;
    /// Shows one provider.
    ProviderShow = "provider_show": Get "/providers/{id}", Observer, (ProviderId) ? (), () => 200 Provider;
}
