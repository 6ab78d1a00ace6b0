//! Backups of many small files (A) and of some large ones (B), each with one per cent changed (C): our engine
//! and its rivals, into local repositories, step by step in turns.
//!
//! The large files are more than a disk may have room for several times over: there one tool does all steps after the other,
//! and what it made is deleted before the next begins.
//!
//! Of the small ones nothing that was restored is deleted before the end of a set: ext4 without a journal keeps deleted inodes
//! from being used again for a minute and more and searches past each of them, so that a tree deleted before
//! a restore is paid for by whoever restores next.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::measure::{Cost, median, warm};
use super::rivals::{Programs, Tool, tools};
use super::sets::Set;
use crate::{
    command::{cargo, output, project_dir, run as run_command, target_dir},
    restic, rustic,
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

/// When a backup is cancelled, in milliseconds after its beginning.
const MOMENTS: [u64; 3] = [300, 1000, 3000];

/// Measures and prints. rustic, which takes long to build, is left out of what shall be `quick` unless it is there.
pub fn run(sets: &[Set], quick: bool) -> Result<()> {
    let rustic = if quick { rustic::built() } else { Some(rustic::program()?) };
    let programs = Programs { ours: example()?, restic: Some(restic::newest()?), rustic };
    let version = |program: &PathBuf| output(Command::new(program).arg("version"));
    println!("{}", programs.restic.iter().map(version).collect::<Result<String>>()?.trim());
    sets.iter().try_for_each(|set| measure(set, &programs))
}

/// Measures ours alone and prints that.
pub fn run_alone(set: &Set) -> Result<()> {
    measure(set, &Programs { ours: example()?, restic: None, rustic: None })
}

/// Builds our engine as a command of its own; gives the program.
pub fn example() -> Result<PathBuf> {
    let package = ["--release", "--package", "roadstead-vault", "--example", "vault"];
    run_command(cargo(&["build", "--locked"]).args(package).current_dir(project_dir()))?;
    Ok(target_dir().join("release/examples/vault"))
}

fn measure(set: &Set, programs: &Programs) -> Result<()> {
    let (folder, source) = (set.folder(), set.source()?);
    let mut rounds = Vec::new();
    for number in 0..set.rounds {
        let mut tools = tools(programs, &folder);
        tools.retain(|tool| number < tool.rounds);
        let restored = folder.join(format!("restored-{number}"));
        let together = if set.few { 1 } else { tools.len() };
        let mut round = Vec::new();
        for tools in tools.chunks_mut(together) {
            round.extend(all_steps(set, tools, &source, &restored, number)?);
            if set.few {
                fs::remove_dir_all(&restored)?;
                tools.iter().try_for_each(Tool::remove)?;
            }
        }
        rounds.push(round);
    }
    // A tenth of the data may be stored before that.
    if set.few && set.rounds > 1 {
        cancel(&tools(programs, &folder)[0], &source)?;
    }
    print(set, &rounds);
    for number in 0..set.rounds {
        let _ = fs::remove_dir_all(folder.join(format!("restored-{number}")));
    }
    Ok(())
}

/// How long a backup goes on that is cancelled.
fn cancel(ours: &Tool, source: &Path) -> Result<()> {
    ours.init()?;
    for moment in MOMENTS {
        println!("cancelled after {moment} ms: goes on for {:.3} s", ours.cancel(source, moment)?);
    }
    ours.remove()
}

/// All steps on fresh repositories, each step by every tool in turn.
fn all_steps(
    set: &Set,
    tools: &mut [Tool],
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
            // Whoever comes first, or whose files the system took out of its cache, is to pay no more than the others.
            warm(if step < 3 { source } else { tool.repository() })?;
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

/// Tables as they stand in `docs/performance.md`. A tool that took no part in later rounds has the figures of the first.
fn print(set: &Set, rounds: &[Vec<(&'static str, Round)>]) {
    let names: Vec<&str> = rounds.first().into_iter().flatten().map(|(name, _)| *name).collect();
    println!(
        "\n{} {} files; medians of {} rounds, CPU s / wall s / peak MiB\n",
        set.files, set.name, set.rounds
    );
    println!("| step | {} | ours to restic: CPU | wall | peak | our wall to CPU |", names.join(" | "));
    println!("|---{}|---|---|---|---|", "|---".repeat(names.len()));
    for (step, name) in STEPS.iter().enumerate() {
        let cells: Vec<String> = (0..names.len()).map(|tool| cell(rounds, tool, step)).collect();
        let to_restic = |field: fn(&Cost) -> f64| {
            ratio(rounds, |round| Some((field(step_of(round, 0, step)?), field(step_of(round, 1, step)?))))
        };
        let ratios = [to_restic(|cost| cost.cpu), to_restic(|cost| cost.wall), to_restic(|cost| cost.peak)];
        let own = ratio(rounds, |round| step_of(round, 0, step).map(|cost| (cost.wall, cost.cpu)));
        println!("| {name} | {} | {} | {own} |", cells.join(" | "), ratios.join(" | "));
    }
    print_sizes(&names, rounds);
}

fn print_sizes(names: &[&str], rounds: &[Vec<(&'static str, Round)>]) {
    println!("\n| repository, MB | {} | ours to restic |", names.join(" | "));
    println!("|---{}|---|", "|---".repeat(names.len()));
    let size = |round: &Vec<(&str, Round)>, tool: usize, of: Size| {
        round.get(tool).map(|(_, round)| of(&round.sizes) as f64 / 1e6)
    };
    let rows: [(&str, Size); 3] = [
        ("after the first backup", |sizes| sizes[0]),
        ("growth by the changes", |sizes| sizes[1] - sizes[0]),
        ("after the prune", |sizes| sizes[2]),
    ];
    for (name, of) in rows {
        let cell = |tool| median(rounds.iter().filter_map(|round| size(round, tool, of)).collect());
        let cells: Vec<String> = (0..names.len()).map(|tool| format!("{:.1}", cell(tool))).collect();
        let to_restic = ratio(rounds, |round| Some((size(round, 0, of)?, size(round, 1, of)?)));
        println!("| {name} | {} | {to_restic} |", cells.join(" | "));
    }
    println!();
}

/// What a tool took for a step, if it took part.
fn step_of<'a>(round: &'a [(&str, Round)], tool: usize, step: usize) -> Option<&'a Cost> {
    round.get(tool).map(|(_, round)| &round.steps[step])
}

/// The median of how one number is to another in each round; a dash where there is none.
fn ratio(
    rounds: &[Vec<(&'static str, Round)>],
    of: impl Fn(&Vec<(&'static str, Round)>) -> Option<(f64, f64)>,
) -> String {
    let ratios: Vec<f64> = rounds.iter().filter_map(of).map(|(one, other)| one / other).collect();
    if ratios.is_empty() { "-".to_owned() } else { format!("{:.2}", median(ratios)) }
}

fn cell(rounds: &[Vec<(&'static str, Round)>], tool: usize, step: usize) -> String {
    let of = |field: fn(&Cost) -> f64| {
        median(rounds.iter().filter_map(|round| step_of(round, tool, step)).map(field).collect())
    };
    format!("{:.2} / {:.2} / {:.0}", of(|c| c.cpu), of(|c| c.wall), of(|c| c.peak))
}
