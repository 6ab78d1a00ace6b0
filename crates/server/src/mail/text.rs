//! What mails say: what happened, and what to do about it. Pure, so that it is tested word by word.
//!
//! Names and reasons come from outside: a subject is cut, and has no control characters.

use std::fmt::Write;

use jiff::Timestamp;
use roadstead_api::{
    alarm::{Alarm, AlarmKind},
    run::{Progress, RunError, RunState},
};

/// How many errors of single files a mail lists.
const MAX_ERRORS: usize = 20;
/// How long a subject is at the most, in characters.
const MAX_SUBJECT: usize = 150;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

impl Letter {
    fn new(subject: &str, body: String) -> Self {
        let subject = format!("[Roadstead] {subject}");
        Self { subject: subject.chars().filter(|c| !c.is_control()).take(MAX_SUBJECT).collect(), body }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct EndedRun<'a> {
    /// `backup` or `restore`.
    pub noun: &'a str,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: &'a str,
    /// The name of its agent.
    pub agent: &'a str,
    /// How it ended.
    pub state: RunState,
    /// Why it failed.
    pub reason: Option<&'a str>,
    /// What it did.
    pub progress: &'a Progress,
    /// The files that it could not read or write, as far as they are kept.
    pub errors: &'a [RunError],
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The id of the configuration to start to have it done again, for a backup.
    pub configuration: Option<i64>,
}

/// Tells of a run that has ended.
pub fn run(run: &EndedRun<'_>) -> Letter {
    let EndedRun { noun, id, name, agent, progress, .. } = run;
    let how = match run.state {
        RunState::Completed => "has ended well",
        RunState::CompletedWithErrors => "has ended, but for some files",
        _ => "has failed",
    };
    let mut body = format!("The {noun} {name} on agent {agent} {how}.\n\n");
    // Writing to a string does not fail, here and below.
    if let Some(reason) = run.reason {
        let _ = writeln!(body, "Reason   {reason}");
    }
    let done = if *noun == "backup" { "backed up" } else { "restored" };
    let _ = writeln!(body, "Began    {}\nEnded    {}", time(run.started_at), time(run.completed_at));
    let _ = writeln!(body, "Files    {} searched, {} {done}", progress.files_searched, progress.files_done);
    let (searched, written) = (size(progress.bytes_searched), size(progress.bytes_done));
    let _ = writeln!(body, "Data     {searched} searched, {written} {done}");
    let _ = writeln!(body, "Errors   {}", progress.error_count);
    for error in run.errors.iter().take(MAX_ERRORS) {
        let _ = writeln!(body, "  {}: {}", error.path, error.reason);
    }
    if progress.error_count > MAX_ERRORS.min(run.errors.len()) as u64 {
        let _ = writeln!(body, "  ... and more: roadstead {noun}s report {id}");
    }
    if let Some(advice) = advice(run) {
        let _ = write!(body, "\nWhat to do\n{advice}\n");
    }
    let noun = if *noun == "backup" { "Backup" } else { "Restore" };
    Letter::new(&format!("{noun} {name} on {agent} {how}"), body)
}

fn advice(run: &EndedRun<'_>) -> Option<String> {
    let EndedRun { noun, id, agent, .. } = run;
    let again = |how: String| {
        Some(format!(
            "See whether agent {agent} is connected, mend what the reason names, and start it again:\n  roadstead \
             agents list\n  {how}"
        ))
    };
    match (run.state, run.configuration) {
        (RunState::Completed, _) => None,
        (RunState::CompletedWithErrors, Some(configuration)) => Some(format!(
            "All other files are safe. Let the agent read these, or leave them out with an exclusion:\n  roadstead \
             backups report {id}\n  roadstead backup-configurations show {configuration}"
        )),
        (RunState::CompletedWithErrors, None) => Some(format!(
            "All other files are there. See why these are not:\n  roadstead {noun}s report {id}"
        )),
        (_, Some(configuration)) => again(format!("roadstead backups start --configuration {configuration}")),
        (_, None) => again(format!("roadstead restores show {id}")),
    }
}

/// Tells of an alarm that was opened.
pub fn alarm(id: i64, kind: AlarmKind, message: &str) -> Letter {
    let subject = match kind {
        AlarmKind::BackupOverdue => "No good backup",
        AlarmKind::CheckOverdue => "A vault was not checked",
        AlarmKind::CleanupOverdue => "A vault was not cleaned up",
        AlarmKind::DrillOverdue => "A restore drill failed",
        AlarmKind::ClonedAgent => "Two agents with one identity",
        AlarmKind::Flood => "A flood of files into a vault",
        AlarmKind::Quota => "A quota is used up",
    };
    let body = format!(
        "{message}\n\nThis is told once. The alarm stays open until its condition ends:\n  roadstead alarms show {id}\n  \
         roadstead alarms acknowledge {id}\n"
    );
    Letter::new(subject, body)
}

/// The test.
pub fn test() -> Letter {
    Letter::new("Test", "This is a test of the mail settings. Nothing has happened.\n".to_owned())
}

/// A backup that is none to rely on.
#[derive(Debug)]
pub struct BadBackup {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The name of its agent.
    pub agent: String,
    /// How it ended.
    pub state: RunState,
    /// Why.
    pub reason: Option<String>,
}

/// What happened in a day.
#[derive(Debug, Default)]
pub struct Day {
    /// How many backups there are in each state.
    pub counts: Vec<(RunState, u64)>,
    /// Those that did not end well, newest first, up to a bound.
    pub bad: Vec<BadBackup>,
    /// Alarms that are open, newest first, up to a bound.
    pub alarms: Vec<Alarm>,
}

/// The digest of a day.
pub fn digest(day: &Day) -> Letter {
    let bad: u64 = day.counts.iter().filter(|(state, _)| is_bad(*state)).map(|(_, count)| count).sum();
    let all: u64 = day.counts.iter().map(|(_, count)| count).sum();
    let subject = match (bad, day.alarms.len()) {
        (0, 0) => format!("All is well, {all} backups"),
        (bad, alarms) => format!("{bad} of {all} backups not good, {alarms} alarms open"),
    };
    let mut body = format!("The last 24 hours: {all} backups\n");
    for (state, count) in &day.counts {
        let _ = writeln!(body, "  {count:>6} {}", plain(*state));
    }
    if !day.bad.is_empty() {
        body.push_str("\nBackups that were not good\n");
        for BadBackup { id, name, agent, state, reason } in &day.bad {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let _ = writeln!(body, "  {id} {name} on {agent}: {}{reason}", plain(*state));
        }
        body.push_str("What there is to know of one: roadstead backups report ID\n");
    }
    if !day.alarms.is_empty() {
        body.push_str("\nOpen alarms\n");
        for alarm in &day.alarms {
            let _ = writeln!(body, "  {} since {}: {}", alarm.id, time(Some(alarm.opened_at)), alarm.message);
        }
    }
    Letter::new(&subject, body)
}

fn is_bad(state: RunState) -> bool {
    matches!(state, RunState::CompletedWithErrors | RunState::Failed | RunState::Missed)
}

fn plain(state: RunState) -> String {
    state.as_str().replace('_', " ")
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "bytes");
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed<'a>(reason: &'a str, progress: &'a Progress, errors: &'a [RunError]) -> EndedRun<'a> {
        EndedRun {
            noun: "backup",
            id: 5,
            name: "daily-5",
            agent: "web",
            state: RunState::Failed,
            reason: Some(reason),
            progress,
            errors,
            started_at: Timestamp::from_second(0).ok(),
            completed_at: None,
            configuration: Some(3),
        }
    }

    #[test]
    fn a_failed_backup_says_why_and_what_to_do() {
        let progress = Progress { files_searched: 2, bytes_searched: 3 << 20, ..Progress::default() };
        let letter = run(&failed("The disk is full.", &progress, &[]));
        assert_eq!(letter.subject, "[Roadstead] Backup daily-5 on web has failed");
        for part in [
            "Reason   The disk is full.\n",
            "Began    1970-01-01 00:00:00 UTC\n",
            "Data     3.0 MiB searched, 0 bytes backed up\n",
            "roadstead backups start --configuration 3\n",
        ] {
            assert!(letter.body.contains(part), "{part:?} is not in {}", letter.body);
        }
    }

    #[test]
    fn errors_are_listed_up_to_a_bound() {
        let error = RunError {
            kind: "permission_denied".to_owned(),
            reason: "permission denied".to_owned(),
            code: 13,
            details: String::new(),
            path: "/etc/shadow".to_owned(),
        };
        let errors = vec![error; 100];
        let progress = Progress { error_count: 5000, ..Progress::default() };
        let ended = EndedRun { state: RunState::CompletedWithErrors, ..failed("", &progress, &errors) };
        let body = run(&ended).body;
        assert_eq!(body.matches("/etc/shadow").count(), MAX_ERRORS);
        assert!(body.contains("and more: roadstead backups report 5"), "{body}");
    }

    #[test]
    fn a_subject_is_one_short_line() {
        let subject = Letter::new(&format!("a\r\nBcc: b {}", "x".repeat(500)), String::new()).subject;
        assert!(subject.chars().count() == MAX_SUBJECT && !subject.contains(['\r', '\n']), "{subject}");
    }

    #[test]
    fn the_digest_of_a_good_day_is_short() {
        let day = Day { counts: vec![(RunState::Completed, 7)], ..Day::default() };
        let letter = digest(&day);
        assert_eq!(letter.subject, "[Roadstead] All is well, 7 backups");
        assert!(!letter.body.contains("not good"), "{}", letter.body);
        let bad = BadBackup {
            id: 4,
            name: "daily-4".to_owned(),
            agent: "web".to_owned(),
            state: RunState::Failed,
            reason: Some("It broke.".to_owned()),
        };
        let counts = vec![(RunState::Completed, 7), (RunState::Failed, 1)];
        let letter = digest(&Day { counts, bad: vec![bad], ..day });
        assert_eq!(letter.subject, "[Roadstead] 1 of 8 backups not good, 0 alarms open");
        assert!(letter.body.contains("  4 daily-4 on web: failed: It broke.\n"), "{}", letter.body);
    }
}
