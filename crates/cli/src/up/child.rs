//! A child process of `up`: this program again, as server or agent, with its log in a file.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child as Process, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::error::{Error, Result};

/// How long a child may take to end before it is killed.
const END_LIMIT: Duration = Duration::from_secs(15);
/// How much of the log an error shows.
const TAIL_LINES: usize = 5;

/// A child process.
#[derive(Debug)]
pub struct Child {
    name: &'static str,
    log: PathBuf,
    process: Process,
    /// Closing it ends the child.
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts this program with the arguments given.
    pub fn start(name: &'static str, arguments: &[&str], data_dir: &Path, log: PathBuf) -> Result<Self> {
        let failed = |e| Error::local(format!("cannot start the {name}")).caused_by(e);
        let log_file = File::options().create(true).append(true).open(&log).map_err(failed)?;
        let mut process = Command::new(env::current_exe().map_err(failed)?)
            .args(arguments)
            .arg("--with-parent")
            .arg("--data-dir")
            .arg(data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log_file)
            // Ctrl-C is for us, who end the children in their order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let stdin = process.stdin.take();
        let stdout =
            process.stdout.take().ok_or_else(|| Error::local(format!("the {name} has no output")))?;
        Ok(Self { name, log, process, stdin, stdout: BufReader::new(stdout).lines() })
    }

    /// The rest of the line that begins so, once the child prints it.
    pub async fn says(&mut self, beginning: &str) -> Result<String> {
        loop {
            match self.stdout.next_line().await {
                Ok(Some(line)) => match line.strip_prefix(beginning) {
                    Some(rest) => return Ok(rest.to_owned()),
                    None => continue,
                },
                Ok(None) | Err(_) => return Err(self.ended().await),
            }
        }
    }

    /// Waits until the child ends by itself, which it should not.
    pub async fn ended(&mut self) -> Error {
        let how = match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n  ");
        let (name, log) = (self.name, self.log.display());
        Error::local(format!("the {name} ended by itself ({how}); the end of {log}:\n  {tail}"))
    }

    /// Ends the child, and waits for it.
    pub async fn end(mut self) {
        drop(self.stdin.take());
        if timeout(END_LIMIT, self.process.wait()).await.is_err() {
            // It may have ended just now; then there is nothing to kill.
            let _ = self.process.kill().await;
        }
    }
}
