//! The XML of the query API: sets of items, pages, tags.

use serde::Deserialize;

/// A list: `<thingSet><item>...</item></thingSet>`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Set<T> {
    #[serde(default = "Vec::new", rename = "item")]
    pub(super) items: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

/// One page of a list. Each call has a name of its own for the set; it is always there, even when it is empty.
#[derive(Debug, Deserialize)]
pub(super) struct Listed<T> {
    #[serde(
        rename = "reservationSet",
        alias = "imagesSet",
        alias = "instanceTypeSet",
        alias = "instanceTypeOfferingSet",
        alias = "availabilityZoneInfo",
        alias = "vpcSet",
        alias = "subnetSet"
    )]
    pub(super) set: Set<T>,
    #[serde(rename = "nextToken")]
    pub(super) next: Option<String>,
}

/// The answer to a change, of which only this is of interest: that it is one.
#[derive(Debug, Deserialize)]
pub(super) struct Done {
    #[serde(rename = "requestId")]
    pub(super) _request: String,
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    #[serde(rename = "Errors")]
    pub(super) errors: Errors,
}

#[derive(Debug, Deserialize)]
pub(super) struct Errors {
    #[serde(rename = "Error")]
    pub(super) error: Vec<Problem>,
}

/// One reason for a refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(rename = "Code")]
    pub(super) code: String,
    #[serde(rename = "Message", default)]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reservation {
    pub(super) instances_set: Set<Instance>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) instance_id: String,
    pub(super) instance_state: State,
    pub(super) image_id: Option<String>,
    pub(super) instance_type: Option<String>,
    pub(super) launch_time: Option<String>,
    pub(super) key_name: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) root_device_type: Option<String>,
    pub(super) instance_lifecycle: Option<String>,
    pub(super) vpc_id: Option<String>,
    pub(super) subnet_id: Option<String>,
    pub(super) ip_address: Option<String>,
    pub(super) private_ip_address: Option<String>,
    #[serde(default)]
    pub(super) placement: Placement,
    #[serde(default)]
    pub(super) network_interface_set: Set<Interface>,
    #[serde(default)]
    pub(super) tag_set: Set<Tag>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct State {
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Placement {
    pub(super) availability_zone: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interface {
    #[serde(default)]
    pub(super) private_ip_addresses_set: Set<PrivateAddress>,
    #[serde(default)]
    pub(super) ipv6_addresses_set: Set<Ipv6>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PrivateAddress {
    pub(super) private_ip_address: Option<String>,
    #[serde(default)]
    pub(super) association: Association,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Association {
    pub(super) public_ip: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ipv6 {
    pub(super) ipv6_address: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    pub(super) image_id: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) creation_date: Option<String>,
    pub(super) image_owner_id: Option<String>,
    pub(super) root_device_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceType {
    pub(super) instance_type: String,
    pub(super) current_generation: Option<bool>,
    pub(super) v_cpu_info: Option<Cpus>,
    pub(super) memory_info: Option<Memory>,
    pub(super) instance_storage_info: Option<Storage>,
    pub(super) processor_info: Option<Processor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cpus {
    #[serde(rename = "defaultVCpus")]
    pub(super) count: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Memory {
    #[serde(rename = "sizeInMiB")]
    pub(super) mib: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Storage {
    #[serde(rename = "totalSizeInGB")]
    pub(super) gb: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Processor {
    #[serde(default)]
    pub(super) supported_architectures: Set<String>,
}

/// An instance type, and a zone where it is to be had.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Offering {
    pub(super) instance_type: String,
    pub(super) location: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Zone {
    pub(super) zone_name: String,
    pub(super) zone_id: Option<String>,
    pub(super) zone_state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vpc {
    pub(super) vpc_id: String,
    #[serde(default)]
    pub(super) is_default: bool,
    #[serde(default)]
    pub(super) tag_set: Set<Tag>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subnet {
    pub(super) subnet_id: String,
    pub(super) vpc_id: String,
    pub(super) cidr_block: String,
    pub(super) availability_zone: Option<String>,
    #[serde(default)]
    pub(super) tag_set: Set<Tag>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Console {
    #[serde(default)]
    pub(super) output: String,
}

impl Set<Tag> {
    /// The value of the tag with this key.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.items.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Instance, Listed, Refused, Reservation};

    fn listed(xml: &str) -> Result<Listed<Reservation>, quick_xml::DeError> {
        quick_xml::de::from_str(xml)
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        assert!(listed("<R><reservationSet/></R>").unwrap().set.items.is_empty());
        for odd in ["", "<html>It works!</html>", "<R><reservationSet><item>", "{}", "<R>"] {
            assert!(listed(odd).is_err(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in "(<[a-zA-Z/]{0,12}>|[a-z&;]{0,5}|<item>|<instancesSet>){0,40}", bytes in any::<Vec<u8>>()) {
            let _ = listed(&text);
            let _ = quick_xml::de::from_str::<Instance>(&text);
            let _ = quick_xml::de::from_str::<Refused>(&String::from_utf8_lossy(&bytes));
        }
    }
}
