//! Metrics: how busy machines are, as their agents measure it.
//!
//! A series is kept in four steps: 10 seconds, for an hour and only while somebody watches; a minute, for a day; five
//! minutes, for a month; an hour, for a year. A point of a longer step is the mean of what was measured in it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    endpoint::endpoints,
    id::{AgentId, MachineId},
};

/// What an agent measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The load of the last minute.
    pub load: f64,
    /// How much of its processors was used, 0 to 100.
    pub cpu_percent: f64,
    /// Memory that programs cannot have, in bytes.
    pub memory_used_bytes: f64,
    /// Memory that there is, in bytes.
    pub memory_total_bytes: f64,
    /// What is taken of the root file system, in bytes.
    pub disk_used_bytes: f64,
    /// What the root file system holds at the most, in bytes.
    pub disk_total_bytes: f64,
    /// What was read from all disks, in bytes a second.
    pub disk_read_bytes_per_second: f64,
    /// What was written to all disks, in bytes a second.
    pub disk_written_bytes_per_second: f64,
    /// What came in over all networks, in bytes a second.
    pub network_received_bytes_per_second: f64,
    /// What went out over all networks, in bytes a second.
    pub network_sent_bytes_per_second: f64,
}

impl Sample {
    /// How many numbers it holds.
    pub const NUMBERS: usize = 10;

    /// The numbers, in the order of the fields.
    pub fn numbers(&self) -> [f64; Self::NUMBERS] {
        [
            self.load,
            self.cpu_percent,
            self.memory_used_bytes,
            self.memory_total_bytes,
            self.disk_used_bytes,
            self.disk_total_bytes,
            self.disk_read_bytes_per_second,
            self.disk_written_bytes_per_second,
            self.network_received_bytes_per_second,
            self.network_sent_bytes_per_second,
        ]
    }

    /// The sample of these numbers, in the order of the fields.
    pub fn of_numbers(numbers: [f64; Self::NUMBERS]) -> Self {
        let [load, cpu, memory_used, memory_total, disk_used, disk_total, read, written, received, sent] =
            numbers;
        Self {
            load,
            cpu_percent: cpu,
            memory_used_bytes: memory_used,
            memory_total_bytes: memory_total,
            disk_used_bytes: disk_used,
            disk_total_bytes: disk_total,
            disk_read_bytes_per_second: read,
            disk_written_bytes_per_second: written,
            network_received_bytes_per_second: received,
            network_sent_bytes_per_second: sent,
        }
    }
}

/// A point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricPoint {
    /// When its step began.
    pub at: Timestamp,
    /// What was measured.
    #[serde(flatten)]
    pub sample: Sample,
}

/// A series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// The agent that measured.
    pub agent_id: AgentId,
    /// How far its points are apart, in seconds: 10, 60, 300 or 3600.
    pub step_seconds: u32,
    /// The points, oldest first. There is none where the agent was away.
    pub points: Vec<MetricPoint>,
}

/// Which part of a series, and how fine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricQuery {
    /// From when on; an hour before the end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// 10, 60, 300 or 3600; the finest that is kept for as long as the span when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<u32>,
    /// Have the agent measure every 10 seconds for the next two minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
}

endpoints! {
    /// Shows how busy an agent's machine is and was.
    AgentMetricsShow = "agent_metrics": Get "/agents/{id}/metrics", Observer, (AgentId) ? MetricQuery, () => 200 Metrics;
    /// Shows how busy a machine is and was, as its agent measures it.
    MachineMetricsShow = "machine_metrics": Get "/machines/{id}/metrics", Observer, (MachineId) ? MetricQuery, () => 200 Metrics;
}
