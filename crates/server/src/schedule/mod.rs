//! When configurations run: pure, without database or clock, so that a year of it is tested in a moment.
//!
//! A *slot* is a time of a schedule. It is named by when it comes, in milliseconds since 1970, and is *due* a little
//! later where the configuration is spread. Whatever happens, each slot ends in one row: a run, or the note that it was
//! skipped or missed. What decides which is [`decide`]; what makes two rows impossible is the database.

mod decision;
mod slots;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, tz::TimeZone};
use roadstead_api::{backup_configuration::BackupConfiguration, schedule::Schedule};

pub use decision::{Circumstances, Decision, decide};
pub use slots::Slots;

use crate::{Error, Result};

const MINUTE_MS: i64 = 60_000;

/// When one configuration runs.
#[derive(Clone, Debug)]
pub struct Timetable {
    schedule: Schedule,
    zone: TimeZone,
    created: Timestamp,
    /// How long after its slots it is due, in milliseconds.
    delay_ms: i64,
}

impl Timetable {
    /// The timetable of a configuration. An unknown time zone is invalid, and so is a schedule that never comes.
    pub fn of(configuration: &BackupConfiguration) -> Result<Self> {
        let timetable = Self {
            schedule: configuration.schedule.clone(),
            zone: zone(&configuration.timezone)?,
            created: configuration.created_at,
            delay_ms: delay_ms(configuration.id.0, configuration.spread_minutes),
        };
        if timetable.schedule != Schedule::Manual && timetable.slots_after(0).next().is_none() {
            return Err(Error::invalid(format!("schedule: {} never comes.", timetable.schedule)));
        }
        Ok(timetable)
    }

    /// The slots after this time, in order.
    pub fn slots_after(&self, ms: i64) -> Slots {
        Slots::new(&self.schedule, &self.zone, self.created, ms)
    }

    /// When a slot is due.
    pub fn due(&self, slot_ms: i64) -> i64 {
        slot_ms.saturating_add(self.delay_ms)
    }

    /// When the first slot after this time is due; `None` for a manual schedule.
    pub fn next_due(&self, ms: i64) -> Option<i64> {
        self.slots_after(ms).next().map(|slot| self.due(slot))
    }
}

/// The time zone of an IANA name.
pub fn zone(name: &str) -> Result<TimeZone> {
    let unknown = |_| {
        Error::invalid(format!("timezone: there is no time zone {name:.100?}; write Europe/Paris or UTC."))
    };
    TimeZone::get(name).map_err(unknown)
}

/// The place of a configuration in its spread. Steps of the golden ratio lie as evenly as can be, however many
/// configurations there are.
fn delay_ms(id: i64, spread_minutes: u32) -> i64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let place = u128::from(id.unsigned_abs().wrapping_mul(GOLDEN));
    let spread = u128::from(spread_minutes) * MINUTE_MS.unsigned_abs() as u128;
    i64::try_from((place * spread) >> 64).unwrap_or(0)
}
