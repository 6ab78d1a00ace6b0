//! Running virsh, on a host over SSH or on this machine.
//!
//! Invariants: the connection is one that the settings let through; every name of others is the value of an option,
//! `--pool=NAME`, so it can be neither an option nor a command of its own; what virsh prints is in the C locale and read
//! only up to a limit.
//!
//! Several questions go in one call, since each costs a process and a connection to libvirt: virsh takes commands
//! between semicolons, and goes on where one of them fails. Markers tell the answers apart; they begin with `<<<`, which
//! no XML and no table of virsh has.

use std::process::Stdio;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::Mutex,
};

use super::settings::{Place, Settings};
use crate::{
    driver::{Setup, Timeouts},
    error::{Error, ErrorKind, Result},
    pins::Pins,
    ssh::{CommandLine, Dialer, Host, Output, Route},
    tcp::within,
};

/// How much of an answer is read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How much of a complaint is kept.
const MAX_COMPLAINT_BYTES: u64 = 64 * 1024;
/// What a marker begins with.
const MARKER: &str = "<<<";
/// The marker after the last answer.
const END: &str = "end";

/// Runs virsh.
pub(super) struct Virsh {
    uri: String,
    place: Runner,
    timeouts: Timeouts,
}

enum Runner {
    Host(Box<Remote>),
    Here,
}

/// A hypervisor that is logged in to. The login stands for as long as something is asked, and a minute longer.
pub(super) struct Remote {
    pub(super) dialer: Dialer,
    pub(super) host: Host,
    pub(super) jump: Option<Host>,
    route: Mutex<Option<std::sync::Arc<Route>>>,
}

impl Remote {
    /// The login that stands, or a new one.
    pub(super) async fn log_in(&self) -> Result<std::sync::Arc<Route>> {
        let mut kept = self.route.lock().await;
        if let Some(route) = kept.as_ref().filter(|route| !route.machine.is_closed()) {
            return Ok(route.clone());
        }
        let route = std::sync::Arc::new(self.dialer.log_in(&self.host, self.jump.as_ref()).await?);
        *kept = Some(route.clone());
        Ok(route)
    }
}

impl Virsh {
    /// As the settings want it.
    pub(super) fn new(settings: Settings, setup: &Setup) -> Self {
        let place = match settings.place {
            Place::Here => Runner::Here,
            Place::Host { host, jump } => {
                let dialer = Dialer::new(setup.guard, setup.timeouts, setup.pins.clone());
                let jump = jump.map(|jump| *jump);
                Runner::Host(Box::new(Remote { dialer, host: *host, jump, route: Mutex::new(None) }))
            }
        };
        Self { uri: settings.uri, place, timeouts: setup.timeouts }
    }

    /// The hypervisor, where it is another machine than this.
    pub(super) fn remote(&self) -> Option<&Remote> {
        match &self.place {
            Runner::Host(remote) => Some(remote),
            Runner::Here => None,
        }
    }

    /// How long to wait.
    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The host keys by now.
    pub(super) fn pins(&self) -> Pins {
        self.remote().map(|remote| remote.dialer.pins()).unwrap_or_default()
    }

    /// Has virsh do one thing, and returns what it prints. Any complaint is an error.
    pub(super) async fn run(&self, words: &[&str]) -> Result<String> {
        self.fed(words, None).await
    }

    /// The same with something on its standard input.
    pub(super) async fn fed(&self, words: &[&str], input: Option<&[u8]>) -> Result<String> {
        let output = self.output(words, input).await?;
        if output.status == Some(0) {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(complaint(&output))
    }

    /// Has virsh answer several questions, the first of which is a marker, and returns what it prints, of those that
    /// failed nothing. That it cannot reach its libvirt at all is an error, and so is an answer that breaks off: who took
    /// half of a list for all of it would take the rest for gone.
    pub(super) async fn ask(&self, questions: &[String]) -> Result<String> {
        let output = self.output(&[&format!("{}; {}", questions.join("; "), marked(END))], None).await?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        match text.rfind(&format!("{MARKER}{END}>")) {
            Some(end) => text.truncate(end),
            None if !text.contains(MARKER) => return Err(complaint(&output)),
            None => return Err(Error::new(ErrorKind::Unreachable, "what virsh answered broke off")),
        }
        Ok(text)
    }

    /// The end of a file of the hypervisor.
    pub(super) async fn tail(&self, path: &str, most: usize) -> Result<Vec<u8>> {
        let bytes = most.to_string();
        let output = match &self.place {
            Runner::Host(remote) => {
                let line = CommandLine::new("tail -c").word(&bytes)?.then("--").word(path)?;
                self.over_ssh(remote, &line, b"").await?
            }
            Runner::Here => self.here("tail", &["-c", &bytes, "--", path], None).await?,
        };
        if output.status == Some(0) {
            return Ok(output.stdout);
        }
        let text = output.complaint();
        let kind =
            if text.contains("ermission denied") { ErrorKind::MissingRights } else { ErrorKind::Failed };
        Err(Error::new(kind, format!("the console's log cannot be read: {text}")))
    }

    async fn output(&self, words: &[&str], input: Option<&[u8]>) -> Result<Output> {
        match &self.place {
            Runner::Host(remote) => {
                // A socket is no file that virsh could open as its standard input; behind `cat` it is a pipe.
                let fixed = match input {
                    Some(_) => "cat | env LC_ALL=C virsh -q -c",
                    None => "env LC_ALL=C virsh -q -c",
                };
                let mut line = CommandLine::new(fixed).word(&self.uri)?;
                for word in words {
                    line = line.word(word)?;
                }
                self.over_ssh(remote, &line, input.unwrap_or_default()).await
            }
            Runner::Here => {
                let mut all = vec!["-q", "-c", &self.uri];
                all.extend(words);
                self.here("virsh", &all, input).await
            }
        }
    }

    async fn over_ssh(&self, remote: &Remote, line: &CommandLine, input: &[u8]) -> Result<Output> {
        let route = remote.log_in().await?;
        route.machine.run(line, input, MAX_ANSWER_BYTES, self.timeouts).await
    }

    async fn here(&self, program: &str, arguments: &[&str], input: Option<&[u8]>) -> Result<Output> {
        let context = || format!("cannot run {program} on this machine");
        within(self.timeouts.call, context, async {
            let failed = |source| Error::new(ErrorKind::Failed, context()).caused_by(source);
            let mut child = Command::new(program)
                .args(arguments)
                .env("LC_ALL", "C")
                .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(failed)?;
            let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let feed = async {
                if let (Some(mut stdin), Some(input)) = (stdin, input) {
                    // What virsh did not want to read shows in what it says.
                    let _ = stdin.write_all(input).await;
                }
            };
            let most = MAX_ANSWER_BYTES as u64 + 1;
            let ((), out, err) = tokio::join!(feed, read(stdout, most), read(stderr, MAX_COMPLAINT_BYTES));
            let (stdout, stderr) = (out.map_err(failed)?, err.map_err(failed)?);
            if stdout.len() > MAX_ANSWER_BYTES {
                return Err(Error::new(ErrorKind::Malformed, format!("{program} prints without end")));
            }
            let status = child.wait().await.map_err(failed)?;
            let status = status.code().and_then(|code| u32::try_from(code).ok());
            Ok(Output { status, accepted: true, stdout, stderr })
        })
        .await
    }
}

/// The pieces of an answer to several questions, each with what stands behind its marker.
pub(super) fn answers(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = text.split(MARKER).skip(1);
    pieces.filter_map(|piece| {
        let (name, answer) = piece.split_once('>')?;
        Some((name, answer.trim()))
    })
}

/// The question that marks what follows.
pub(super) fn marked(name: &str) -> String {
    format!("echo \"{MARKER}{name}>\"")
}

/// The first `most` bytes of a stream.
async fn read(stream: Option<impl AsyncReadExt + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Files what virsh complains of by what it means.
fn complaint(output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    let kind = if output.status.is_none() {
        ErrorKind::Unreachable
    } else if has(&["permission denied", "access denied", "authentication", "not authorized", "polkit"]) {
        ErrorKind::MissingRights
    } else if has(&["failed to get domain", "domain not found", "no domain with", "storage volume not found"])
        || has(&["storage pool not found", "failed to get pool", "failed to get vol", "network not found"])
    {
        ErrorKind::NotFound
    } else if has(&[
        "already exists",
        "exists already",
        "already in use",
        "is not running",
        "already running",
    ]) || has(&["requested operation is not valid", "domain is already active"])
    {
        ErrorKind::Conflict
    } else if has(&["cannot recv data", "failed to connect socket", "connection refused"]) {
        ErrorKind::Unreachable
    } else {
        ErrorKind::Failed
    };
    Error::new(kind, format!("virsh: {}", output.complaint().trim_start_matches("error: ")))
}

#[cfg(test)]
mod tests {
    use super::complaint;
    use crate::{ErrorKind, ssh::Output};

    #[test]
    fn complaints_are_filed_by_what_they_mean() {
        for (text, kind) in [
            ("error: failed to get domain 'x'\n", ErrorKind::NotFound),
            (
                "error: Failed to start domain 'x'\nerror: Requested operation is not valid: domain is already running\n",
                ErrorKind::Conflict,
            ),
            (
                "error: Failed to create vol x\nerror: storage volume 'x' exists already\n",
                ErrorKind::Conflict,
            ),
            (
                "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied\n",
                ErrorKind::MissingRights,
            ),
            (
                "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/x': No such file or directory\n",
                ErrorKind::Unreachable,
            ),
            ("error: internal error: process exited while connecting to monitor\n", ErrorKind::Failed),
            ("sh: virsh: not found\n", ErrorKind::Failed),
        ] {
            let output = Output { status: Some(1), accepted: true, stdout: Vec::new(), stderr: text.into() };
            assert_eq!(complaint(&output).kind(), kind, "{text}");
        }
    }
}
