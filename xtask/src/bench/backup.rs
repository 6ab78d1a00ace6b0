//! Backups of many small files (A) and of some large ones (B), each with one per cent changed (C): our engine
//! and its rivals, into local repositories, step by step in turns.
//!
//! Nothing that was restored is deleted before the end of a set: ext4 without a journal keeps deleted inodes
//! from being used again for a minute and more and searches past each of them, so that a tree deleted before
//! a restore is paid for by whoever restores next.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::measure::{Cost, median};
use super::rivals::{Tool, tools};
use super::sets::Set;
use crate::{
    command::{cargo, output, project_dir, run as run_command, target_dir},
    restic,
};

/// Steps in their order.
const STEPS: [&str; 6] = [
    "first backup",
    "again, unchanged",
    "after 1% changed",
    "restore",
    "check with all data",
    "forget and prune",
];

/// What one tool took in one round.
#[derive(Default)]
struct Round {
    steps: Vec<Cost>,
    /// Of the repository in bytes: after the first backup, after the last, after the prune.
    sizes: Vec<u64>,
}

/// A figure out of [`Round::sizes`].
type Size = fn(&[u64]) -> u64;

/// Measures and prints.
pub fn run(sets: &[Set]) -> Result<()> {
    let (ours, theirs) = (example()?, restic::newest()?);
    println!("{}", output(Command::new(&theirs).arg("version"))?.trim());
    sets.iter().try_for_each(|set| measure(set, &ours, &theirs))
}

/// Builds our engine as a command of its own; gives the program.
pub fn example() -> Result<PathBuf> {
    let package = ["--release", "--package", "roadstead-vault", "--example", "vault"];
    run_command(cargo(&["build", "--locked"]).args(package).current_dir(project_dir()))?;
    Ok(target_dir().join("release/examples/vault"))
}

fn measure(set: &Set, ours: &Path, theirs: &Path) -> Result<()> {
    let (folder, source) = (set.folder(), set.source()?);
    let mut rounds = Vec::new();
    for number in 0..set.rounds {
        let tools = tools(ours, theirs, &folder);
        rounds.push(one_round(set, tools, &source, &folder.join(format!("restored-{number}")), number)?);
        if set.files < 1000 {
            fs::remove_dir_all(folder.join(format!("restored-{number}")))?;
        }
    }
    print(set, &rounds);
    for number in 0..set.rounds {
        let _ = fs::remove_dir_all(folder.join(format!("restored-{number}")));
    }
    Ok(())
}

/// All steps on fresh repositories, each step by every tool in turn.
fn one_round(
    set: &Set,
    mut tools: Vec<Tool>,
    source: &Path,
    restored: &Path,
    number: u64,
) -> Result<Vec<(&'static str, Round)>> {
    let mut round: Vec<_> = tools.iter().map(|tool| (tool.name, Round::default())).collect();
    tools.iter().try_for_each(Tool::init)?;
    for (step, name) in STEPS.iter().enumerate() {
        if step == 2 {
            let moment = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
            set.change(source, moment + number)?;
        }
        for (tool, (_, round)) in tools.iter_mut().zip(&mut round) {
            let cost = match step {
                0..=2 => tool.backup(source)?,
                3 => tool.restore(&restored.join(tool.name))?,
                4 => tool.check()?,
                _ => tool.prune()?,
            };
            println!("{} {name}: {:6} {:7.2} s, CPU {:7.2} s", set.name, tool.name, cost.wall, cost.cpu);
            round.steps.push(cost);
            if [0, 2, 5].contains(&step) {
                round.sizes.push(tool.size()?);
            }
        }
    }
    Ok(round)
}

/// Tables as they stand in `docs/performance.md`.
fn print(set: &Set, rounds: &[Vec<(&'static str, Round)>]) {
    let names: Vec<&str> = rounds.first().into_iter().flatten().map(|(name, _)| *name).collect();
    println!(
        "\n{} {} files; medians of {} rounds, CPU s / wall s / peak MiB\n",
        set.files, set.name, set.rounds
    );
    println!("| step | {} | ours to restic: CPU | wall | peak |", names.join(" | "));
    println!("|---{}|---|---|---|", "|---".repeat(names.len()));
    for (step, name) in STEPS.iter().enumerate() {
        let cells: Vec<String> = (0..names.len()).map(|tool| cell(rounds, tool, step)).collect();
        let ratio = |field: fn(&Cost) -> f64| {
            let of = |tool: usize, round: &Vec<(&str, Round)>| field(&round[tool].1.steps[step]);
            format!("{:.2}", median(rounds.iter().map(|round| of(0, round) / of(1, round)).collect()))
        };
        let ratios = [ratio(|c| c.cpu), ratio(|c| c.wall), ratio(|c| c.peak)];
        println!("| {name} | {} | {} |", cells.join(" | "), ratios.join(" | "));
    }
    println!("\n| repository, MB | {} | ours to restic |", names.join(" | "));
    println!("|---{}|---|", "|---".repeat(names.len()));
    let sizes = |tool: usize, of: Size| {
        median(rounds.iter().map(|round| of(&round[tool].1.sizes) as f64 / 1e6).collect())
    };
    let rows: [(&str, Size); 3] = [
        ("after the first backup", |sizes| sizes[0]),
        ("growth by the changes", |sizes| sizes[1] - sizes[0]),
        ("after the prune", |sizes| sizes[2]),
    ];
    for (name, of) in rows {
        let cells: Vec<String> = (0..names.len()).map(|tool| format!("{:.1}", sizes(tool, of))).collect();
        println!("| {name} | {} | {:.2} |", cells.join(" | "), sizes(0, of) / sizes(1, of));
    }
    println!();
}

fn cell(rounds: &[Vec<(&'static str, Round)>], tool: usize, step: usize) -> String {
    let of = |field: fn(&Cost) -> f64| {
        median(rounds.iter().map(|round| field(&round[tool].1.steps[step])).collect())
    };
    format!("{:.2} / {:.2} / {:.0}", of(|c| c.cpu), of(|c| c.wall), of(|c| c.peak))
}
