//! `indonesian_vcloud`: Indonesian Cloud, a VMware Cloud Director with a known host.

use std::sync::Arc;

use crate::{
    driver::Registration,
    field::{Field, FieldKind, Fields},
    http::CA,
    vcloud::{CAPABILITIES, ORGANIZATION, PASSWORD, USERNAME, VCloud},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| {
        let host = setup.credentials.required_text("host")?.to_owned();
        Ok(Arc::new(VCloud::new(&setup, "indonesian_vcloud", &host)?))
    },
};

const FIELDS: Fields = Fields(&[
    USERNAME,
    PASSWORD,
    ORGANIZATION,
    Field::new("host", FieldKind::Text, "The host name or the URL of the Director")
        .or("compute.idcloudonline.com")
        .also(&["endpoint"]),
    CA,
]);
