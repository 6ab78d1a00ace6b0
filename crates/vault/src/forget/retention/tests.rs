//! The rules against a naive reading of them.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{GroupBy, Reason, Retention};
use crate::error::ErrorKind;
use crate::id::Id;
use crate::snapshot::Snapshot;

fn snapshot(n: u64) -> Snapshot {
    let json = format!(
        r#"{{"time":"2020-01-01T00:00:00Z","tree":"{}","program_version":"roadstead 1"}}"#,
        Id([0; 32])
    );
    Snapshot { id: Id::of(&n.to_le_bytes()), ..serde_json::from_str(&json).unwrap() }
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + hours * 3600).unwrap()
}

/// Snapshots that arrived at these hours, each with its number.
fn arrived(hours: &[i64]) -> (Vec<Snapshot>, HashMap<Id, Timestamp>) {
    let snapshots: Vec<_> = (0..hours.len() as u64).map(snapshot).collect();
    let arrivals = snapshots.iter().zip(hours).map(|(snapshot, hours)| (snapshot.id, at(*hours))).collect();
    (snapshots, arrivals)
}

fn no_floor() -> Retention {
    Retention { floor: SignedDuration::ZERO, ..Retention::default() }
}

#[test]
fn without_a_rule_nothing_is_planned() {
    let (snapshots, arrivals) = arrived(&[0]);
    let error = Retention::default().plan(snapshots, &arrivals, at(9999)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn others_and_unknown_arrivals_stay_and_take_no_place() {
    let (mut snapshots, mut arrivals) = arrived(&[0, 1, 2, 3]);
    snapshots[3].program_version = "restic 0.19.1".to_owned();
    arrivals.remove(&snapshots[2].id);
    let plan = Retention { last: 1, ..no_floor() }.plan(snapshots.clone(), &arrivals, at(9999)).unwrap();
    assert_eq!(plan.forgotten(), [snapshots[0].id]);
    let reasons: Vec<_> = plan.groups[0].verdicts.iter().map(|verdict| verdict.reasons.clone()).collect();
    assert!(reasons.contains(&vec![Reason::Foreign]) && reasons.contains(&vec![Reason::ArrivalUnknown]));
    assert!(reasons.contains(&vec![Reason::Newest, Reason::Last]), "{reasons:?}");
}

#[test]
fn times_written_in_snapshots_and_floods_change_nothing_above_the_floor() {
    let hours: Vec<i64> = (0..300).collect();
    let (mut snapshots, arrivals) = arrived(&hours);
    for (n, snapshot) in snapshots.iter_mut().enumerate() {
        snapshot.time = at(-100_000 * (n as i64 % 2) + 100_000);
    }
    let now = at(299);
    let plan = Retention { last: 1, ..Retention::default() }.plan(snapshots, &arrivals, now).unwrap();
    for verdict in &plan.groups[0].verdicts {
        let young = now.duration_since(verdict.arrived.unwrap()) < SignedDuration::from_hours(7 * 24);
        assert_eq!(verdict.reasons.is_empty(), !young);
    }
    assert_eq!(plan.kept().len(), 7 * 24);
}

#[test]
fn groups_are_judged_apart() {
    let (mut snapshots, arrivals) = arrived(&[0, 1, 2, 3]);
    snapshots[0].hostname = "other".to_owned();
    snapshots[1].paths = vec!["/b".to_owned(), "/a".to_owned()];
    let retention = Retention { last: 1, ..no_floor() };
    let plan = retention.plan(snapshots.clone(), &arrivals, at(9999)).unwrap();
    assert_eq!((plan.groups.len(), plan.forgotten()), (3, vec![snapshots[2].id]));
    assert_eq!(plan.groups[1].paths, ["/a", "/b"]);
    let group_by = GroupBy { host: false, paths: false, tags: false };
    let plan = Retention { group_by, ..retention }.plan(snapshots, &arrivals, at(9999)).unwrap();
    assert_eq!((plan.groups.len(), plan.kept().len()), (1, 1));
}

#[test]
fn tags_and_within_keep() {
    let (mut snapshots, arrivals) = arrived(&[0, 10, 20, 30]);
    snapshots[0].tags = vec!["keep".to_owned()];
    let within = Some(SignedDuration::from_hours(10));
    let retention = Retention { within, tags: vec!["keep".to_owned()], ..no_floor() };
    // Counted from the newest, however long ago that is.
    let plan = retention.plan(snapshots.clone(), &arrivals, at(1_000_000)).unwrap();
    assert_eq!(plan.forgotten(), [snapshots[1].id]);
}

#[test]
fn the_hour_that_comes_twice_is_two_hours() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let times = ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"].map(|time| time.parse().unwrap());
    let snapshots = vec![snapshot(0), snapshot(1)];
    let arrivals = snapshots.iter().map(|snapshot| snapshot.id).zip(times).collect();
    let retention = Retention { hourly: 2, zone, ..no_floor() };
    assert_eq!(retention.plan(snapshots, &arrivals, Timestamp::MAX).unwrap().kept().len(), 2);
}

/// One counted rule, read naively: walk back, and keep whatever no newer one kept stands for.
fn naive(name: &str, count: u32, newest_first: &[Timestamp]) -> Vec<Timestamp> {
    let mut kept: Vec<Timestamp> = Vec::new();
    for (i, time) in newest_first.iter().enumerate() {
        let label = |time: &Timestamp| time.strftime(name).to_string();
        let stands = name != "last" && kept.iter().any(|other| label(other) == label(time));
        let oldest = i + 1 == newest_first.len();
        if kept.len() < count as usize && (!stands || oldest) {
            kept.push(*time);
        }
    }
    kept
}

proptest! {
    #[test]
    fn keeps_what_a_naive_reading_keeps(
        hours in prop::collection::btree_set(-20_000i64..20_000, 1..60),
        counts in prop::array::uniform6(0u32..6),
        floor in 0i64..2000,
        within in prop::option::of(0i64..2000),
    ) {
        prop_assume!(counts.iter().any(|count| *count > 0) || within.is_some());
        let hours: Vec<i64> = hours.into_iter().collect();
        let (snapshots, arrivals) = arrived(&hours);
        let now = at(20_000);
        let [last, hourly, daily, weekly, monthly, yearly] = counts;
        let (floor, within) = (SignedDuration::from_hours(floor), within.map(SignedDuration::from_hours));
        let retention =
            Retention { last, hourly, daily, weekly, monthly, yearly, floor, within, ..Retention::default() };
        let plan = retention.plan(snapshots, &arrivals, now).unwrap();

        let times: Vec<Timestamp> = hours.iter().rev().map(|hours| at(*hours)).collect();
        let mut expected = vec![times[0]];
        let names = ["last", "%Y %m %d %H", "%Y %m %d", "%G %V", "%Y %m", "%Y"];
        for (name, count) in names.into_iter().zip(counts) {
            expected.extend(naive(name, count, &times));
        }
        expected.extend(times.iter().filter(|time| now.duration_since(**time) < floor));
        expected.extend(times.iter().filter(|t| within.is_some_and(|w| times[0].duration_since(**t) <= w)));
        expected.sort();
        expected.dedup();

        let mut kept: Vec<Timestamp> = plan.kept().iter().map(|id| arrivals[id]).collect();
        kept.sort();
        prop_assert_eq!(kept, expected);
        prop_assert_eq!(plan.kept().len() + plan.forgotten().len(), hours.len());
    }
}
