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
    /// What a backend of this kind is added with. Empty for kinds that this version cannot add.
    pub fields: Vec<Field>,
}

/// Something that a backend is added with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// The name, as `--set` takes it.
    pub name: String,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it has to be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<String>,
    /// The least that a number may be.
    pub minimum: Option<u32>,
    /// The most that a number may be.
    pub maximum: Option<u32>,
    /// What to put in, for people.
    pub help: String,
    /// Other names that are taken for it.
    pub aliases: Vec<String>,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A password or token: one line, never shown again.
    Secret,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
    /// The id of an SSH key.
    Key,
    /// The text of a file, such as a certificate; never shown again.
    File,
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
