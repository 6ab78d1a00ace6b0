//! What has happened to machines, as the server saw it: kept for 90 days, also of machines that are gone.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{BackendId, MachineId},
    machine::MachineState,
};

/// Something that happened to a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineHistory {
    /// Its place in the history: the later, the higher.
    pub id: i64,
    /// When the server saw it.
    pub at: Timestamp,
    /// What happened: `appear`, `vanish` or `state`.
    pub what: HappenedTo,
    /// The machine.
    pub machine_id: MachineId,
    /// Its name then.
    pub machine_name: String,
    /// The backend that holds or held it.
    pub backend_id: BackendId,
    /// What it was doing from then on; of one that vanished, what it did last.
    pub state: MachineState,
}

/// What can happen to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HappenedTo {
    /// Its backend listed it for the first time, or again.
    Appear,
    /// Its backend listed it no more.
    Vanish,
    /// Its state changed.
    State,
}

impl HappenedTo {
    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appear => "appear",
            Self::Vanish => "vanish",
            Self::State => "state",
        }
    }
}

impl std::fmt::Display for HappenedTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for HappenedTo {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "appear" => Ok(Self::Appear),
            "vanish" => Ok(Self::Vanish),
            "state" => Ok(Self::State),
            _ => Err(format!("{text:?} is nothing that happens to machines")),
        }
    }
}

endpoints! {
    /// Lists what has happened to a machine, newest first.
    MachineHistoryList = "machine_history_list": Get "/machines/{id}/history", Observer, (MachineId) ? PageQuery, () => 200 Page<MachineHistory>;
}
