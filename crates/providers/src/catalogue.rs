//! The static catalogue of providers and their regions.
//!
//! Ids, titles, order and regions are those of Mist.io's `GET /providers` of 2015, which old clients rely on; regions
//! that the services have opened since are appended by their drivers.

use roadstead_api::{
    id::ProviderId,
    provider::{Provider, Region},
};

use crate::{ec2, field::Field, registry};

/// Regions, as (id, location).
type Regions = &'static [(&'static str, &'static str)];

/// One row of the catalogue: id, title, the regions of 2015 and those of today, and whether the service has closed.
struct Row(&'static str, &'static str, &'static [Regions], bool);

const ROWS: [Row; 15] = [
    Row("bare_metal", "Other Server", &[], false),
    Row("azure", "Azure", &[], false),
    Row("ec2", "EC2", &[EC2, ec2::regions::TODAY], false),
    Row("gce", "Google Compute Engine", &[], false),
    Row("nephoscale", "NephoScale", &[], true),
    Row("digitalocean", "DigitalOcean", &[], false),
    Row("linode", "Linode", &[], false),
    Row("openstack", "OpenStack", &[], false),
    Row("rackspace", "Rackspace", &[RACKSPACE], false),
    Row("softlayer", "SoftLayer", &[], false),
    Row("hpcloud", "HP Helion Cloud", &[HPCLOUD], true),
    Row("docker", "Docker", &[], false),
    Row("vcloud", "VMware vCloud", &[], false),
    Row("indonesian_vcloud", "Indonesian Cloud", &[], false),
    Row("libvirt", "KVM (via libvirt)", &[], false),
];

const EC2: Regions = &[
    ("ec2_ap_northeast", "Tokyo"),
    ("ec2_ap_southeast", "Singapore"),
    ("ec2_ap_southeast_2", "Sydney"),
    ("ec2_eu_west", "Ireland"),
    ("ec2_sa_east", "Sao Paulo"),
    ("ec2_us_east", "N. Virginia"),
    ("ec2_us_west", "N. California"),
    ("ec2_us_west_oregon", "Oregon"),
];

const RACKSPACE: Regions = &[
    ("dfw", "Dallas"),
    ("ord", "Chicago"),
    ("iad", "N. Virginia"),
    ("lon", "London"),
    ("syd", "Sydney"),
    ("hkg", "Hong Kong"),
    ("rackspace_first_gen:us", "US-First Gen"),
    ("rackspace_first_gen:uk", "UK-First Gen"),
];

const HPCLOUD: Regions = &[("region-a.geo-1", "US West"), ("region-b.geo-1", "US East")];

/// Every provider, in the catalogue's order.
pub fn providers() -> Vec<Provider> {
    ROWS.iter().map(Row::provider).collect()
}

/// The provider with this id.
pub fn provider(id: &ProviderId) -> Option<Provider> {
    ROWS.iter().find(|row| row.0 == id.0).map(Row::provider)
}

impl Row {
    fn provider(&self) -> Provider {
        let Self(id, title, regions, retired) = *self;
        let region = |&(id, location): &(&str, &str)| Region { id: id.into(), location: location.into() };
        let id = ProviderId(id.into());
        let fields = registry::registration(&id).map_or(&[][..], |registration| registration.fields.0);
        Provider {
            id,
            title: title.into(),
            regions: regions.iter().copied().flatten().map(region).collect(),
            retired,
            fields: fields.iter().map(Field::describe).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use roadstead_api::{id::ProviderId, provider::FieldKind};

    use super::{provider, providers};
    use crate::{ec2, registry};

    #[test]
    fn ids_are_unique_and_the_seed_is_whole() {
        let all = providers();
        let ids: HashSet<_> = all.iter().map(|p| p.id.0.as_str()).collect();
        assert_eq!((all.len(), ids.len()), (15, 15));
        let regions = |id: &str| all.iter().find(|p| p.id.0 == id).map(|p| p.regions.len());
        assert_eq!(
            (regions("ec2"), regions("rackspace"), regions("hpcloud")),
            (Some(8 + ec2::regions::TODAY.len()), Some(8), Some(2))
        );
        assert_eq!(all.iter().filter(|p| p.retired).count(), 2);
    }

    #[test]
    fn every_driver_is_in_the_catalogue_with_its_fields() {
        let all = providers();
        for (id, registration) in registry::DRIVERS {
            let found = all.iter().find(|provider| provider.id.0 == *id).unwrap();
            assert_eq!(found.fields.len(), registration.fields.0.len(), "{id}");
        }
        let bare_metal = provider(&ProviderId("bare_metal".into())).unwrap();
        let port = bare_metal.fields.iter().find(|field| field.name == "machine_port").unwrap();
        assert_eq!(
            (port.kind, port.default.as_deref(), port.minimum, port.maximum),
            (FieldKind::Number, Some("22"), Some(1), Some(65_535))
        );
    }
}
