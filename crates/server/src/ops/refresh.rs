//! Asking a backend for its machines, and writing down what it says.
//!
//! A backend is asked by one task of a server at a time; who comes meanwhile takes the answer that the other gets.
//! What a backend said under older credentials, or before a later answer, is not written down. A backend that fails
//! keeps the machines that it was last seen with: `refreshed_at` says how old that is.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use roadstead_api::{
    backend::{BackendQuery, BackendState},
    event::Event,
    id::{AccountId, BackendId, MachineId},
    machine::{Machine, MachineState},
    machine_history::HappenedTo,
};
use roadstead_providers::{Error as ProviderError, ErrorKind as ProviderErrorKind, SeenMachine};
use sha2::{Digest, Sha256};

use super::{agent_machine, connection};
use crate::{
    Error, Result,
    app::App,
    db::{
        self, Write,
        backend::{BackendRow, Found},
        machine::{Known, MachineRow},
        machine_history::Happened,
    },
};

/// How often a backend is asked that answers, in milliseconds.
const PERIOD_MS: i64 = 120_000;
/// The longest pause before a backend that does not answer is asked again.
const LONGEST_PAUSE_MS: i64 = 3_600_000;
/// When it is asked after an order.
const ASK_AFTER_MS: i64 = 1_000;
/// For how long after an order it is asked often while its machines change.
const HURRY_MS: i64 = 300_000;
/// For how long of that it is asked often whatever its machines do: some clouds show a machine as it was for a while.
const HURRY_ANYWAY_MS: i64 = 60_000;
/// How often that is.
const HURRIED_PERIOD_MS: i64 = 3_000;
/// How long whoever wants fresh lists waits for the slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rows that are written in one turn, so that other writers need not wait long.
const ROWS_A_TURN: usize = 500;
/// How many bytes of a machine are kept beside what every machine has.
const MAX_EXTRA_BYTES: usize = 64 * 1024;
/// How long a name or an id of a cloud may be, in characters.
const MAX_NAME: usize = 500;

/// Asks a backend, unless somebody else has since this was called. What it answers, or that it does not, is in its row
/// then.
pub async fn now(app: &App, id: &BackendId) -> Result<()> {
    let called_ms = app.now_ms();
    let turn = app.drivers.turn(id);
    let _held = turn.lock().await;
    let row = db::backend::by_id(&mut *app.db.read().await?, id).await?;
    let Some(row) = row.filter(|row| row.backend.enabled && row.asked_ms <= called_ms) else {
        return Ok(());
    };
    let asked_ms = app.now_ms();
    let seen = match connection::driver(app, &row).await {
        Ok(driver) => {
            let seen = connection::machines(&*driver).await;
            connection::keep_pins(app, &row, &*driver).await?;
            seen.map_err(Failure::from)
        }
        Err(error) => Err(Failure::of_making(&error)),
    };
    match seen {
        Ok(seen) => store(app, &row, asked_ms, seen).await,
        Err(failure) => note(app, &row, asked_ms, &failure).await,
    }
}

/// Asks every enabled backend of an account, or the one named, and waits for those that answer soon.
pub async fn all(app: &Arc<App>, account: AccountId, only: Option<&BackendId>) -> Result<()> {
    let query = BackendQuery { id: only.cloned(), ..BackendQuery::default() };
    let rows = db::backend::list(&mut *app.db.read().await?, account, &query, 0, i64::MAX).await?;
    let tasks: Vec<_> = rows
        .into_iter()
        .filter(|row| row.backend.enabled)
        .map(|row| {
            let app = app.clone();
            // In tasks of their own: whoever is too slow for this caller goes on for the next.
            tokio::spawn(async move { logged(&app, &row.backend.id).await })
        })
        .collect();
    // The slow ones are left to themselves.
    let _ = tokio::time::timeout(PATIENCE, join_all(tasks)).await;
    Ok(())
}

/// Asks a backend; a failure of the server's own goes to the log.
pub async fn logged(app: &App, id: &BackendId) {
    if let Err(error) = now(app, id).await {
        tracing::error!(backend = %id, error = error.chain(), "a backend could not be refreshed");
    }
}

/// Has a backend asked soon after something was ordered from it, and often until its machines have come to rest.
pub async fn soon(app: &App, id: &BackendId) -> Result<()> {
    let now_ms = app.now_ms();
    let mut write = app.db.write().await?;
    db::backend::hurry(&mut write, id, now_ms + ASK_AFTER_MS, now_ms + HURRY_MS).await?;
    write.commit().await?;
    app.live.refresh.notify_one();
    Ok(())
}

/// Writes down machines that were just made, before the backend lists them.
pub async fn add(app: &App, row: &BackendRow, seen: Vec<SeenMachine>) -> Result<Vec<Machine>> {
    let machines = checked(&row.backend.id, seen);
    let mut write = app.db.write().await?;
    let mut changed = Vec::with_capacity(machines.len());
    for machine in &machines {
        changed.push((machine, MachineRow::of(machine)?, event(machine, None)));
    }
    put(&mut write, row, &changed, app.now_ms()).await?;
    write.commit().await?;
    Ok(machines)
}

/// Why a backend has no answer.
struct Failure {
    reason: String,
    kind: Option<ProviderErrorKind>,
    retry_after_ms: i64,
}

impl Failure {
    /// There is not even a driver: the credentials make no sense any more, or do not open.
    fn of_making(error: &Error) -> Self {
        Self { reason: error.message.to_string(), kind: None, retry_after_ms: 0 }
    }

    /// When to ask again; `None` where that makes no sense before somebody has changed something.
    fn next_ms(&self, failures: i64, now_ms: i64) -> Option<i64> {
        if self.kind == Some(ProviderErrorKind::WrongCredentials) {
            return None;
        }
        let doubled = PERIOD_MS.checked_shl(failures.clamp(0, 10) as u32).unwrap_or(LONGEST_PAUSE_MS);
        Some(now_ms + (doubled / 2).min(LONGEST_PAUSE_MS).max(self.retry_after_ms))
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        let retry_after = error.retry_after().unwrap_or_default().min(Duration::from_secs(86_400));
        Self {
            kind: Some(error.kind()),
            retry_after_ms: retry_after.as_millis() as i64,
            reason: Error::from(error).message.to_string(),
        }
    }
}

/// Writes down that a backend has no answer.
async fn note(app: &App, row: &BackendRow, asked_ms: i64, failure: &Failure) -> Result<()> {
    tracing::info!(backend = %row.backend.id, reason = failure.reason, "a backend is offline");
    let failures = row.failures + 1;
    let was_online = row.backend.state != BackendState::Offline;
    let found = Found {
        state: BackendState::Offline,
        reason: Some(&failure.reason),
        failures,
        asked_ms,
        next_refresh_ms: failure.next_ms(failures, app.now_ms()),
    };
    let mut write = app.db.write().await?;
    if db::backend::set_found(&mut write, &row.backend.id, row.generation, &found).await? && was_online {
        write.tell(row.account_id, backend_event(row, BackendState::Offline));
    }
    write.commit().await
}

/// Writes down what a backend holds.
pub async fn store(app: &App, row: &BackendRow, asked_ms: i64, seen: Vec<SeenMachine>) -> Result<()> {
    let id = &row.backend.id;
    let machines = checked(&row.backend.id, seen);
    let mut gone = db::machine::known(&mut *app.db.read().await?, id).await?;
    let mut changed = Vec::new();
    for machine in &machines {
        let machine_row = MachineRow::of(machine)?;
        let known = gone.remove(&machine.external_id);
        if known.as_ref().is_none_or(|known| known.hash != machine_row.hash) {
            changed.push((machine, machine_row, event(machine, known.as_ref())));
        }
    }
    let mut write = app.db.write().await?;
    let found = found(app, row, asked_ms, &machines);
    if !db::backend::set_found(&mut write, id, row.generation, &found).await? {
        return Ok(());
    }
    db::backend::set_refreshed(&mut write, id, asked_ms, machines.len() as i64).await?;
    if row.backend.state != BackendState::Online {
        write.tell(row.account_id, backend_event(row, BackendState::Online));
    }
    let vanished: Vec<_> = gone.values().map(vanished).collect();
    db::machine_history::insert(&mut write, (row.account_id, id), &vanished, app.now_ms()).await?;
    for known in gone.values() {
        tracing::info!(backend = %id, machine = %known.id, name = known.name, "a machine is no longer listed");
        db::machine::delete(&mut write, &known.id).await?;
        write.tell(row.account_id, Event::new("machine", &known.id, "vanish"));
    }
    for (index, changed) in changed.chunks(ROWS_A_TURN).enumerate() {
        if index > 0 {
            write.commit().await?;
            write = app.db.write().await?;
        }
        put(&mut write, row, changed, app.now_ms()).await?;
    }
    write.commit().await?;
    if !changed.is_empty() {
        agent_machine::backend_changed(&app.db, row.account_id, id, app.now_ms()).await?;
    }
    Ok(())
}

/// A machine that is not as it was: what there is to write of it, and what whoever watches is told.
type Changed<'a> = (&'a Machine, MachineRow, Event);

/// Writes down machines that are not as they were, and what has happened to them.
async fn put(write: &mut Write, row: &BackendRow, changed: &[Changed<'_>], now_ms: i64) -> Result<()> {
    let rows: Vec<_> = changed.iter().map(|(machine, machine_row, _)| (*machine, machine_row)).collect();
    db::machine::put(write, row.account_id, &rows, now_ms).await?;
    let happened: Vec<_> =
        changed.iter().filter_map(|(machine, _, event)| happened(machine, event)).collect();
    db::machine_history::insert(write, (row.account_id, &row.backend.id), &happened, now_ms).await?;
    changed.iter().for_each(|(_, _, event)| write.tell(row.account_id, event.clone()));
    Ok(())
}

/// What of a change is to be remembered: that a machine came, and what state it has come to.
fn happened<'a>(machine: &'a Machine, event: &Event) -> Option<Happened<'a>> {
    let what = match event.what.as_str() {
        "appear" => HappenedTo::Appear,
        "state" => HappenedTo::State,
        _ => return None,
    };
    Some(Happened { what, machine: &machine.id, name: &machine.name, state: machine.state.as_str() })
}

fn vanished(known: &Known) -> Happened<'_> {
    let Known { id: machine, name, state, .. } = known;
    Happened { what: HappenedTo::Vanish, machine, name, state }
}

fn backend_event(row: &BackendRow, state: BackendState) -> Event {
    Event::new("backend", &row.backend.id, "state").state(state)
}

/// What whoever watches is told of a machine that is new, or not as it was.
fn event(machine: &Machine, known: Option<&Known>) -> Event {
    let what = match known {
        None => "appear",
        Some(known) if known.state != machine.state.as_str() => "state",
        Some(_) => "update",
    };
    Event::new("machine", &machine.id, what).state(machine.state)
}

fn found<'a>(app: &App, row: &BackendRow, asked_ms: i64, machines: &[Machine]) -> Found<'a> {
    let now_ms = app.now_ms();
    let changing =
        |machine: &Machine| matches!(machine.state, MachineState::Pending | MachineState::Rebooting);
    let just_ordered = now_ms < row.hurry_until_ms - HURRY_MS + HURRY_ANYWAY_MS;
    let hurried = just_ordered || now_ms < row.hurry_until_ms && machines.iter().any(changing);
    let period = if hurried { HURRIED_PERIOD_MS } else { PERIOD_MS };
    Found {
        state: BackendState::Online,
        reason: None,
        failures: 0,
        asked_ms,
        next_refresh_ms: Some(now_ms + period),
    }
}

/// The machines as the API shows them: each once, and nothing in them that would not fit.
fn checked(backend: &BackendId, seen: Vec<SeenMachine>) -> Vec<Machine> {
    let mut ids = HashSet::new();
    let mut machines = Vec::with_capacity(seen.len());
    for mut seen in seen {
        let odd = seen.external_id.contains('\0') || seen.external_id.chars().count() > MAX_NAME;
        if odd || seen.external_id.is_empty() || !ids.insert(seen.external_id.clone()) {
            tracing::warn!(%backend, id = ?seen.external_id, "a machine's id is odd, or there twice");
            continue;
        }
        seen.name = seen.name.chars().filter(|&c| c != '\0').take(MAX_NAME).collect();
        seen.tags = seen.tags.iter().map(|tag| tag.replace(['\0', '\n'], " ")).collect();
        if serde_json::to_vec(&seen.extra).map_or(0, |json| json.len()) > MAX_EXTRA_BYTES {
            seen.extra.clear();
        }
        let id = machine_id(backend, &seen.external_id);
        machines.push(seen.into_machine(id, backend.clone(), jiff::Timestamp::UNIX_EPOCH));
    }
    machines
}

/// Our id of a machine follows from the cloud's, so that one which vanishes from a list and comes back keeps it.
fn machine_id(backend: &BackendId, external_id: &str) -> MachineId {
    let hash = Sha256::digest(format!("{backend}\0{external_id}"));
    MachineId(hex::encode(&hash[..10]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{prop, prop_assert, proptest};
    use roadstead_api::{id::BackendId, machine::MachineState};
    use roadstead_providers::{Error, ErrorKind, SeenMachine};
    use serde_json::json;

    use super::{Failure, LONGEST_PAUSE_MS, MAX_EXTRA_BYTES, MAX_NAME, PERIOD_MS, checked};

    fn seen(id: &str, name: &str) -> SeenMachine {
        SeenMachine::new(id, name, MachineState::Running)
    }

    #[test]
    fn each_machine_counts_once_and_what_would_not_fit_is_left_out() {
        let long = "x".repeat(MAX_NAME + 1);
        let mut large = seen("large", &long);
        large.extra = [("all".to_owned(), json!("x".repeat(MAX_EXTRA_BYTES)))].into_iter().collect();
        large.tags = vec!["two\nlines\0".to_owned()];
        let all = vec![
            seen("1", "one"),
            seen("2", "two"),
            seen("1", "again"),
            seen("", "none"),
            seen(&long, "long"),
            large,
        ];
        let machines = checked(&BackendId("b".into()), all);
        let names: Vec<_> = machines.iter().map(|machine| machine.name.as_str()).collect();
        assert_eq!(names, ["one", "two", &long[..MAX_NAME]]);
        assert_eq!(
            (machines[2].tags.as_slice(), machines[2].extra.len()),
            (&["two lines ".to_owned()][..], 0)
        );
        assert_ne!(machines[0].id, checked(&BackendId("other".into()), vec![seen("1", "one")])[0].id);
    }

    proptest! {
        #[test]
        fn ids_are_told_apart_whatever_a_cloud_says(ids in prop::collection::vec(".{0,5}", 0..20)) {
            let machines = checked(&BackendId("b".into()), ids.iter().map(|id| seen(id, "x")).collect());
            let ours: std::collections::HashSet<_> = machines.iter().map(|machine| &machine.id).collect();
            let theirs: std::collections::HashSet<_> = machines.iter().map(|machine| &machine.external_id).collect();
            prop_assert!(ours.len() == machines.len() && theirs.len() == machines.len());
        }
    }

    #[test]
    fn pauses_grow_and_wrong_credentials_are_not_tried_again() {
        let unreachable = Failure::from(Error::new(ErrorKind::Unreachable, "no route"));
        assert_eq!(unreachable.reason, "No route.");
        assert_eq!(unreachable.next_ms(1, 0), Some(PERIOD_MS));
        assert_eq!(unreachable.next_ms(2, 0), Some(2 * PERIOD_MS));
        assert_eq!(unreachable.next_ms(i64::MAX, 0), Some(LONGEST_PAUSE_MS));
        let limited = Failure::from(Error::rate_limited("too many", Some(Duration::from_secs(7000))));
        assert_eq!(limited.next_ms(1, 1), Some(7_000_001));
        let wrong = Failure::from(Error::new(ErrorKind::WrongCredentials, "no"));
        assert_eq!(wrong.next_ms(1, 0), None);
    }
}
