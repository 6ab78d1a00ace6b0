//! Schedules: when a configuration runs by itself. Written the same in JSON, on the command line and in the database:
//! `manual`, `hourly:6`, `daily@02:30`, `weekly:sun@02:30`, `cron:*/15 8-18 * * mon-fri`.
//!
//! Hours of `hourly` are hours that pass, counted from the minute in which the configuration was made. All other times
//! are those that clocks on the wall show in the configuration's time zone. Where clocks are put forward, a time that
//! they leave out comes when they have been; where they are put back, a time that they show twice comes the first time.
//! A cron expression for every hour follows the time that passes: it leaves nothing out and comes both times.

mod cron;

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{Timestamp, civil::Weekday};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use cron::Cron;

use crate::endpoint::endpoints;

/// How many times a preview tells.
pub const PREVIEWED: usize = 5;

endpoints! {
    /// Shows when a schedule would run next, without keeping it.
    SchedulePreview = "schedule_preview": Get "/schedules/preview", Observer, (()) ? ScheduleQuery, () => 200 ScheduleTimes;
}

/// The longest time between two runs of an hourly schedule, in hours: a week.
const MAX_HOURS: u16 = 168;

/// When a configuration runs by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Only when somebody starts it.
    #[default]
    Manual,
    /// Every so many hours, 1 to 168.
    Hourly(u16),
    /// Every day.
    Daily(TimeOfDay),
    /// Every week.
    Weekly(Weekday, TimeOfDay),
    /// As a cron expression says.
    Cron(Cron),
}

/// Which schedule to preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleQuery {
    /// The schedule.
    pub schedule: Schedule,
    /// The IANA time zone whose clocks it goes by; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// When a schedule would run next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleTimes {
    /// The next [`PREVIEWED`] times, the first one first; none for a manual schedule. One that is spread runs a little
    /// later.
    pub times: Vec<Timestamp>,
}

/// A time of day as clocks on the wall show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    /// A time of day, if there is one with this hour (0 to 23) and minute (0 to 59).
    pub fn new(hour: i8, minute: i8) -> Option<Self> {
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(Self { hour, minute })
    }

    /// The hour, 0 to 23.
    pub fn hour(self) -> i8 {
        self.hour
    }

    /// The minute, 0 to 59.
    pub fn minute(self) -> i8 {
        self.minute
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |text: &str| {
            let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            fits.then(|| text.parse().ok()).flatten()
        };
        let parts = text.split_once(':').filter(|(_, minute)| minute.len() == 2);
        let time = parts.and_then(|(hour, minute)| Self::new(digits(hour)?, digits(minute)?));
        time.ok_or_else(|| format!("{text:?} is no time of day; write it as 02:30"))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for TimeOfDay {
    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time of day as clocks on the wall show it.",
            "pattern": "^[0-9]{1,2}:[0-9]{2}$",
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
            Self::Hourly(hours) => write!(f, "hourly:{hours}"),
            Self::Daily(time) => write!(f, "daily@{time}"),
            Self::Weekly(day, time) => write!(f, "weekly:{}@{time}", cron::name(*day)),
            Self::Cron(cron) => write!(f, "cron:{cron}"),
        }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "manual" {
            Ok(Self::Manual)
        } else if let Some(hours) = text.strip_prefix("hourly:") {
            let hours = hours.parse().ok().filter(|hours| (1..=MAX_HOURS).contains(hours));
            hours.map(Self::Hourly).ok_or_else(|| format!("hourly:N takes 1 to {MAX_HOURS} hours"))
        } else if let Some(time) = text.strip_prefix("daily@") {
            Ok(Self::Daily(time.parse()?))
        } else if let Some((day, time)) = text.strip_prefix("weekly:").and_then(|rest| rest.split_once('@')) {
            let day =
                cron::weekday(day).ok_or_else(|| format!("{day:.20?} is no day of the week; write mon"))?;
            Ok(Self::Weekly(day, time.parse()?))
        } else if let Some(expression) = text.strip_prefix("cron:") {
            expression.parse().map(Self::Cron)
        } else {
            Err(format!(
                "{text:.100?} is no schedule; write manual, hourly:6, daily@02:30, weekly:sun@02:30 or cron:EXPR"
            ))
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Schedule {
    fn schema_name() -> Cow<'static, str> {
        "Schedule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "When a configuration runs by itself: manual, hourly:N, daily@HH:MM, weekly:DAY@HH:MM or \
                            cron:EXPR.",
            "pattern": "^(manual|hourly:[0-9]+|daily@[0-9]{1,2}:[0-9]{2}|weekly:[A-Za-z]+@[0-9]{1,2}:[0-9]{2}|cron:.+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_reads_back_as_it_displays() {
        for text in
            ["manual", "hourly:1", "hourly:168", "daily@00:00", "weekly:sun@23:59", "cron:*/5 * * * mon-fri"]
        {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        assert_eq!("weekly:Monday@7:05".parse::<Schedule>().unwrap().to_string(), "weekly:mon@07:05");
    }

    #[test]
    fn what_is_none_is_told() {
        for wrong in [
            "",
            "Manual",
            "hourly",
            "hourly:0",
            "hourly:169",
            "hourly:-1",
            "daily",
            "daily@24:00",
            "daily@1:2",
            "daily@+1:30",
            "weekly@02:30",
            "weekly:xyz@02:30",
            "weekly:sun@",
            "cron:",
            "monthly@1",
        ] {
            let error = wrong.parse::<Schedule>().unwrap_err();
            assert!(error.len() > 10, "{wrong}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(hourly:|daily@|weekly:|cron:)?\\PC{0,30}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
            }
        }
    }
}
