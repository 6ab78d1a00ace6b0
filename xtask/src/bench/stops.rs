//! How long a backup takes to end when it is stopped: a real agent over a large folder, stopped at three moments.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{fleet::Bench, load::tell, sets::sets, start::enrolled};
use crate::command::target_dir;

/// How long after its start each backup is stopped, in milliseconds.
const MOMENTS: [u64; 3] = [300, 1000, 3000];

/// Measures and prints.
pub fn run(program: &Path) -> Result<()> {
    let server = Bench::start("stops", program)?;
    let source = sets(1)[0].source()?.display().to_string();
    let folder = target_dir().join("bench/stops-agent");
    let _ = std::fs::remove_dir_all(&folder);
    let mut agent = enrolled(program, &folder, &server.url, &server.key)?;
    let stopped = stop(&server, &source);
    agent.kill()?;
    agent.wait()?;
    stopped
}

fn stop(server: &Bench, source: &str) -> Result<()> {
    let make = ["backup-configurations", "create", "--name", "large", "--agent", "1", "--include", source];
    let made = id(&server.ask(&make, None)?)?;
    for moment in MOMENTS {
        let started = server.ask(&["backups", "start", "--configuration", &made], None)?;
        let backup = id(&started)?;
        thread::sleep(Duration::from_millis(moment));
        let begun = Instant::now();
        let ended = server.ask(&["backups", "stop", &backup], None)?;
        let took = begun.elapsed().as_secs_f64();
        ensure!(
            ended["state"] == "cancelled",
            "the backup was {} before it could be stopped",
            ended["state"]
        );
        tell(
            &format!("a backup stopped after {:.1} s", moment as f64 / 1000.0),
            format!("{took:8.2} s until it had ended"),
        );
    }
    Ok(())
}

fn id(answer: &Value) -> Result<String> {
    answer["id"].as_i64().map(|id| id.to_string()).context("the answer has no id")
}
