//! `rackspace`: Rackspace's public cloud, an OpenStack of its own kind.
//!
//! Login by user name and API key at version 2 of the identity service; no microversions, no availability zones, no text
//! of the console. The first generation of servers has been retired.
//!
//! Source: <https://docs-ospc.rackspace.com/cloud-servers/v2>.

use std::sync::Arc;

use crate::{
    capability::{Capabilities, Capability},
    driver::{Registration, Setup},
    error::{Error, Result},
    field::{Field, FieldKind, Fields},
    http::{Base, CA, ENDPOINT},
    openstack::{Dialect, ENDPOINT_KINDS, Login, OpenStack, Settings},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: DIALECT.capabilities,
    connect: |setup| Ok(Arc::new(OpenStack::new(&setup, settings(&setup)?, &DIALECT)?)),
};

const PUBLIC: &str = "https://identity.api.rackspacecloud.com/v2.0";

const FIRST_GENERATION: &str = "rackspace_first_gen:";

const FIELDS: Fields = Fields(&[
    Field::new("username", FieldKind::Text, "The user's name").required(),
    Field::new("api_key", FieldKind::Secret, "The user's API key").required(),
    ENDPOINT,
    CA,
]);

const DIALECT: Dialect = Dialect {
    provider: "rackspace",
    service: "Rackspace",
    capabilities: Capabilities::of(&[
        Capability::Images,
        Capability::Sizes,
        Capability::Networks,
        Capability::Create,
        Capability::Start,
        Capability::Stop,
        Capability::Reboot,
        Capability::Destroy,
        Capability::Rename,
        Capability::Resize,
        Capability::Tag,
        Capability::CreateNetwork,
        Capability::DeleteNetwork,
    ]),
};

fn settings(setup: &Setup) -> Result<Settings> {
    let given = &setup.credentials;
    if setup.region.as_deref().is_some_and(|region| region.starts_with(FIRST_GENERATION)) {
        return Err(Error::invalid("region", "is one of the first generation, which Rackspace has retired"));
    }
    Ok(Settings {
        identity: Base::parse(ENDPOINT.name, given.text(ENDPOINT.name).unwrap_or(PUBLIC))?,
        login: Login::ApiKey {
            username: given.required_text("username")?.to_owned(),
            key: given.required_secret("api_key")?.clone(),
        },
        region: setup.region.clone(),
        interface: ENDPOINT_KINDS[0].to_owned(),
        compute: None,
    })
}
