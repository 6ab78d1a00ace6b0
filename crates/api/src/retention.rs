//! Retention: how long the backups of a configuration are kept. A backup stays if any rule wants it; with no rule at
//! all every backup stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long backups are kept. All rules absent: for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// All that arrived within so many days before the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// So many of the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u32>,
    /// The last of each of so many days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<u32>,
    /// The last of each of so many weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<u32>,
    /// The last of each of so many months.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<u32>,
    /// The last of each of so many years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_yearly: Option<u32>,
}

impl Retention {
    /// Whether every backup is kept for ever.
    pub fn is_forever(&self) -> bool {
        *self == Self::default()
    }

    /// Each rule that is set: its name, and its number.
    pub fn rules(&self) -> impl Iterator<Item = (&'static str, u32)> {
        [
            ("days", self.days),
            ("keep_last", self.keep_last),
            ("keep_daily", self.keep_daily),
            ("keep_weekly", self.keep_weekly),
            ("keep_monthly", self.keep_monthly),
            ("keep_yearly", self.keep_yearly),
        ]
        .into_iter()
        .filter_map(|(name, number)| Some((name, number?)))
    }
}
