//! Runs the commands before and after a backup: by `/bin/sh -c`, as a process group of their own, which ends with the
//! time that they have, or at once when the run is stopped. What they write is read all the time, and its end kept.

use std::{
    io::{self, PipeReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use roadstead_api::{
    backup_options::{Hook, HookKind, HookOutcome, MAX_HOOK_OUTPUT},
    link::RunRef,
};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{policy::Policy, work::Cancel};

/// How often to look whether the command has ended, or is to end.
const TICK: Duration = Duration::from_millis(50);
/// How long to wait for the last words of a command that has ended: what it left behind may hold its output open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a command is told of its backup, in its environment.
#[derive(Debug, Default)]
pub(crate) struct Told<'a> {
    /// How the backup ended; empty before it.
    pub outcome: &'a str,
    /// Why it failed.
    pub reason: &'a str,
}

/// Runs a command, if the policy in `file` allows it. What goes wrong is in the outcome.
pub(crate) fn run(
    (kind, hook): (HookKind, &Hook),
    file: &Path,
    run: RunRef,
    told: &Told<'_>,
    cancel: &Cancel,
) -> HookOutcome {
    let started = Instant::now();
    let allowed = Policy::read(file).and_then(|policy| match policy.allows_hook(&hook.command) {
        true => Ok(()),
        false => Err(format!(
            "this machine does not allow it: its administrator can list it as one of hooks = [...] in {}",
            file.display()
        )),
    });
    let (error, output) = match allowed.and_then(|()| start(kind, hook, run, told)) {
        Err(why) => (Some(why), String::new()),
        Ok((mut child, output)) => {
            let limit = Duration::from_secs(hook.timeout_seconds.into());
            let ended = wait(&mut child, limit, cancel);
            (ended.err(), last_words(&output))
        }
    };
    HookOutcome { hook: kind, error, output, duration_seconds: started.elapsed().as_secs_f64() }
}

fn start(
    kind: HookKind,
    hook: &Hook,
    run: RunRef,
    told: &Told<'_>,
) -> Result<(Child, Receiver<Vec<u8>>), String> {
    let failed = |e: io::Error| format!("it could not be started: {e}");
    let (reader, writer) = io::pipe().map_err(failed)?;
    let child = Command::new("/bin/sh")
        .args(["-c", &hook.command])
        .env("ROADSTEAD_HOOK", kind.as_str())
        .env("ROADSTEAD_BACKUP_ID", run.id.to_string())
        .env("ROADSTEAD_OUTCOME", told.outcome)
        .env("ROADSTEAD_REASON", told.reason.replace('\0', ""))
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(failed)?)
        .stderr(writer)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let (ended, output) = channel();
    let read = move || drop(ended.send(tail(reader)));
    thread::Builder::new().name("hook output".to_owned()).spawn(read).map_err(failed)?;
    Ok((child, output))
}

/// The end of what a pipe gives.
fn tail(mut pipe: PipeReader) -> Vec<u8> {
    let (mut kept, mut part) = (Vec::new(), [0; MAX_HOOK_OUTPUT]);
    while let Ok(read @ 1..) = pipe.read(&mut part) {
        kept.extend_from_slice(&part[..read]);
        let surplus = kept.len().saturating_sub(MAX_HOOK_OUTPUT);
        kept.drain(..surplus);
    }
    kept
}

fn last_words(output: &Receiver<Vec<u8>>) -> String {
    match output.recv_timeout(LAST_WORDS) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).replace('\0', "").trim_end().to_owned(),
        Err(RecvTimeoutError::Timeout) => "(a process that it left behind holds its output open)".to_owned(),
        Err(RecvTimeoutError::Disconnected) => String::new(),
    }
}

/// Waits for the end of a command; says what was wrong with it.
fn wait(child: &mut Child, limit: Duration, cancel: &Cancel) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Err(e) => return Err(format!("its end could not be seen: {e}")),
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(ended(status)),
            Ok(None) => {}
        }
        if cancel.is_cancelled() {
            kill(child);
            return Err("it was ended, as the backup was stopped".to_owned());
        }
        if started.elapsed() > limit {
            kill(child);
            return Err(format!("it was ended after {} seconds, which is all that it had", limit.as_secs()));
        }
        thread::sleep(TICK);
    }
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("it ended with exit status {code}"),
        None => format!("it ended by {status}"),
    }
}

/// Kills the command and what it has started. It was not waited for, so its id cannot be another's.
fn kill(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It fails where the process has just ended, which is as good.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use roadstead_api::link::RunKind;

    use super::*;

    const RUN: RunRef = RunRef { kind: RunKind::Backup, id: 7 };

    fn outcome(command: &str, timeout_seconds: u32, cancel: &Cancel) -> HookOutcome {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        std::fs::write(&file, "hooks = \"any\"").unwrap();
        let hook = Hook { command: command.to_owned(), timeout_seconds };
        let told = Told { outcome: "failed", reason: "the disk is full" };
        run((HookKind::Error, &hook), &file, RUN, &told, cancel)
    }

    #[test]
    fn a_command_is_told_of_its_backup_and_its_output_is_kept() {
        let command =
            "echo $ROADSTEAD_HOOK $ROADSTEAD_BACKUP_ID $ROADSTEAD_OUTCOME; echo $ROADSTEAD_REASON >&2";
        let ran = outcome(command, 60, &Cancel::new());
        assert_eq!((ran.error, ran.output.as_str()), (None, "error 7 failed\nthe disk is full"));
    }

    #[test]
    fn a_command_that_fails_says_how() {
        assert_eq!(outcome("exit 3", 60, &Cancel::new()).error.unwrap(), "it ended with exit status 3");
        assert!(outcome("kill -9 $$", 60, &Cancel::new()).error.unwrap().contains("signal: 9"));
        assert!(outcome("/nowhere/at/all", 60, &Cancel::new()).output.contains("/nowhere/at/all"));
    }

    #[test]
    fn only_the_end_of_much_output_is_kept() {
        let ran = outcome("yes | head -c 1000000; echo; echo the end", 60, &Cancel::new());
        assert!(
            ran.output.len() <= MAX_HOOK_OUTPUT && ran.output.ends_with("the end"),
            "{}",
            ran.output.len()
        );
    }

    #[test]
    fn a_command_ends_with_its_time_and_with_its_run() {
        let late = outcome("sleep 600 & sleep 600", 1, &Cancel::new());
        assert!(late.error.unwrap().contains("after 1 seconds"));
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(outcome("sleep 600", 600, &cancel).error.unwrap().contains("stopped"));
    }

    #[test]
    fn what_the_machine_does_not_allow_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let hook = Hook { command: format!("touch {}/ran", folder.path().display()), timeout_seconds: 60 };
        let file = folder.path().join("policy.toml");
        let ran = run((HookKind::Pre, &hook), &file, RUN, &Told::default(), &Cancel::new());
        assert!(ran.error.unwrap().contains("does not allow it") && !folder.path().join("ran").exists());
    }
}
