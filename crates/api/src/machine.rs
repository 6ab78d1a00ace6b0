//! Machines: what a backend holds, and what can be done with each.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BackendId, MachineId};

/// A machine, as its backend was last seen to have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The machine's id.
    pub id: MachineId,
    /// The cloud's id of it.
    pub external_id: String,
    /// The backend that holds it.
    pub backend_id: BackendId,
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: MachineState,
    /// Addresses that can be reached from anywhere.
    pub public_ips: Vec<IpAddr>,
    /// Addresses of private networks.
    pub private_ips: Vec<IpAddr>,
    /// The cloud's id of the image it was made from.
    pub image: Option<String>,
    /// The cloud's id of its size.
    pub size: Option<String>,
    /// The cloud's id of its location.
    pub location: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it can be started now.
    pub can_start: bool,
    /// Whether it can be stopped now.
    pub can_stop: bool,
    /// Whether it can be rebooted now.
    pub can_reboot: bool,
    /// Whether it can be destroyed now.
    pub can_destroy: bool,
    /// Whether it can be renamed now.
    pub can_rename: bool,
    /// Whether its size can be changed now.
    pub can_resize: bool,
    /// Whether it can be tagged now.
    pub can_tag: bool,
    /// What else the cloud says of it.
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// When the backend was last asked.
    pub refreshed_at: Timestamp,
}

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineState {
    /// It is up.
    Running,
    /// It is being made, started or changed.
    Pending,
    /// It is down, and can be started.
    Stopped,
    /// It goes down to come up again.
    Rebooting,
    /// It is paused with its memory kept.
    Suspended,
    /// The cloud says that it is broken.
    Error,
    /// It is gone, and the cloud still lists it.
    Terminated,
    /// Nobody can tell.
    Unknown,
}

impl MachineState {
    /// The state's word, as JSON and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Stopped => "stopped",
            Self::Rebooting => "rebooting",
            Self::Suspended => "suspended",
            Self::Error => "error",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for MachineState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for MachineState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| format!("{text:?} is not a state of a machine"))
    }
}

/// What a machine says of itself when it is probed. What it did not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineProbe {
    /// How long the probe took, in milliseconds, from the connection to the last byte.
    pub round_trip_ms: u64,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its operating system, such as `Debian GNU/Linux 12 (bookworm)`.
    pub os: Option<String>,
    /// Its kernel, such as `Linux 6.1.0-26-amd64`.
    pub kernel: Option<String>,
    /// Its processors' architecture, such as `x86_64`.
    #[serde(default)]
    pub architecture: Option<String>,
    /// Its memory, in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// What programs can still have of the memory, in bytes.
    #[serde(default)]
    pub memory_available_bytes: Option<u64>,
    /// How long it has been up, in seconds.
    pub uptime_seconds: Option<u64>,
    /// The load of the last 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Processors that are online.
    pub cores: Option<u32>,
    /// Users that are logged in.
    pub users: Option<u32>,
    /// Its addresses, but for loopback and link-local ones.
    pub addresses: Vec<IpAddr>,
    /// Its mounted disks.
    pub disks: Vec<Disk>,
}

/// A mounted disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// The device.
    pub device: String,
    /// Where it is mounted.
    pub mount: String,
    /// What it holds at the most, in bytes.
    pub total_bytes: u64,
    /// What is taken of it, in bytes.
    pub used_bytes: u64,
    /// What users may still take of it, in bytes.
    pub available_bytes: u64,
}
