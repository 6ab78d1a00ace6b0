//! Which snapshots to keep, as a plain value: rules and snapshots in, a verdict on each out.
//!
//! Snapshots are judged by when they *arrived*, as the keeper of the store saw it, never by the time
//! written in them: whoever steals an agent could otherwise backdate junk until the rules drop everything
//! good. What keeps a snapshot whatever the rules say: it arrived less than a floor ago, it is the newest
//! of its group, nobody knows when it arrived, or another program made it.
//!
//! The rules are restic's: of each hour, day, week, month, year the last snapshot counts; and where a
//! group's history is shorter than a rule reaches, its oldest snapshot stands for what is not there.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::snapshot::Snapshot;

/// How long snapshots are kept. A snapshot stays if any of the rules wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    /// So many of the newest.
    pub last: u32,
    /// The last of each of so many hours.
    pub hourly: u32,
    /// The last of each of so many days.
    pub daily: u32,
    /// The last of each of so many ISO weeks.
    pub weekly: u32,
    /// The last of each of so many months.
    pub monthly: u32,
    /// The last of each of so many years.
    pub yearly: u32,
    /// All that arrived within this time before the newest of the group, so that a machine which is
    /// switched off for a year loses nothing.
    pub within: Option<SignedDuration>,
    /// All that have one of these tags.
    pub tags: Vec<String>,
    /// What the rules apply to.
    pub group_by: GroupBy,
    /// Nothing goes that arrived less than this ago.
    pub floor: SignedDuration,
    /// Where hours, days and so on begin.
    pub zone: TimeZone,
}

impl Default for Retention {
    /// No rules, a floor of seven days, groups by host and paths, days of UTC.
    fn default() -> Self {
        Self {
            last: 0,
            hourly: 0,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            within: None,
            tags: Vec::new(),
            group_by: GroupBy::default(),
            floor: SignedDuration::from_hours(7 * 24),
            zone: TimeZone::UTC,
        }
    }
}

/// Which snapshots are of one kind, to each of which the rules apply on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupBy {
    /// Those of one host.
    pub host: bool,
    /// Those of the same paths.
    pub paths: bool,
    /// Those with the same tags.
    pub tags: bool,
}

impl Default for GroupBy {
    fn default() -> Self {
        Self { host: true, paths: true, tags: false }
    }
}

/// Why a snapshot stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Another program made it.
    Foreign,
    /// When it arrived is not known.
    ArrivalUnknown,
    /// It arrived less than the floor ago.
    Floor,
    /// It is the newest of its group.
    Newest,
    /// By [`Retention::last`].
    Last,
    /// By [`Retention::hourly`].
    Hourly,
    /// By [`Retention::daily`].
    Daily,
    /// By [`Retention::weekly`].
    Weekly,
    /// By [`Retention::monthly`].
    Monthly,
    /// By [`Retention::yearly`].
    Yearly,
    /// By [`Retention::within`].
    Within,
    /// By [`Retention::tags`].
    Tagged,
}

/// What becomes of one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// When it arrived, if known.
    pub arrived: Option<Timestamp>,
    /// Why it stays, in order. Empty: it goes.
    pub reasons: Vec<Reason>,
}

/// Snapshots that the rules were applied to together.
#[derive(Debug, Clone, PartialEq)]
pub struct ForgetGroup {
    /// Their host; empty unless grouped by it.
    pub hostname: String,
    /// Their paths, sorted; empty unless grouped by them.
    pub paths: Vec<String>,
    /// Their tags, sorted; empty unless grouped by them.
    pub tags: Vec<String>,
    /// A verdict on each, newest first; those of unknown arrival and of other programs last.
    pub verdicts: Vec<Verdict>,
}

/// What a retention comes to for the snapshots there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForgetPlan {
    /// The groups, in order of host, paths and tags.
    pub groups: Vec<ForgetGroup>,
}

impl ForgetPlan {
    /// The snapshots that go.
    pub fn forgotten(&self) -> Vec<Id> {
        let verdicts = self.groups.iter().flat_map(|group| &group.verdicts);
        verdicts.filter(|verdict| verdict.reasons.is_empty()).map(|verdict| verdict.snapshot.id).collect()
    }

    /// The snapshots that stay.
    pub fn kept(&self) -> Vec<Id> {
        let verdicts = self.groups.iter().flat_map(|group| &group.verdicts);
        verdicts.filter(|verdict| !verdict.reasons.is_empty()).map(|verdict| verdict.snapshot.id).collect()
    }
}

/// Host, paths and tags, each empty unless grouped by.
type GroupKey = (String, Vec<String>, Vec<String>);
/// A span of time: year, month or week, day, hour, and the offset, which tells the two hours apart that a
/// change of clocks gives the same name.
type Bucket = (i16, i8, i8, i8, i32);

impl Retention {
    /// Applies the rules. `arrivals` tells when each snapshot came into the store. Touches nothing.
    ///
    /// [`ErrorKind::Invalid`] when there is no rule at all, which would forget all but the newest.
    pub fn plan(
        &self,
        snapshots: Vec<Snapshot>,
        arrivals: &HashMap<Id, Timestamp>,
        now: Timestamp,
    ) -> Result<ForgetPlan> {
        if self.counts().iter().all(|(_, count)| *count == 0) && self.within.is_none() && self.tags.is_empty()
        {
            return Err(Error::new(ErrorKind::Invalid, "a retention without any rule would keep nothing"));
        }
        let mut groups: BTreeMap<GroupKey, Vec<Verdict>> = BTreeMap::new();
        for snapshot in snapshots {
            let arrived = arrivals.get(&snapshot.id).copied();
            let verdict = Verdict { arrived, reasons: protection(&snapshot, arrived), snapshot };
            groups.entry(self.key(&verdict.snapshot)).or_default().push(verdict);
        }
        let group = |((hostname, paths, tags), verdicts)| {
            let verdicts = self.judge(verdicts, now);
            ForgetGroup { hostname, paths, tags, verdicts }
        };
        Ok(ForgetPlan { groups: groups.into_iter().map(group).collect() })
    }

    fn key(&self, snapshot: &Snapshot) -> GroupKey {
        let sorted = |wanted: bool, values: &[String]| {
            let mut values = if wanted { values.to_vec() } else { Vec::new() };
            values.sort();
            values
        };
        let host = if self.group_by.host { snapshot.hostname.clone() } else { String::new() };
        (host, sorted(self.group_by.paths, &snapshot.paths), sorted(self.group_by.tags, &snapshot.tags))
    }

    fn counts(&self) -> [(Reason, u32); 6] {
        [
            (Reason::Last, self.last),
            (Reason::Hourly, self.hourly),
            (Reason::Daily, self.daily),
            (Reason::Weekly, self.weekly),
            (Reason::Monthly, self.monthly),
            (Reason::Yearly, self.yearly),
        ]
    }

    fn judge(&self, mut verdicts: Vec<Verdict>, now: Timestamp) -> Vec<Verdict> {
        // Protected ones neither fill the places of others nor need one.
        verdicts.sort_by_key(|verdict| (!verdict.reasons.is_empty(), verdict.arrived, verdict.snapshot.id));
        let judged = verdicts.partition_point(|verdict| verdict.reasons.is_empty());
        verdicts[..judged].reverse();
        let arrived: Vec<Timestamp> =
            verdicts[..judged].iter().filter_map(|verdict| verdict.arrived).collect();
        let newest = arrived.first().copied().unwrap_or(now);
        for (i, (verdict, arrived)) in verdicts.iter_mut().zip(&arrived).enumerate() {
            let within = |span: SignedDuration| newest.duration_since(*arrived) <= span;
            let tagged = self.tags.iter().any(|tag| verdict.snapshot.tags.contains(tag));
            for (reason, applies) in [
                (Reason::Floor, now.duration_since(*arrived) < self.floor),
                (Reason::Newest, i == 0),
                (Reason::Within, self.within.is_some_and(within)),
                (Reason::Tagged, tagged),
            ] {
                verdict.reasons.extend(applies.then_some(reason));
            }
        }
        for (reason, count) in self.counts() {
            for kept in self.fill(reason, count, &arrived) {
                verdicts[kept].reasons.push(reason);
            }
        }
        verdicts.iter_mut().for_each(|verdict| verdict.reasons.sort());
        verdicts
    }

    /// Which of the snapshots, newest first, one counted rule keeps.
    fn fill(&self, reason: Reason, count: u32, arrived: &[Timestamp]) -> Vec<usize> {
        let (mut kept, mut previous) = (Vec::new(), None);
        for (i, time) in arrived.iter().enumerate() {
            let bucket = self.bucket(reason, *time);
            let begins = reason == Reason::Last || previous != Some(bucket);
            if kept.len() < count as usize && (begins || i + 1 == arrived.len()) {
                kept.push(i);
                previous = Some(bucket);
            }
        }
        kept
    }

    fn bucket(&self, reason: Reason, time: Timestamp) -> Bucket {
        let time = time.to_zoned(self.zone.clone());
        let (year, month, day) = (time.year(), time.month(), time.day());
        match reason {
            Reason::Hourly => (year, month, day, time.hour(), time.offset().seconds()),
            Reason::Daily => (year, month, day, 0, 0),
            Reason::Weekly => {
                let week = time.date().iso_week_date();
                (week.year(), week.week(), 0, 0, 0)
            }
            Reason::Monthly => (year, month, 0, 0, 0),
            _ => (year, 0, 0, 0, 0),
        }
    }
}

/// What keeps a snapshot before any rule is asked.
fn protection(snapshot: &Snapshot, arrived: Option<Timestamp>) -> Vec<Reason> {
    if !snapshot.is_ours() {
        vec![Reason::Foreign]
    } else if arrived.is_none() {
        vec![Reason::ArrivalUnknown]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
