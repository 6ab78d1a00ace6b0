//! Alarms: what somebody should look at. One alarm a condition, however often that is seen: it is opened when the
//! condition begins, and closed when it ends.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, endpoint::endpoints, id::AlarmId};

/// What an alarm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// A backup configuration has had no good backup for two of its times in a row. Closed by the next good one.
    BackupOverdue,
    /// A vault has had no good check for three weeks, or its last check found damage. Closed by the next good one.
    CheckOverdue,
    /// A vault with rules of retention has had no good cleanup for three days. Closed by the next good one.
    CleanupOverdue,
    /// The last drill of a vault did not bring back what was backed up, or there was no good one for three of its periods.
    /// Closed by the next good one.
    DrillOverdue,
    /// A second process with the identity of an agent wanted to connect. Closed when it is acknowledged.
    ClonedAgent,
    /// More files of a kind came into a vault within an hour than backups leave. Closed when it is acknowledged.
    Flood,
    /// An upload was refused, since a quota is used up. Closed when the quota is changed, or acknowledged.
    Quota,
}

impl AlarmKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::BackupOverdue,
        Self::CheckOverdue,
        Self::CleanupOverdue,
        Self::DrillOverdue,
        Self::ClonedAgent,
        Self::Flood,
        Self::Quota,
    ];

    /// The word of JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackupOverdue => "backup_overdue",
            Self::CheckOverdue => "check_overdue",
            Self::CleanupOverdue => "cleanup_overdue",
            Self::DrillOverdue => "drill_overdue",
            Self::ClonedAgent => "cloned_agent",
            Self::Flood => "flood",
            Self::Quota => "quota",
        }
    }

    /// Whether it tells of what has happened, rather than of what lasts: once seen, it is over.
    pub fn is_over_when_seen(self) -> bool {
        matches!(self, Self::ClonedAgent | Self::Flood | Self::Quota)
    }
}

impl std::fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for AlarmKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| format!("{text:.50?} is no kind of alarm"))
    }
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// The alarm's id.
    pub id: AlarmId,
    /// What it is about.
    pub kind: AlarmKind,
    /// What kind of thing it is about, such as `backup_configuration`.
    pub noun: String,
    /// The id of that thing, as text also where it is a number.
    pub noun_id: String,
    /// What is wrong and what to do, in a sentence or two, as of when it was opened.
    pub message: String,
    /// When the condition was first seen.
    pub opened_at: Timestamp,
    /// When somebody said that they know.
    pub acknowledged_at: Option<Timestamp>,
    /// Who said so.
    pub acknowledged_by: Option<String>,
    /// When the condition was over; nothing while it lasts.
    pub closed_at: Option<Timestamp>,
}

/// Which alarms to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmQuery {
    /// Only those that are open (true), or closed (false).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Lists the alarms, newest first.
    AlarmList = "alarm_list": Get "/alarms", Observer, (()) ? AlarmQuery, () => 200 Page<Alarm>;
    /// Shows one alarm.
    AlarmShow = "alarm_show": Get "/alarms/{id}", Observer, (AlarmId) ? (), () => 200 Alarm;
    /// Notes that the caller knows of an alarm. One of what has happened, rather than of what lasts, is closed by it.
    AlarmAcknowledge = "alarm_acknowledge": Post "/alarms/{id}/acknowledge", Creator, (AlarmId) ? (), () => 200 Alarm;
}
