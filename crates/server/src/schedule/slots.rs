//! The slots of a schedule, one after the other.
//!
//! Days are gone through as calendars have them. Clocks that are put forward or back at midnight can make the slots of
//! neighbouring days change places, so what a day gives is held back until no later day can come before it.

use std::collections::{BTreeSet, VecDeque};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use roadstead_api::schedule::{Cron, Schedule};

use super::MINUTE_MS;

const HOUR_MS: i64 = 60 * MINUTE_MS;
/// After so many days without a slot there is none: the 29th of February comes at least every eight years.
const MAX_IDLE_DAYS: u32 = 8 * 366;

/// The slots of a schedule after some time, in order, in milliseconds since 1970. Ends with the calendar.
#[derive(Debug)]
pub enum Slots {
    /// None at all.
    None,
    /// The next, and the time between two.
    Elapsed {
        /// The next slot.
        next_ms: i64,
        /// From one slot to the next.
        step_ms: i64,
    },
    /// By clocks on the wall.
    Wall(Box<WallSlots>),
}

/// Slots that clocks on the wall show.
#[derive(Debug)]
pub struct WallSlots {
    rule: Rule,
    zone: TimeZone,
    after_ms: i64,
    date: Option<Date>,
    held_back: BTreeSet<i64>,
    ready: VecDeque<i64>,
    idle_days: u32,
}

/// On which days, and at which times of these.
#[derive(Debug)]
struct Rule {
    days: Days,
    times: Vec<Time>,
    every_hour: bool,
}

#[derive(Debug)]
enum Days {
    All,
    Weekday(jiff::civil::Weekday),
    Cron(Box<Cron>),
}

impl Slots {
    /// The slots after this time.
    pub fn new(schedule: &Schedule, zone: &TimeZone, created: Timestamp, after_ms: i64) -> Self {
        let time = |hour, minute| Time::new(hour, minute, 0, 0).ok();
        let rule = match schedule {
            Schedule::Manual => return Self::None,
            Schedule::Hourly(hours) => return elapsed(created, i64::from(*hours) * HOUR_MS, after_ms),
            Schedule::Daily(at) => Rule {
                days: Days::All,
                times: time(at.hour(), at.minute()).into_iter().collect(),
                every_hour: false,
            },
            Schedule::Weekly(day, at) => Rule {
                days: Days::Weekday(*day),
                times: time(at.hour(), at.minute()).into_iter().collect(),
                every_hour: false,
            },
            Schedule::Cron(cron) => Rule {
                times: cron.times().filter_map(|(hour, minute)| time(hour, minute)).collect(),
                every_hour: cron.is_every_hour(),
                days: Days::Cron(Box::new(cron.clone())),
            },
        };
        let after = Timestamp::from_millisecond(after_ms).unwrap_or(Timestamp::MAX);
        // Where clocks were put back over midnight, the day before is not over yet.
        let date = zone.to_datetime(after).date().yesterday().ok();
        Self::Wall(Box::new(WallSlots {
            rule,
            zone: zone.clone(),
            after_ms,
            date,
            held_back: BTreeSet::new(),
            ready: VecDeque::new(),
            idle_days: 0,
        }))
    }
}

fn elapsed(created: Timestamp, step_ms: i64, after_ms: i64) -> Slots {
    let minute = created.as_millisecond().div_euclid(MINUTE_MS) * MINUTE_MS;
    let passed = (after_ms.saturating_sub(minute)).div_euclid(step_ms).max(0);
    let next_ms = minute.saturating_add((passed + 1).saturating_mul(step_ms));
    Slots::Elapsed { next_ms, step_ms }
}

impl Iterator for Slots {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        match self {
            Self::None => None,
            Self::Elapsed { next_ms, step_ms } => {
                let slot = *next_ms;
                *next_ms = slot.saturating_add(*step_ms);
                Some(slot).filter(|&slot| slot < i64::MAX)
            }
            Self::Wall(wall) => wall.next(),
        }
    }
}

impl WallSlots {
    fn next(&mut self) -> Option<i64> {
        while self.ready.is_empty() {
            if self.idle_days > MAX_IDLE_DAYS {
                return None;
            }
            self.idle_days += 1;
            self.next_day()?;
        }
        self.idle_days = 0;
        self.ready.pop_front()
    }

    fn next_day(&mut self) -> Option<()> {
        let date = self.date?;
        if self.rule.is_on(date) {
            for time in &self.rule.times {
                let [first, second] = instants(&self.zone, date, *time, self.rule.every_hour);
                self.held_back.extend(first.into_iter().chain(second).filter(|&slot| slot > self.after_ms));
            }
        }
        self.date = date.tomorrow().ok();
        // No slot of a later day comes before that day begins.
        let [begin, _] =
            self.date.map_or([None, None], |date| instants(&self.zone, date, Time::midnight(), false));
        let later = self.held_back.split_off(&begin.unwrap_or(i64::MAX));
        self.ready.extend(std::mem::replace(&mut self.held_back, later));
        Some(())
    }
}

impl Rule {
    fn is_on(&self, date: Date) -> bool {
        match &self.days {
            Days::All => true,
            Days::Weekday(day) => date.weekday() == *day,
            Days::Cron(cron) => cron.is_on(date),
        }
    }
}

/// When clocks show this time of this day: once; or not at all, and then it comes when they have been put forward; or
/// twice, and then it comes the first time. For what comes every hour: not at all, or both times.
fn instants(zone: &TimeZone, date: Date, time: Time, every_hour: bool) -> [Option<i64>; 2] {
    let shown = date.to_datetime(time);
    let with = |offset: jiff::tz::Offset| offset.to_timestamp(shown).ok();
    let [first, second] = match zone.to_ambiguous_timestamp(shown).offset() {
        AmbiguousOffset::Unambiguous { offset } => [with(offset), None],
        AmbiguousOffset::Gap { .. } if every_hour => [None, None],
        // With the offset after the change, the time lies before the change.
        AmbiguousOffset::Gap { after, .. } => {
            [with(after).and_then(|before| change_after(zone, before)), None]
        }
        AmbiguousOffset::Fold { before, after } => [with(before), with(after).filter(|_| every_hour)],
    };
    [first, second].map(|time| time.map(Timestamp::as_millisecond))
}

fn change_after(zone: &TimeZone, time: Timestamp) -> Option<Timestamp> {
    zone.following(time).next().map(|change| change.timestamp())
}
