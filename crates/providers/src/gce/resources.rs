//! What the API's answers carry, as far as it is used.
//!
//! Resources name each other by URL. Numbers of 64 bits come as text.

use std::{collections::BTreeMap, net::IpAddr};

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) zone: String,
    #[serde(default)]
    pub(super) machine_type: String,
    pub(super) creation_timestamp: Option<String>,
    pub(super) status_message: Option<String>,
    pub(super) cpu_platform: Option<String>,
    #[serde(default)]
    pub(super) network_interfaces: Vec<Interface>,
    #[serde(default)]
    pub(super) disks: Vec<AttachedDisk>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) label_fingerprint: String,
    #[serde(default)]
    pub(super) deletion_protection: bool,
    #[serde(default)]
    pub(super) scheduling: Scheduling,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Scheduling {
    pub(super) provisioning_model: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Interface {
    pub(super) network: Option<String>,
    pub(super) subnetwork: Option<String>,
    #[serde(rename = "networkIP")]
    pub(super) network_ip: Option<IpAddr>,
    #[serde(default)]
    pub(super) access_configs: Vec<AccessConfig>,
    #[serde(default)]
    pub(super) ipv6_access_configs: Vec<AccessConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessConfig {
    #[serde(rename = "natIP")]
    pub(super) nat_ip: Option<IpAddr>,
    pub(super) external_ipv6: Option<IpAddr>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct AttachedDisk {
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) boot: bool,
    #[serde(default)]
    pub(super) licenses: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Disk {
    pub(super) self_link: String,
    pub(super) source_image: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) self_link: String,
    pub(super) description: Option<String>,
    pub(super) family: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) creation_timestamp: Option<String>,
    pub(super) disk_size_gb: Option<String>,
    pub(super) status: Option<String>,
    pub(super) deprecated: Option<Deprecated>,
}

/// That something is not to be used any more.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Deprecated {
    /// `ACTIVE`, which is not deprecated at all, or another word.
    pub(super) state: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MachineType {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) guest_cpus: u32,
    pub(super) memory_mb: u64,
    pub(super) architecture: Option<String>,
    #[serde(default)]
    pub(super) is_shared_cpu: bool,
    pub(super) deprecated: Option<Deprecated>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Network {
    pub(super) name: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) auto_create_subnetworks: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subnetwork {
    pub(super) name: String,
    pub(super) network: String,
    pub(super) region: String,
    pub(super) ip_cidr_range: String,
}

/// Work that goes on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) zone: String,
    /// The id of what it is done to.
    pub(super) target_id: Option<String>,
    pub(super) error: Option<Problems>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Problems {
    #[serde(default)]
    pub(super) errors: Vec<Problem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SerialPort {
    pub(super) contents: String,
}

impl Deprecated {
    /// Whether this says that it is to be used no more.
    pub(super) fn is_so(this: Option<&Self>) -> bool {
        this.and_then(|this| this.state.as_deref()).is_some_and(|state| state != "ACTIVE")
    }
}

impl Instance {
    /// The name of its zone.
    pub(super) fn zone(&self) -> &str {
        end_of(&self.zone)
    }
}

/// The last segment of a URL: the name of what it is the URL of.
pub(super) fn end_of(url: &str) -> &str {
    url.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A URL from `projects/` on, as requests and people name resources.
pub(super) fn path_of(url: &str) -> &str {
    url.find("projects/").map_or(url, |start| &url[start..])
}
