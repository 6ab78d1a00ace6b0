//! Machines: what a backend holds, and what can be done with each.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page,
    endpoint::endpoints,
    id::{AgentId, BackendId, KeyId, MachineId, ProviderId},
    job::Job,
    size::Price,
};

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
    /// The agent that runs on it, where that is known.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// Whether its agent has a backup that can be restored, and none of its backup configurations is overdue.
    #[serde(default)]
    pub protected: bool,
    /// When its last backup ended that can be restored.
    #[serde(default)]
    pub last_good_backup_at: Option<Timestamp>,
    /// How old that is, in seconds.
    #[serde(default)]
    pub last_good_backup_age_seconds: Option<i64>,
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

/// Machines to be made.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMachine {
    /// The backend that is to make them.
    pub backend_id: BackendId,
    /// The name; `NAME-1`, `NAME-2` and so on where there are several.
    pub name: String,
    /// The cloud's id of the image.
    pub image: String,
    /// The cloud's id of the size.
    pub size: String,
    /// The cloud's id of the location; the cloud's choice when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The cloud's ids of the networks to join; the cloud's choice when there are none.
    #[serde(default)]
    pub networks: Vec<String>,
    /// The key that may log in; the account's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// What cloud-init runs at the first start, up to 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_init: Option<String>,
    /// How many, 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// What a container is made with; for backends of containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<NewContainer>,
}

/// What a container is made with, beyond what every machine has.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContainer {
    /// The command and its arguments; the image's own when empty.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Ports that are published, each as `[HOST:]CONTAINER[/udp]`; all that the image exposes when there are none.
    #[serde(default)]
    pub ports: Vec<String>,
    /// What is mounted, each as `NAME:PATH[:ro]`. A name that is a path is one of the host, which takes an admin.
    #[serde(default)]
    pub volumes: Vec<String>,
}

/// Leaves out the variables' values and the command: there may be secrets in them.
impl std::fmt::Debug for NewContainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewContainer")
            .field("environment", &self.environment.keys())
            .field("ports", &self.ports)
            .field("volumes", &self.volumes)
            .finish_non_exhaustive()
    }
}

/// Leaves out what cloud-init runs: there may be secrets in it.
impl std::fmt::Debug for NewMachine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMachine")
            .field("backend_id", &self.backend_id)
            .field("name", &self.name)
            .field("image", &self.image)
            .field("size", &self.size)
            .field("location", &self.location)
            .field("quantity", &self.quantity)
            .finish_non_exhaustive()
    }
}

/// What an order of machines comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachinePlan {
    /// The backend that is to make them.
    pub backend_id: BackendId,
    /// Its provider.
    pub provider: ProviderId,
    /// The names of the machines.
    pub names: Vec<String>,
    /// The cloud's id of the image.
    pub image: String,
    /// The cloud's id of the size.
    pub size: String,
    /// The cloud's id of the location, where one was chosen.
    pub location: Option<String>,
    /// The cloud's ids of the networks.
    pub networks: Vec<String>,
    /// The key that may log in.
    pub key_id: Option<KeyId>,
    /// Whether something is run at the first start.
    pub cloud_init: bool,
    /// What all of them cost, where the cloud tells.
    pub price: Option<Price>,
}

/// Which machines to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineQuery {
    /// Only those of this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_id: Option<BackendId>,
    /// Only those of backends of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderId>,
    /// Only those with this in their name, ids, addresses or tags, in capitals or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MachineState>,
    /// Only those with this tag; `key` also finds `key=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only those that are protected, or only those that are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// Only those with an agent, or only those without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_agent: Option<bool>,
    /// Ask the backends first, as far as they answer within ten seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<bool>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Whether to ask the backend first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefreshQuery {
    /// Ask the backend first, and fail if it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<bool>,
}

/// A new name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMachineName {
    /// The name; what it may look like depends on the provider.
    pub name: String,
}

/// A new size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMachineSize {
    /// The cloud's id of the size.
    pub size: String,
}

/// A change of tags. A tag is a word, or `key=value`; of each key a machine has one value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagChange {
    /// Begin with exactly these, instead of those that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Vec<String>>,
    /// Then take these away; `key` takes `key=value`, too.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Then add these; `key=value` takes the place of another value.
    #[serde(default)]
    pub add: Vec<String>,
}

/// What a machine printed on its console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleOutput {
    /// The text, the newest at the end.
    pub text: String,
}

/// How many machines there are, over all backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MachineCounts {
    /// All of them.
    pub machines: u64,
    /// Those without a backup that is good and in time.
    pub unprotected: u64,
}

endpoints! {
    /// Counts machines over all backends, and those without a good backup among them.
    MachineCountShow = "machine_count_show": Get "/machines/count", Observer, (()) ? (), () => 200 MachineCounts;
    /// Lists machines over all backends, in the order in which they were first seen.
    MachineList = "machine_list": Get "/machines", Observer, (()) ? MachineQuery, () => 200 Page<Machine>;
    /// Shows one machine.
    MachineShow = "machine_show": Get "/machines/{id}", Observer, (MachineId) ? RefreshQuery, () => 200 Machine;
    /// Orders machines; a job makes them, and tells how far it is.
    MachineCreate = "machine_create": Post "/machines", Creator, (()) ? (), NewMachine => 202 Job;
    /// Shows what an order of machines comes to, and orders nothing.
    MachinePlanShow = "machine_plan": Post "/machines/plan", Creator, (()) ? (), NewMachine => 200 MachinePlan;
    /// Starts a machine. This and all changes below return once the backend has taken the order.
    MachineStart = "machine_start": Post "/machines/{id}/start", Creator, (MachineId) ? (), () => 202 Machine;
    /// Stops a machine in good order, where the backend knows one.
    MachineStop = "machine_stop": Post "/machines/{id}/stop", Creator, (MachineId) ? (), () => 202 Machine;
    /// Restarts a machine in good order, where the backend knows one.
    MachineReboot = "machine_reboot": Post "/machines/{id}/reboot", Creator, (MachineId) ? (), () => 202 Machine;
    /// Destroys a machine, for ever.
    MachineDestroy = "machine_destroy": Post "/machines/{id}/destroy", Admin, (MachineId) ? (), () => 202 Machine;
    /// Gives a machine another name.
    MachineRename = "machine_rename": Post "/machines/{id}/rename", Creator, (MachineId) ? (), NewMachineName => 202 Machine;
    /// Gives a machine another size.
    MachineResize = "machine_resize": Post "/machines/{id}/resize", Creator, (MachineId) ? (), NewMachineSize => 202 Machine;
    /// Sets, adds and takes away tags of a machine.
    MachineTag = "machine_tag": Post "/machines/{id}/tags", Creator, (MachineId) ? (), TagChange => 202 Machine;
    /// Asks a machine itself how it is.
    MachineProbeNow = "machine_probe": Post "/machines/{id}/probe", Observer, (MachineId) ? (), () => 200 MachineProbe;
    /// Shows what a machine printed on its console, which may hold secrets.
    MachineConsole = "machine_console": Get "/machines/{id}/console", Creator, (MachineId) ? (), () => 200 ConsoleOutput;
}
