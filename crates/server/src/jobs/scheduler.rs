//! Gives each slot of each schedule its row, when it is due: a queued run, or the note that it was skipped or missed.
//!
//! Servers that share a database may all do this. Each decides over agents that hang on it, and over slots that nobody
//! can run any more; the database keeps a slot from having two rows.

use std::{collections::HashSet, sync::Arc, time::Duration};

use roadstead_api::{
    backup_configuration::MissedAction,
    id::{AgentId, BackupConfigurationId},
    run::{RunOrigin, RunState},
};

use crate::{
    Result,
    app::App,
    db::{
        self, Db,
        backup::NewBackupRow,
        schedule::{Place, Standing},
    },
    live::Live,
    schedule::{Circumstances, Decision, Timetable, decide},
};

/// How many configurations are gone through in one turn to write.
const BATCH: i64 = 500;
/// How many slots of one configuration are decided in one turn. After a long absence there are more turns.
const MAX_SLOTS: usize = 100;
/// What is said of a slot that came while a run went on.
const SKIPPED: &str = "The backup before it was still going on.";
/// What is said of a slot that nobody could run.
const MISSED: &str = "Nobody could run it within ten minutes of its time: its agent or the server was away.";

/// Decides over every slot that is due.
pub async fn run(app: Arc<App>) -> Result<()> {
    pass(&app.db, &app.live, app.now_ms()).await
}

/// Until the next full second: slots that are not spread are due on one.
pub fn pause(app: &App) -> Duration {
    Duration::from_millis(1000 - app.now_ms().rem_euclid(1000).unsigned_abs())
}

async fn pass(db: &Db, live: &Live, now: i64) -> Result<()> {
    if db::schedule::is_ahead(&mut *db.read().await?, now).await? {
        tracing::warn!("the clock was set back; schedules begin again from now");
        let mut write = db.write().await?;
        db::schedule::take_back(&mut write, now).await?;
        write.commit().await?;
    }
    let mut after = 0;
    while let Some(last) = db::schedule::due(&mut *db.read().await?, now, after, BATCH).await? {
        let connected: HashSet<AgentId> = live.connected().into_iter().collect();
        let mut write = db.write().await?;
        let standings = db::schedule::standings(&mut write, now, after, last).await?;
        let courses = standings.into_iter().filter_map(|standing| {
            let reachable = connected.contains(&standing.configuration.agent_id);
            Course::of(standing, now, reachable)
        });
        let queued = follow(&mut write, courses.collect()).await?;
        write.commit().await?;
        if queued {
            live.dispatch.notify_one();
        }
        after = last.0;
    }
    Ok(())
}

/// Decides over the slots of configurations, one of each at a time; says whether a run was queued.
async fn follow(db: &mut db::Write, mut courses: Vec<Course>) -> Result<bool> {
    let mut queued = false;
    loop {
        for course in &mut courses {
            course.look();
        }
        let rows: Vec<_> = courses.iter().filter_map(Course::row).collect();
        if rows.is_empty() {
            break;
        }
        let made = db::backup::insert_all(db, &rows).await?;
        for course in &mut courses {
            let is_made = made.contains_key(&course.standing.configuration.id);
            queued |= course.entered(is_made) == Some(Decision::Run);
        }
    }
    let settled: Vec<_> = courses.iter().filter_map(Course::settled).collect();
    db::schedule::settle(db, &settled).await?;
    Ok(queued)
}

/// A configuration whose slots are gone through, in order.
struct Course {
    standing: Standing,
    timetable: Timetable,
    /// How things stand now, after what was entered.
    at: Circumstances,
    place: Place,
    /// How many slots are left of this turn's.
    left: usize,
    /// What is to have a row next.
    entry: Option<Entry>,
}

/// What a row is to say.
struct Entry {
    decision: Decision,
    /// The slot; `None`: a run that makes up for missed ones.
    slot_ms: Option<i64>,
    name: String,
}

impl Course {
    fn of(standing: Standing, now_ms: i64, reachable: bool) -> Option<Self> {
        let timetable = match Timetable::of(&standing.configuration) {
            Ok(timetable) => timetable,
            Err(error) => {
                // Its time zone is gone from this machine, say. Others are not to suffer, and it is tried again.
                let configuration = standing.configuration.id;
                tracing::error!(%configuration, error = error.chain(), "a schedule cannot be followed");
                return None;
            }
        };
        let at = Circumstances { now_ms, active: standing.active, reachable };
        let place = standing.place;
        Some(Self { standing, timetable, at, place, left: MAX_SLOTS, entry: None })
    }

    /// Decides what is to have a row next, unless that is decided already.
    fn look(&mut self) {
        if self.entry.is_none() {
            let next = self.slot().or_else(|| self.made_up());
            let name = || format!("{}-{}", self.standing.configuration.name, self.place.run_count + 1);
            self.entry = next.map(|(decision, slot_ms)| Entry { decision, slot_ms, name: name() });
        }
    }

    fn slot(&self) -> Option<(Decision, Option<i64>)> {
        let slot = self.timetable.slots_after(self.place.decided_ms).next().filter(|_| self.left > 0)?;
        let due = self.timetable.due(slot);
        let decision = (due <= self.at.now_ms).then(|| decide(due, self.at)).flatten()?;
        Some((decision, Some(slot)))
    }

    fn made_up(&self) -> Option<(Decision, Option<i64>)> {
        (self.place.owed && self.at.reachable && !self.at.active).then_some((Decision::Run, None))
    }

    fn row(&self) -> Option<NewBackupRow<'_>> {
        let (entry, configuration) = (self.entry.as_ref()?, &self.standing.configuration);
        Some(NewBackupRow {
            account_id: self.standing.account_id,
            configuration_id: configuration.id,
            agent_id: configuration.agent_id,
            vault_id: &self.standing.vault_id,
            name: &entry.name,
            origin: if entry.slot_ms.is_some() { RunOrigin::Schedule } else { RunOrigin::MadeUp },
            slot_ms: entry.slot_ms,
            ended: match entry.decision {
                Decision::Run => None,
                Decision::Skipped => Some((RunState::Skipped, SKIPPED)),
                Decision::Missed => Some((RunState::Missed, MISSED)),
            },
            now_ms: self.at.now_ms,
        })
    }

    /// Goes on after what was to have a row, whether or not it was made; says what it is if it was.
    fn entered(&mut self, made: bool) -> Option<Decision> {
        let Entry { decision, slot_ms, name } = self.entry.take()?;
        let entered = made.then_some(decision);
        self.at.active |= matches!(entered, Some(Decision::Run | Decision::Skipped));
        self.place.run_count += i64::from(made);
        match slot_ms {
            // Where a run cannot be queued, somebody started one in this very moment, or the slot has its row.
            Some(_) if entered.is_none() && decision == Decision::Run => {
                self.entry = Some(Entry { decision: Decision::Skipped, slot_ms, name });
            }
            Some(slot) => {
                let makes_up = self.standing.configuration.missed == MissedAction::Asap;
                let missed = entered == Some(Decision::Missed);
                self.place.owed = makes_up && !self.at.active && (self.place.owed || missed);
                self.place.decided_ms = slot;
                self.left -= 1;
            }
            None => self.place.owed = false,
        }
        entered
    }

    /// How far it has come, if that is not where it was.
    fn settled(&self) -> Option<(BackupConfigurationId, Place)> {
        let place = Place { next_due_ms: self.timetable.next_due(self.place.decided_ms), ..self.place };
        (place != self.standing.place).then_some((self.standing.configuration.id, place))
    }
}

#[cfg(test)]
mod tests;
