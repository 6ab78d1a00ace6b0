//! A job's process, seen from the agent: started, fed, listened to, stopped, and its end put into words.
//!
//! The agent holds the writing end of the process's standard input for as long as the job may run. When the agent
//! dies, even by `kill -9`, the kernel closes it, and the process ends by itself.

use std::{
    convert::Infallible,
    ffi::OsString,
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    pin::pin,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use roadstead_api::{link::Outcome, run::RunState};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{
    log::Log,
    order::{JobOrder, MAX_LINE_BYTES, Report, Stop, line},
    results::{idle, milliseconds, now_ms},
    runs::Runs,
};

/// How long a job that is told to stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// How long the last words of a process are waited for. They are in the pipe already, unless another process
/// holds it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The program that runs a job, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl JobCommand {
    /// This very program, as `agent run-job`. Goes on to be this version when the file is replaced by another.
    pub fn this_program() -> io::Result<Self> {
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { running } else { std::env::current_exe()? };
        Ok(Self { program, args: vec!["agent".into(), "run-job".into()] })
    }

    fn spawn(&self, log: &Log) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        if let Some(level) = log.level() {
            command.env("RUST_LOG", level.as_str());
        }
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C at a terminal is for the agent, which then stops the job in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// How a process ended.
struct End {
    status: io::Result<ExitStatus>,
    stop: Option<Stop>,
}

/// Carries out one job. `None` where the process has left the result on disk.
pub(crate) async fn carry_out(
    command: &JobCommand,
    log: &Log,
    order: &JobOrder,
    runs: &Runs,
) -> Option<Outcome> {
    let run = order.job.run;
    let (started_ms, started) = (now_ms(), Instant::now());
    let (end, unsaved) = match start(command, log, order) {
        Ok((child, stdin, stdout, order)) => watch(child, stdin, stdout, &order, runs).await,
        Err(e) => (End { status: Err(e), stop: None }, None),
    };
    if runs.has_result(run) {
        return None;
    }
    let progress = runs.told().map(|(_, _, progress)| progress).unwrap_or_default();
    let (state, reason) = verdict(&end);
    Some(unsaved.unwrap_or_else(|| Outcome {
        started_ms,
        duration_ms: milliseconds(started.elapsed()),
        progress,
        ..idle(state, reason)
    }))
}

fn start(
    command: &JobCommand,
    log: &Log,
    order: &JobOrder,
) -> io::Result<(Child, ChildStdin, ChildStdout, Vec<u8>)> {
    let order = line(order)?;
    let mut child = command.spawn(log)?;
    if let Some(stderr) = child.stderr.take() {
        // It ends with whoever holds the other end of the pipe.
        tokio::spawn(pass_on(stderr, log.clone()));
    }
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok((child, stdin, stdout, order)),
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Passes on what a job's process logs: to the agent's own standard error, and into its log.
async fn pass_on(mut stderr: ChildStderr, mut log: Log) {
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut part).await {
        // A log that takes nothing any more stops no job.
        let _ = io::stderr().write_all(&part[..read]);
        let _ = log.write_all(&part[..read]);
    }
}

async fn watch(
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    order: &[u8],
    runs: &Runs,
) -> (End, Option<Outcome>) {
    let mut reports = pin!(listen(stdout, runs));
    let mut end = pin!(supervise(child, stdin, order, runs));
    tokio::select! {
        unsaved = &mut reports => (end.await, unsaved),
        end = &mut end => (end, timeout(LAST_WORDS, reports).await.unwrap_or_default()),
    }
}

async fn supervise(mut child: Child, mut stdin: ChildStdin, order: &[u8], runs: &Runs) -> End {
    let feed = async {
        // A process that does not take its order ends without a result, and that is what gets reported.
        let _ = stdin.write_all(order).await;
        std::future::pending::<Infallible>().await
    };
    let stop = tokio::select! {
        status = child.wait() => return End { status, stop: None },
        stop = runs.stop_asked() => stop,
        never = feed => match never {},
    };
    let status = match timeout(STOP_LIMIT, ask_to_stop(&mut child, stdin, stop)).await {
        Ok(status) => status,
        Err(_) => {
            kill(&child);
            child.wait().await
        }
    };
    End { status, stop: Some(stop) }
}

async fn ask_to_stop(child: &mut Child, mut stdin: ChildStdin, stop: Stop) -> io::Result<ExitStatus> {
    if let Ok(line) = line(&stop) {
        // It may have ended, or be stuck; both show below.
        let _ = stdin.write_all(&line).await;
    }
    drop(stdin);
    child.wait().await
}

/// Kills the process and what it has started. It was not waited for, so its id cannot be another's.
fn kill(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        tracing::warn!(pid = pid.as_raw_nonzero(), "a job does not stop by itself, and is killed");
        // It fails where the process has just ended, which is as good.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Listens until the process closes its output. Gives the result that it could not write to disk.
async fn listen(stdout: ChildStdout, runs: &Runs) -> Option<Outcome> {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    let mut unsaved = None;
    loop {
        line.clear();
        match (&mut stdout).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return unsaved,
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(Report::Progress { state, progress }) => runs.tell(state, progress),
            Ok(Report::Unsaved { outcome }) => unsaved = Some(*outcome),
            Err(e) => tracing::warn!(error = %e, "a job said what is no report"),
        }
    }
}

/// The state and reason of a run whose process left no result.
fn verdict(end: &End) -> (RunState, Option<String>) {
    if let Some(stop) = end.stop {
        return (stop.state(), stop.reason());
    }
    let reason = match &end.status {
        Err(e) => format!("the job's process could not be run: {e}"),
        Ok(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("the job's process was killed by signal {signal}"),
            (_, Some(code)) => format!("the job's process ended with exit status {code} and left no result"),
            _ => "the job's process ended and left no result".to_owned(),
        },
    };
    (RunState::Failed, Some(reason))
}
