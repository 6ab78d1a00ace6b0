//! `hpcloud`: HP Helion Public Cloud, an OpenStack with version 2 of Keystone.
//!
//! The service closed in January 2016. The driver speaks what it published, against any endpoint given.

use std::sync::Arc;

use crate::{
    capability::{Capabilities, Capability},
    driver::{Registration, Setup},
    error::{Error, Result},
    field::{Field, FieldKind, Fields},
    http::{Base, CA, ENDPOINT},
    openstack::{Dialect, ENDPOINT_KINDS, Login, OpenStack, Project, Settings},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: DIALECT.capabilities,
    connect: |setup| Ok(Arc::new(OpenStack::new(&setup, settings(&setup)?, &DIALECT)?)),
};

const FIELDS: Fields = Fields(&[
    Field::new("username", FieldKind::Text, "The user's name").required(),
    Field::new("password", FieldKind::Secret, "The user's password").required(),
    Field::new("tenant_name", FieldKind::Text, "The project's name")
        .required()
        .also(&["tenant", "project_name"]),
    ENDPOINT,
    CA,
]);

const DIALECT: Dialect = Dialect {
    provider: "hpcloud",
    service: "HP Helion Cloud",
    capabilities: Capabilities::of(&[
        Capability::Images,
        Capability::Sizes,
        Capability::Locations,
        Capability::Networks,
        Capability::Create,
        Capability::Start,
        Capability::Stop,
        Capability::Reboot,
        Capability::Destroy,
        Capability::Rename,
        Capability::Resize,
        Capability::Tag,
        Capability::ConsoleOutput,
        Capability::CreateNetwork,
        Capability::DeleteNetwork,
    ]),
};

fn settings(setup: &Setup) -> Result<Settings> {
    let given = &setup.credentials;
    let identity = match (given.text(ENDPOINT.name), &setup.region) {
        (Some(endpoint), _) => Base::parse(ENDPOINT.name, endpoint)?,
        (None, Some(region)) => {
            Base::parse("region", &format!("https://{region}.identity.hpcloudsvc.com:35357/v2.0"))?
        }
        (None, None) => return Err(Error::invalid("region", "is missing; without an endpoint it is needed")),
    };
    Ok(Settings {
        identity,
        login: Login::Password {
            username: given.required_text("username")?.to_owned(),
            password: given.required_secret("password")?.clone(),
            user_domain: "Default".to_owned(),
            project: Some(Project::Name(
                given.required_text("tenant_name")?.to_owned(),
                "Default".to_owned(),
            )),
        },
        region: setup.region.clone(),
        interface: ENDPOINT_KINDS[0].to_owned(),
        compute: None,
    })
}
