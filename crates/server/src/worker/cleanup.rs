//! Cleaning a vault, in the engine's terms: which snapshots the rules keep, forgetting the others, prune, trash.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use roadstead_api::retention::Retention;
use roadstead_vault::{
    Cancel, GroupBy, Id, PruneOptions, Reason, Repository, Retention as Rules, Snapshot, VoidMonitor,
    store::{Disposal, FileKind},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    db::{cleanup::CleanupFindings, row::timestamp},
    vaults::VaultStore,
};

/// Nothing is forgotten that arrived less than this ago.
const FLOOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The rules of one configuration, and the snapshots that they decide over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// The rules.
    pub retention: Retention,
    /// The time zone in which days begin.
    pub timezone: String,
    /// The snapshots, and when each arrived, in milliseconds since 1970.
    pub snapshots: Vec<(String, i64)>,
}

/// What becomes of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The snapshot.
    pub snapshot: String,
    /// Whether it is kept.
    pub kept: bool,
    /// Why it is.
    pub reasons: Vec<String>,
}

/// A verdict on every snapshot of the policies that the vault holds.
pub fn plan(repository: &Repository, policies: &[Policy], now: Timestamp) -> Result<Vec<Verdict>> {
    over(repository.snapshots()?, policies, now)
}

/// The same of a vault that nobody here can look into: which snapshots it holds, and when they arrived, is all that rules
/// ask for.
pub fn plan_unread(held: Vec<Id>, policies: &[Policy], now: Timestamp) -> Result<Vec<Verdict>> {
    let unread = |id| Snapshot::unread(id, Timestamp::UNIX_EPOCH);
    over(held.into_iter().map(unread).collect(), policies, now)
}

fn over(held: Vec<Snapshot>, policies: &[Policy], now: Timestamp) -> Result<Vec<Verdict>> {
    let mut held: HashMap<String, Snapshot> =
        held.into_iter().map(|snapshot| (snapshot.id.to_hex(), snapshot)).collect();
    let mut verdicts = Vec::new();
    for policy in policies {
        let (mut snapshots, mut arrivals) = (Vec::new(), HashMap::new());
        for (name, arrived_ms) in &policy.snapshots {
            if let Some(snapshot) = held.remove(name) {
                arrivals.insert(snapshot.id, timestamp(*arrived_ms)?);
                snapshots.push(snapshot);
            }
        }
        verdicts.extend(judge(policy, snapshots, &arrivals, now)?);
    }
    Ok(verdicts)
}

fn judge(
    policy: &Policy,
    snapshots: Vec<Snapshot>,
    arrivals: &HashMap<Id, Timestamp>,
    now: Timestamp,
) -> Result<Vec<Verdict>> {
    if policy.retention.is_forever() {
        let kept = |snapshot: &Snapshot| Verdict {
            snapshot: snapshot.id.to_hex(),
            kept: true,
            reasons: vec!["no_rule".to_owned()],
        };
        return Ok(snapshots.iter().map(kept).collect());
    }
    let plan = rules(policy)?.plan(snapshots, arrivals, now)?;
    let verdict = |verdict: roadstead_vault::Verdict| Verdict {
        snapshot: verdict.snapshot.id.to_hex(),
        kept: !verdict.reasons.is_empty(),
        reasons: verdict.reasons.into_iter().map(|reason| word(reason).to_owned()).collect(),
    };
    Ok(plan.groups.into_iter().flat_map(|group| group.verdicts).map(verdict).collect())
}

fn rules(policy: &Policy) -> Result<Rules> {
    let unknown = |e| Error::internal("A time zone is not known on this machine.").caused_by(e);
    let kept = &policy.retention;
    Ok(Rules {
        last: kept.keep_last.unwrap_or(0),
        daily: kept.keep_daily.unwrap_or(0),
        weekly: kept.keep_weekly.unwrap_or(0),
        monthly: kept.keep_monthly.unwrap_or(0),
        yearly: kept.keep_yearly.unwrap_or(0),
        within: kept.days.map(|days| SignedDuration::from_hours(i64::from(days) * 24)),
        // The snapshots of one configuration are one kind, whatever its paths were at the time.
        group_by: GroupBy { host: false, paths: false, tags: false },
        floor: FLOOR,
        zone: TimeZone::get(&policy.timezone).map_err(unknown)?,
        ..Rules::default()
    })
}

/// A rule's name, as a configuration has it.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Foreign => "foreign",
        Reason::ArrivalUnknown => "arrival_unknown",
        Reason::Floor => "floor",
        Reason::Newest => "newest",
        Reason::Last => "keep_last",
        Reason::Daily => "keep_daily",
        Reason::Weekly => "keep_weekly",
        Reason::Monthly => "keep_monthly",
        Reason::Yearly => "keep_yearly",
        Reason::Within => "days",
        _ => "another",
    }
}

/// Cleans a vault. What the trash got before `empty_before` is gone for good.
pub fn clean(
    repository: &Repository,
    store: &VaultStore,
    policies: &[Policy],
    (now, empty_before): (Timestamp, Timestamp),
    cancel: &Cancel,
) -> Result<CleanupFindings> {
    let verdicts = plan(repository, policies, now)?;
    let (kept, going): (Vec<_>, Vec<_>) = verdicts.into_iter().partition(|verdict| verdict.kept);
    let ids: Vec<Id> = going.iter().filter_map(|verdict| verdict.snapshot.parse().ok()).collect();
    if !ids.is_empty() {
        repository.forget(&ids, Disposal::Trash, cancel)?;
    }
    let options = PruneOptions { arrivals: store.arrivals(FileKind::Pack)?, ..PruneOptions::default() };
    let pruned = repository.prune(&options, &VoidMonitor, cancel)?;
    let deleted = store.empty_trash(empty_before)?;
    // Also those that an earlier cleanup forgot, which was cut off before it could tell.
    let stayed: HashSet<&str> = kept.iter().map(|verdict| verdict.snapshot.as_str()).collect();
    let named = policies.iter().flat_map(|policy| &policy.snapshots).map(|(name, _)| name);
    Ok(CleanupFindings {
        kept: kept.len() as u64,
        forgotten: named.filter(|name| !stayed.contains(name.as_str())).cloned().collect(),
        packs_repacked: pruned.packs_repacked,
        packs_dropped: pruned.packs_dropped,
        bytes_dropped: pruned.bytes_dropped,
        files_deleted: deleted as u64,
    })
}

/// Brings everything back from the trash. The index does not know the packs among it, hence the repair.
pub fn restore_trash(repository: &Repository, store: &VaultStore, cancel: &Cancel) -> Result<()> {
    if store.restore_from_trash(Timestamp::MIN)? > 0 {
        repository.repair_index(cancel)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use roadstead_vault::{
        BackupOptions, CheckOptions, InitOptions, KdfCost,
        store::{LocalStore, Store},
    };

    use super::*;

    const DAY_MS: i64 = 24 * 3_600_000;

    /// A vault with a backup of each of so many days, each with a file of its own; with their arrivals.
    fn vault(folder: &Path, now_ms: i64, days: i64) -> (Repository, Vec<(String, i64)>) {
        let store: Arc<dyn Store> = Arc::new(LocalStore::new(folder.join("vault")));
        let options = InitOptions { kdf: KdfCost::RANDOM_KEY };
        let repository = Repository::init(store, b"password", &options).unwrap();
        let source = folder.join("source");
        std::fs::create_dir(&source).unwrap();
        let mut snapshots = Vec::new();
        for day in (0..days).rev() {
            let mut noise = vec![0; 200_000];
            getrandom::fill(&mut noise).unwrap();
            std::fs::write(source.join("file"), noise).unwrap();
            let options = BackupOptions { paths: vec![source.clone()], ..BackupOptions::default() };
            let done = repository.backup(&options, &VoidMonitor, &Cancel::new()).unwrap();
            snapshots.push((done.snapshot.to_hex(), now_ms - (day + 30) * DAY_MS));
        }
        (repository, snapshots)
    }

    fn policy(retention: Retention, snapshots: &[(String, i64)]) -> Vec<Policy> {
        vec![Policy { retention, timezone: "Europe/Paris".to_owned(), snapshots: snapshots.to_vec() }]
    }

    fn sound(repository: &Repository) {
        let options = CheckOptions { read_data: true, ..CheckOptions::default() };
        let report = repository.check(&options, &VoidMonitor, &Cancel::new()).unwrap();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }

    #[test]
    fn what_no_rule_keeps_goes_to_the_trash_comes_back_and_is_gone_in_the_end() {
        let work = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let (repository, snapshots) = vault(work.path(), now.as_millisecond(), 6);
        let store = VaultStore::Disk(LocalStore::new(work.path().join("vault")));
        let policies = policy(Retention { keep_last: Some(2), ..Retention::default() }, &snapshots);
        let cancel = Cancel::new();
        let clean =
            |empty_before| clean(&repository, &store, &policies, (now, empty_before), &cancel).unwrap();

        let done = clean(Timestamp::MIN);
        let mut gone: Vec<String> = snapshots[..4].iter().map(|(name, _)| name.clone()).collect();
        gone.sort();
        let mut forgotten = done.forgotten.clone();
        forgotten.sort();
        assert_eq!((done.kept, &forgotten, done.files_deleted), (2, &gone, 0));
        assert!(done.bytes_dropped > 4 * 150_000, "{done:?}");
        sound(&repository);

        restore_trash(&repository, &store, &cancel).unwrap();
        assert_eq!(repository.snapshots().unwrap().len(), 6);
        sound(&repository);

        assert!(clean(Timestamp::MAX).files_deleted > 4);
        assert!(store.trash().unwrap().is_empty());
        assert_eq!(repository.snapshots().unwrap().len(), 2);
        sound(&repository);
    }

    #[test]
    fn without_rules_and_under_the_floor_nothing_goes() {
        let work = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let (repository, snapshots) = vault(work.path(), now.as_millisecond(), 3);
        let forever = plan(&repository, &policy(Retention::default(), &snapshots), now).unwrap();
        assert!(forever.iter().all(|verdict| verdict.kept && verdict.reasons == ["no_rule"]));
        let fresh: Vec<_> = snapshots.iter().map(|(name, ms)| (name.clone(), ms + 28 * DAY_MS)).collect();
        let one = Retention { keep_last: Some(1), ..Retention::default() };
        let kept = plan(&repository, &policy(one.clone(), &fresh), now).unwrap();
        assert!(kept.iter().all(|verdict| verdict.kept), "{kept:?}");
        assert_eq!(kept.iter().filter(|verdict| verdict.reasons == ["floor"]).count(), 2);
        // Without a look into the vault the verdicts are the same.
        let held: Vec<Id> = repository.snapshots().unwrap().iter().map(|snapshot| snapshot.id).collect();
        assert_eq!(plan_unread(held.clone(), &policy(one.clone(), &fresh), now).unwrap(), kept);
        let old = policy(one.clone(), &snapshots);
        assert_eq!(plan_unread(held, &old, now).unwrap(), plan(&repository, &old, now).unwrap());
        // A snapshot that no configuration speaks of is not judged, so it stays.
        assert_eq!(plan(&repository, &policy(one, &snapshots[..1]), now).unwrap().len(), 1);
    }
}
