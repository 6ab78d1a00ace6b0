//! What the Resource Manager's answers carry, as far as it is used.
//!
//! Resources name each other by id, a path; the case of its letters says nothing.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;

/// A resource: what all have, and the properties of its kind.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resource<P> {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) location: String,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) properties: P,
}

pub(super) type Vm = Resource<VmProperties>;
pub(super) type Nic = Resource<NicProperties>;
pub(super) type PublicIp = Resource<PublicIpProperties>;
pub(super) type VirtualNetwork = Resource<VirtualNetworkProperties>;
/// An image of one's own, or a gallery, or what is in one.
pub(super) type Named = Resource<NamedProperties>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VmProperties {
    pub(super) vm_id: String,
    pub(super) provisioning_state: Option<String>,
    pub(super) time_created: Option<String>,
    pub(super) priority: Option<String>,
    pub(super) hardware_profile: HardwareProfile,
    pub(super) storage_profile: StorageProfile,
    pub(super) network_profile: NetworkProfile,
    pub(super) diagnostics_profile: DiagnosticsProfile,
    pub(super) instance_view: Option<InstanceView>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HardwareProfile {
    pub(super) vm_size: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct StorageProfile {
    pub(super) image_reference: Option<ImageReference>,
    pub(super) os_disk: OsDisk,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageReference {
    pub(super) id: Option<String>,
    pub(super) publisher: Option<String>,
    pub(super) offer: Option<String>,
    pub(super) sku: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OsDisk {
    pub(super) os_type: Option<String>,
    /// There where the disk lies on the host and goes with it.
    pub(super) diff_disk_settings: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NetworkProfile {
    pub(super) network_interfaces: Vec<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DiagnosticsProfile {
    pub(super) boot_diagnostics: BootDiagnostics,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BootDiagnostics {
    pub(super) enabled: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InstanceView {
    pub(super) statuses: Vec<Status>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Status {
    /// Such as `PowerState/running`.
    pub(super) code: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reference {
    pub(super) id: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NicProperties {
    pub(super) ip_configurations: Vec<IpConfiguration>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct IpConfiguration {
    pub(super) properties: IpConfigurationProperties,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct IpConfigurationProperties {
    #[serde(rename = "privateIPAddress")]
    pub(super) private: Option<IpAddr>,
    #[serde(rename = "publicIPAddress")]
    pub(super) public: Option<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PublicIpProperties {
    #[serde(rename = "ipAddress")]
    pub(super) address: Option<IpAddr>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct VirtualNetworkProperties {
    pub(super) address_space: AddressSpace,
    pub(super) subnets: Vec<SubnetResource>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AddressSpace {
    pub(super) address_prefixes: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SubnetResource {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) properties: SubnetProperties,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SubnetProperties {
    pub(super) address_prefix: Option<String>,
    pub(super) address_prefixes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NamedProperties {
    pub(super) os_type: Option<String>,
    pub(super) description: Option<String>,
}

/// One kind of an offer of images.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ImageSku {
    pub(super) name: String,
}

/// A size, or something else that is sold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sku {
    pub(super) resource_type: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) capabilities: Vec<SkuCapability>,
    #[serde(default)]
    pub(super) restrictions: Vec<Restriction>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SkuCapability {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Restriction {
    /// `Location` or `Zone`.
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) metadata: PlaceMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PlaceMetadata {
    pub(super) region_type: Option<String>,
}

/// How far some work is.
#[derive(Debug, Deserialize)]
pub(super) struct Progress {
    pub(super) status: String,
    #[serde(default)]
    pub(super) error: Problem,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BootData {
    pub(super) serial_console_log_blob_uri: Option<String>,
}

impl<P> Resource<P> {
    /// What tells it from others: its id, whatever the case of the letters.
    pub(super) fn key(&self) -> String {
        self.id.to_lowercase()
    }
}

impl Vm {
    /// The word behind `PowerState/`, where it is known.
    pub(super) fn power(&self) -> Option<&str> {
        let view = self.properties.instance_view.as_ref()?;
        view.statuses.iter().find_map(|status| status.code.strip_prefix("PowerState/"))
    }
}

/// The segment of an id behind the one that is called so, such as that of the resource group.
pub(super) fn part<'a>(id: &'a str, name: &str) -> Option<&'a str> {
    let mut segments = id.split('/');
    segments.find(|segment| segment.eq_ignore_ascii_case(name))?;
    segments.next()
}
