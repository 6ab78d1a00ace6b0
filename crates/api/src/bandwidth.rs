//! How fast a backup may send, by the time of day.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schedule::TimeOfDay;

/// The slowest rate that can be set, in bytes a second: what is slower than this is better not begun.
pub const MIN_RATE: u64 = 1024;

/// A rate for a part of the day, by the clocks of the configuration's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BandwidthLimit {
    /// When it begins to hold.
    pub from: TimeOfDay,
    /// When it ceases; the next day where that is not later than `from`, so that twice the same is the whole day.
    pub until: TimeOfDay,
    /// So many bytes a second, 1024 or more.
    pub bytes_per_second: u64,
}

impl BandwidthLimit {
    /// Whether it holds at this time of day.
    pub fn holds_at(&self, time: TimeOfDay) -> bool {
        match self.from < self.until {
            true => (self.from..self.until).contains(&time),
            false => time >= self.from || time < self.until,
        }
    }
}

/// The rate of a time of day, in bytes a second: that of the first limit that holds; `None` is no limit.
pub fn rate_at(limits: &[BandwidthLimit], time: TimeOfDay) -> Option<u64> {
    limits.iter().find(|limit| limit.holds_at(time)).map(|limit| limit.bytes_per_second)
}

impl fmt::Display for BandwidthLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}={}", self.from, self.until, self.bytes_per_second)
    }
}

/// As it displays; the rate may also be written as `512KiB` or `2MiB`.
impl FromStr for BandwidthLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:.100?} is no limit; write 08:00-18:00=2MiB");
        let (times, rate) = text.split_once('=').ok_or_else(wrong)?;
        let (from, until) = times.split_once('-').ok_or_else(wrong)?;
        let (digits, unit) = rate.split_at(rate.find(|c: char| !c.is_ascii_digit()).unwrap_or(rate.len()));
        let unit: u64 = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        let rate = digits.parse().ok().and_then(|rate: u64| rate.checked_mul(unit)).ok_or_else(wrong)?;
        if rate < MIN_RATE {
            return Err(format!("{text:.100?} is slower than {MIN_RATE} bytes a second"));
        }
        Ok(Self { from: from.parse()?, until: until.parse()?, bytes_per_second: rate })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BandwidthLimit, rate_at};
    use crate::schedule::TimeOfDay;

    fn limits(texts: &[&str]) -> Vec<BandwidthLimit> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_limit_that_holds_counts() {
        let limits = limits(&["12:00-13:00=4KiB", "08:00-18:00=1KiB", "22:30-06:00=2KiB"]);
        for (time, rate) in [
            ("07:59", None),
            ("08:00", Some(1024)),
            ("12:30", Some(4096)),
            ("17:59", Some(1024)),
            ("18:00", None),
            ("22:30", Some(2048)),
            ("00:00", Some(2048)),
            ("05:59", Some(2048)),
            ("06:00", None),
        ] {
            assert_eq!(rate_at(&limits, time.parse().unwrap()), rate, "{time}");
        }
        let always: BandwidthLimit = "00:00-00:00=1024".parse().unwrap();
        assert!(always.holds_at(TimeOfDay::new(23, 59).unwrap()));
    }

    #[test]
    fn what_is_none_is_told() {
        for wrong in [
            "",
            "1MiB",
            "08:00=1MiB",
            "08:00-25:00=1MiB",
            "08:00-09:00=1023",
            "08:00-09:00=1 MiB",
            "08:00-09:00=-1",
        ] {
            assert!(wrong.parse::<BandwidthLimit>().is_err(), "{wrong}");
        }
        let huge = format!("08:00-09:00={}GiB", u64::MAX);
        assert!(huge.parse::<BandwidthLimit>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9:]{0,6}-?[0-9:]{0,6}=?\\PC{0,20}") {
            if let Ok(limit) = text.parse::<BandwidthLimit>() {
                prop_assert_eq!(limit.to_string().parse::<BandwidthLimit>(), Ok(limit));
            }
        }
    }
}
