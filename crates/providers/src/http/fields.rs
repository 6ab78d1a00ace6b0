//! The fields that every driver of a REST service has.

use crate::field::{Field, FieldKind};

/// Where the service is. Drivers of private clouds make it required; the others have their public service without it.
pub(crate) const ENDPOINT: Field = Field::new(
    "endpoint",
    FieldKind::Text,
    "The URL of the API, where it is not the provider's public one; with http:// credentials go in the clear",
);

/// Who vouches for the service.
pub(crate) const CA: Field = Field::new(
    "ca_file",
    FieldKind::File,
    "CA certificates in PEM that vouch for the API; without them the public CAs do",
)
.also(&["ca_cert", "cacert"]);
