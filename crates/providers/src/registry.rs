//! Which driver belongs to which provider of the catalogue: one line each.

use std::{collections::BTreeMap, sync::Arc};

use roadstead_api::id::ProviderId;

use crate::{
    credentials::Credentials,
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
};

/// Every driver, by its provider's id.
pub(crate) const DRIVERS: &[(&str, Registration)] = &[
    ("azure", crate::azure::REGISTRATION),
    ("bare_metal", crate::bare_metal::REGISTRATION),
    ("digitalocean", crate::digitalocean::REGISTRATION),
    ("docker", crate::docker::REGISTRATION),
    ("ec2", crate::ec2::REGISTRATION),
    ("gce", crate::gce::REGISTRATION),
    ("hpcloud", crate::hpcloud::REGISTRATION),
    ("indonesian_vcloud", crate::indonesian_vcloud::REGISTRATION),
    ("libvirt", crate::libvirt::REGISTRATION),
    ("linode", crate::linode::REGISTRATION),
    ("openstack", crate::openstack::REGISTRATION),
    ("rackspace", crate::rackspace::REGISTRATION),
    ("softlayer", crate::softlayer::REGISTRATION),
    ("vcloud", crate::vcloud::REGISTRATION),
    ("nephoscale", crate::nephoscale::REGISTRATION),
];

/// What is declared for a provider, or the refusal that names it.
pub fn registration(provider: &ProviderId) -> Result<&'static Registration> {
    DRIVERS.iter().find(|(id, _)| *id == provider.0).map(|(_, registration)| registration).ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, format!("there is no driver for the provider {provider}"))
    })
}

/// Checks what was given for a provider's fields.
pub fn check_fields(
    provider: &ProviderId,
    given: &BTreeMap<String, serde_json::Value>,
) -> Result<Credentials> {
    registration(provider)?.fields.check(given)
}

/// Makes the driver of a backend.
pub fn connect(provider: &ProviderId, setup: Setup) -> Result<Arc<dyn Driver>> {
    (registration(provider)?.connect)(setup)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use roadstead_api::id::ProviderId;

    use super::{DRIVERS, registration};
    use crate::{ErrorKind, field::FieldKind};

    #[test]
    fn every_driver_is_there_once() {
        let ids: HashSet<_> = DRIVERS.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), DRIVERS.len());
        let error = registration(&ProviderId("abacus".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("abacus"));
    }

    #[test]
    fn declarations_make_sense() {
        for (id, registration) in DRIVERS {
            let fields = registration.fields.0;
            let names: Vec<_> =
                fields.iter().flat_map(|field| [&[field.name], field.aliases].concat()).collect();
            let unique: HashSet<_> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{id}: a name stands for two fields");
            for field in fields {
                assert!(
                    !(field.required && field.default.is_some()),
                    "{id}: {} needs no default",
                    field.name
                );
                assert!(!field.help.is_empty() && !field.help.ends_with('.'), "{id}: {}", field.name);
                let sealed = field.kind.is_secret();
                assert!(!(sealed && field.default.is_some()), "{id}: {} is a secret for all", field.name);
                assert!(field.kind != FieldKind::Flag || field.default.is_some(), "{id}: {}", field.name);
            }
        }
    }
}
