//! A year of schedules in a moment: 50 zones, restarts, clocks that jump. And the days on which clocks are changed.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use proptest::{prelude::*, test_runner::RngSeed};
use roadstead_api::{
    backup_configuration::{BackupConfiguration, MissedAction},
    backup_options::BackupOptions,
    id::{AgentId, BackupConfigurationId},
    retention::Retention,
};

use super::{Circumstances, Decision, MINUTE_MS, Timetable, decide, decision::GRACE_MS};

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Zones of every kind: both hemispheres, half hours, changes at midnight, changes of half an hour, none at all.
const ZONES: [&str; 50] = [
    "UTC",
    "Europe/Paris",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Athens",
    "Europe/Chisinau",
    "Europe/Kyiv",
    "Atlantic/Azores",
    "Atlantic/Reykjavik",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/Halifax",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Sao_Paulo",
    "America/Bogota",
    "America/Caracas",
    "America/Nuuk",
    "America/Mexico_City",
    "America/Port-au-Prince",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Asia/Beirut",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Tehran",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Eucla",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
];

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn timetable(schedule: &str, zone: &str, created_ms: i64, spread_minutes: u32) -> Timetable {
    let created = Timestamp::from_millisecond(created_ms).unwrap();
    let configuration = BackupConfiguration {
        id: BackupConfigurationId(7),
        name: "test".to_owned(),
        agent_id: AgentId(1),
        enabled: true,
        inclusions: Vec::new(),
        exclusions: Vec::new(),
        schedule: schedule.parse().unwrap(),
        timezone: zone.to_owned(),
        spread_minutes,
        missed: MissedAction::Asap,
        next_runtime: None,
        retention: Retention::default(),
        options: BackupOptions::default(),
        notification_email: None,
        notify_success: false,
        notify_failure: false,
        created_at: created,
        updated_at: created,
    };
    Timetable::of(&configuration).unwrap()
}

/// The slots between two times, as UTC.
fn between(schedule: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
    let slots = timetable(schedule, zone, at(from), 0).slots_after(at(from));
    let slots = slots.take_while(|&slot| slot < at(to));
    slots.map(|slot| Timestamp::from_millisecond(slot).unwrap().to_string()).collect()
}

#[test]
fn a_time_that_clocks_leave_out_comes_when_they_have_been_put_forward() {
    // In Paris, on the 29th of March 2026, 02:00 is 03:00 at once.
    let daily = between("daily@02:30", "Europe/Paris", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
    assert_eq!(daily, ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
    let both = between("cron:30 2,3 * * *", "Europe/Paris", "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(both, ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
    // Two that fall together are one.
    let one = between("cron:0,30 2,3 29 3 *", "Europe/Paris", "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z");
    assert_eq!(one, ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]);
    // Midnight itself is left out in Santiago on the 6th of September 2026.
    let weekly =
        between("weekly:sun@00:10", "America/Santiago", "2026-09-05T00:00:00Z", "2026-09-12T00:00:00Z");
    assert_eq!(weekly, ["2026-09-06T04:00:00Z"]);
}

#[test]
fn a_time_that_clocks_show_twice_comes_the_first_time() {
    // In Paris, on the 25th of October 2026, 03:00 is 02:00 again.
    let daily = between("daily@02:30", "Europe/Paris", "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(daily, ["2026-10-25T00:30:00Z"]);
    let hours = between("cron:30 1-3 * * *", "Europe/Paris", "2026-10-24T23:00:00Z", "2026-10-25T12:00:00Z");
    assert_eq!(hours, ["2026-10-24T23:30:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"]);
}

#[test]
fn what_comes_every_hour_follows_the_time_that_passes() {
    for (from, to) in
        [("2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z"), ("2026-10-24T22:00:00Z", "2026-10-25T04:00:00Z")]
    {
        assert_eq!(between("cron:30 * * * *", "Europe/Paris", from, to).len(), 6, "{from}");
        assert_eq!(between("cron:*/10 * * * *", "Europe/Paris", from, to).len(), 35, "{from}");
    }
    let hourly = between("hourly:6", "Europe/Paris", "2026-03-28T22:17:31Z", "2026-03-30T00:00:00Z");
    assert_eq!(
        hourly,
        ["2026-03-29T04:17:00Z", "2026-03-29T10:17:00Z", "2026-03-29T16:17:00Z", "2026-03-29T22:17:00Z"]
    );
}

#[test]
fn rare_days_are_found_and_impossible_ones_told() {
    let leap = between("cron:0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2105-01-01T00:00:00Z");
    assert_eq!(leap, ["2104-02-29T00:00:00Z"]);
    let never = "cron:0 0 30 2 *".parse().unwrap();
    let mut table = timetable("daily@00:00", "UTC", 0, 0);
    table.schedule = never;
    assert_eq!(table.slots_after(0).next(), None);
    assert!(super::zone("Mars/Olympus_Mons").is_err());
    assert_eq!(timetable("manual", "UTC", 0, 0).next_due(0), None);
}

#[test]
fn spread_is_even_and_within_its_bounds() {
    let mut places: Vec<i64> = (1..=1000).map(|id| super::delay_ms(id, 60)).collect();
    assert!(places.iter().all(|place| (0..60 * MINUTE_MS).contains(place)));
    places.sort_unstable();
    let widest = places.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(widest < 3 * 60 * MINUTE_MS / 1000, "{widest}");
    assert_eq!(super::delay_ms(5, 0), 0);
}

/// What clocks in a zone show, minute by minute: when a daily time comes, found without any of the code under test.
fn daily_by_the_minute(zone: &TimeZone, hour: i8, minute: i8, from: i64, to: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut latest: Option<DateTime> = None;
    for ms in (from..to).step_by(MINUTE_MS as usize) {
        let shown = zone.to_datetime(Timestamp::from_millisecond(ms).unwrap());
        // The first minute that shows the time, or that comes right after it was left out.
        if let Some(before) = latest {
            let wanted = before.date().at(hour, minute, 0, 0);
            let wanted = if wanted > before { wanted } else { shown.date().at(hour, minute, 0, 0) };
            found.extend((before < wanted && shown >= wanted).then_some(ms));
        }
        latest = Some(latest.map_or(shown, |latest| latest.max(shown)));
    }
    found
}

#[test]
fn daily_slots_are_what_clocks_show_around_every_change_in_every_zone() {
    let year = (Timestamp::from_millisecond(at("2026-01-01T00:00:00Z")).unwrap(), at("2027-02-05T00:00:00Z"));
    for name in ZONES {
        let zone = super::zone(name).unwrap();
        let table = timetable("daily@00:30", name, 0, 0);
        let days = table.slots_after(year.0.as_millisecond()).take_while(|&slot| slot < year.1).count();
        assert!((399..=401).contains(&days), "{name}: {days}");
        for change in zone.following(year.0).take_while(|change| change.timestamp().as_millisecond() < year.1)
        {
            let change = change.timestamp().as_millisecond();
            let (from, to) = (change - 2 * DAY_MS, change + 2 * DAY_MS);
            let found: Vec<i64> = table.slots_after(from).take_while(|&slot| slot < to).collect();
            assert_eq!(found, daily_by_the_minute(&zone, 0, 30, from, to), "{name}");
        }
    }
}

/// The rows of one configuration, as the scheduler writes them, with the time by the clock of then.
#[derive(Default)]
struct Rows {
    slots: BTreeMap<i64, (Decision, i64)>,
    decided: i64,
}

impl Rows {
    /// One pass of the scheduler, as `jobs::scheduler` makes it.
    fn pass(&mut self, table: &Timetable, at: Circumstances) {
        if self.decided > at.now_ms {
            self.slots.retain(|&slot, (decision, _)| slot <= at.now_ms || *decision != Decision::Missed);
            self.decided = at.now_ms;
        }
        let mut active = at.active;
        for slot in table.slots_after(self.decided) {
            let due = table.due(slot);
            if due > at.now_ms {
                break;
            }
            let Some(decision) = decide(due, Circumstances { active, ..at }) else { break };
            if let Entry::Vacant(row) = self.slots.entry(slot) {
                row.insert((decision, at.now_ms));
                active |= decision == Decision::Run;
            }
            self.decided = slot;
        }
    }
}

/// What happens between two passes.
#[derive(Clone, Debug)]
enum Event {
    /// Some time passes, in seconds.
    Wait(i64),
    /// The server is down for some time.
    Down(i64),
    /// The clock is set wrong by this much.
    Jump(i64),
    /// The agent comes or goes.
    Agent(bool),
    /// A run begins or ends.
    Busy(bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (1_i64..2 * 86_400).prop_map(Event::Wait),
        1 => (60_i64..5 * 86_400).prop_map(Event::Down),
        1 => (-86_400_i64..86_400).prop_map(Event::Jump),
        2 => any::<bool>().prop_map(Event::Agent),
        2 => any::<bool>().prop_map(Event::Busy),
    ];
    prop::collection::vec(event, 50..100)
}

fn schedules() -> impl Strategy<Value = String> {
    prop_oneof![
        (1_u16..30).prop_map(|hours| format!("hourly:{hours}")),
        (0..24, 0..60).prop_map(|(hour, minute)| format!("daily@{hour}:{minute:02}")),
        (0..24, 0..60).prop_map(|(hour, minute)| format!("weekly:thu@{hour}:{minute:02}")),
        (0..60).prop_map(|minute| format!("cron:{minute} * * * *")),
        (0..60, 0..24).prop_map(|(minute, hour)| format!("cron:{minute} {hour},2 * * 1-5")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, rng_seed: RngSeed::Fixed(7643), ..ProptestConfig::default() })]

    /// 400 days: every slot has one row, and a run is never before its slot is due nor later than the grace.
    #[test]
    fn every_slot_has_one_row_and_none_runs_at_the_wrong_time(
        schedule in schedules(),
        zone in prop::sample::select(&ZONES[..]),
        spread in 0_u32..120,
        events in events(),
    ) {
        let created = at("2026-01-01T10:20:30Z");
        let table = timetable(&schedule, zone, created, spread);
        let mut rows = Rows { decided: created, ..Rows::default() };
        let mut at = Circumstances { now_ms: created, active: false, reachable: true };
        let mut events = events.iter().cycle();
        let end = created + 400 * DAY_MS;
        while at.now_ms < end {
            match events.next() {
                Some(Event::Wait(seconds)) => {
                    // The scheduler looks every second. Looks between which nothing falls due show nothing new.
                    let until = at.now_ms + seconds * 1000;
                    while at.now_ms < until {
                        rows.pass(&table, at);
                        let due = table.next_due(rows.decided).unwrap_or(until);
                        let next = if due > at.now_ms { due } else { due + GRACE_MS + 1 };
                        at.now_ms = next.max(at.now_ms + 1).min(until);
                    }
                }
                Some(Event::Down(seconds)) => at.now_ms += seconds * 1000,
                Some(Event::Jump(seconds)) => at.now_ms += seconds * 1000,
                Some(Event::Agent(there)) => at.reachable = *there,
                Some(Event::Busy(busy)) => at.active = *busy,
                None => break,
            }
            rows.pass(&table, at);
        }
        at = Circumstances { now_ms: at.now_ms + GRACE_MS + 1, active: false, reachable: false };
        rows.pass(&table, at);
        let expected: Vec<i64> =
            table.slots_after(created).take_while(|&slot| table.due(slot) < at.now_ms - GRACE_MS).collect();
        let found: Vec<i64> = rows.slots.keys().copied().filter(|slot| expected.binary_search(slot).is_ok()).collect();
        prop_assert_eq!(&found, &expected);
        prop_assert!(rows.slots.keys().all(|&slot| table.slots_after(slot - 1).next() == Some(slot)));
        for (slot, (decision, made)) in &rows.slots {
            let late = made - table.due(*slot);
            match decision {
                Decision::Run => prop_assert!((0..=GRACE_MS).contains(&late), "{} {}", slot, late),
                Decision::Skipped => prop_assert!(late >= 0),
                Decision::Missed => prop_assert!(late > GRACE_MS),
            }
        }
    }
}
