//! What a process took: read from `/proc`, since the standard library does not tell.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::command::run;

/// What one run of a program took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From start to end, in seconds.
    pub wall: f64,
    /// User and system time, in seconds.
    pub cpu: f64,
    /// The largest resident set, in MiB.
    pub peak: f64,
}

impl Cost {
    /// This and then another.
    pub fn then(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu, peak: self.peak.max(other.peak) }
    }
}

/// Runs a program to its end.
pub fn cost(command: &mut Command) -> Result<Cost> {
    let shown = format!("{command:?}");
    let before = children_cpu()?;
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context(shown.clone())?;
    let mut peak = 0.0_f64;
    let status = loop {
        peak = peak.max(memory(&child, "VmHWM").unwrap_or(0.0));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(Cost { wall: begun.elapsed().as_secs_f64(), cpu: children_cpu()? - before, peak })
}

/// Writes out what the system has yet to write, and reads all files beneath a folder into its cache.
pub fn warm(folder: &Path) -> Result<()> {
    run(&mut Command::new("sync"))?;
    read_all(folder).with_context(|| folder.display().to_string())
}

fn read_all(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| read_all(&entry?.path()));
    }
    io::copy(&mut File::open(path)?, &mut io::sink()).map(drop)
}

/// A line of `/proc/PID/status` that counts kB, in MiB.
pub fn memory(child: &Child, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

/// What a running process took so far, in seconds.
pub fn cpu(child: &Child) -> Result<f64> {
    sum_of_stat(&format!("/proc/{}/stat", child.id()), [14, 15])
}

/// What all children that have ended took, in seconds.
fn children_cpu() -> Result<f64> {
    sum_of_stat("/proc/self/stat", [16, 17])
}

/// Two fields of a `stat` file, numbered as proc(5) does, which count hundredths of a second.
fn sum_of_stat(file: &str, numbers: [usize; 2]) -> Result<f64> {
    let stat = fs::read_to_string(file)?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field =
        |number: usize| fields.get(number - 3).and_then(|f| f.parse::<f64>().ok()).context(file.to_owned());
    Ok((field(numbers[0])? + field(numbers[1])?) / 100.0)
}

/// The middle one of some numbers.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
