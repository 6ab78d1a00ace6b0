//! What two thousand agents cost: memory, heartbeats, a minute that all their schedules name, a hundred backups a second.
//!
//! The agents are those of the example `crew`: the real link, many in one process, whose backups open no vault. They
//! share the machine with the server, and lie in memory where the machine has a folder there: their disks are no part of
//! the server's.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    fleet::Bench,
    measure::{cpu, memory},
    million_rows, stops,
};
use crate::command::{cargo, run as run_command, target_dir};

/// How many agents there are, if `ROADSTEAD_BENCH_AGENTS` does not say.
const AGENTS: u32 = 2000;
/// How many backups are started a second.
const RATE: u32 = 100;
/// How long heartbeats are watched.
const WATCHED: Duration = Duration::from_secs(60);
/// In which every agent says at least one word.
const HEARTBEAT_SECONDS: f64 = 15.0;

/// Measures and prints.
pub fn run(program: &Path) -> Result<()> {
    let agents = match std::env::var("ROADSTEAD_BENCH_AGENTS") {
        Ok(number) => number.parse().context("ROADSTEAD_BENCH_AGENTS")?,
        Err(_) => AGENTS,
    };
    run_command(&mut cargo(&["build", "--workspace", "--example", "crew"]))?;
    let server = Bench::start("load", program)?;
    let empty = resident(&server)?;
    let mut crew = Crew::start(&server, agents)?;
    let took = |answer: &Value| answer["seconds"].as_f64().unwrap_or(f64::NAN);
    tell(&format!("{agents} agents enrolled"), format!("{:8.1} s", took(&crew.ask("enroll")?)));
    tell("... and connected", format!("{:8.1} s", took(&crew.ask("connect")?)));
    heartbeats(&server, agents, empty)?;
    let slot = crew.ask("slot")?;
    tell("a minute that all schedules name", spread(&slot["begun"], "begun"));
    tell("", spread(&slot["recorded"], "recorded"));
    let before = cpu(&server.process)?;
    let rate = crew.ask(&format!("rate {RATE}"))?;
    let used = cpu(&server.process)? - before;
    tell(&format!("{RATE} backups asked for a second"), spread(&rate["begun"], "begun"));
    tell("", spread(&rate["recorded"], "recorded"));
    tell("", format!("{:8.1} recorded a second", rate["a_second"].as_f64().unwrap_or(f64::NAN)));
    tell("", format!("{:8.1} ms of CPU each", used * 1000.0 / f64::from(agents)));
    tell("the server, resident after all that", format!("{:8.1} MiB", resident(&server)?));
    drop(crew);
    million_rows::run(server)?;
    stops::run(program)
}

/// Watches idle agents, from when the server has come to rest.
fn heartbeats(server: &Bench, agents: u32, empty: f64) -> Result<()> {
    thread::sleep(Duration::from_secs(5));
    let (begun, before) = (Instant::now(), cpu(&server.process)?);
    thread::sleep(WATCHED);
    let (took, used) = (begun.elapsed().as_secs_f64(), cpu(&server.process)? - before);
    let a_second = f64::from(agents) / HEARTBEAT_SECONDS;
    tell(
        &format!("{a_second:.0} heartbeats a second"),
        format!("{:8.1} % of a processor", used * 100.0 / took),
    );
    let now = resident(server)?;
    let each = (now - empty) * 1024.0 / f64::from(agents);
    tell(
        "the server, resident",
        format!("{now:8.1} MiB, {empty:.1} when it was empty: {each:.1} KiB an agent"),
    );
    Ok(())
}

fn resident(server: &Bench) -> Result<f64> {
    memory(&server.process, "VmRSS").context("the server has ended")
}

fn spread(seconds: &Value, what: &str) -> String {
    let at = |share: &str| seconds[share].as_f64().unwrap_or(f64::NAN);
    format!(
        "{:8.2} s until {what} at the median, {:.2} at the 99th percentile, {:.2} the last",
        at("p50"),
        at("p99"),
        at("max")
    )
}

/// Prints one figure.
pub fn tell(what: &str, figure: String) {
    println!("{what:40} {figure}");
}

/// The agents. They end when this is dropped.
struct Crew {
    process: Child,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Crew {
    fn start(server: &Bench, agents: u32) -> Result<Self> {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { target_dir().join("bench") };
        let folder = place.join(format!("roadstead-crew-{}", std::process::id()));
        let mut command = Command::new(target_dir().join("debug/examples/crew"));
        command.arg(agents.to_string()).arg(&folder);
        command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.key);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let answers = BufReader::new(process.stdout.take().context("no output")?);
        Ok(Self { process, answers, folder })
    }

    fn ask(&mut self, what: &str) -> Result<Value> {
        let input = self.process.stdin.as_mut().context("no input")?;
        writeln!(input, "{what}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).with_context(|| format!("the agents did not {what}"))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
