//! Backups of many small files: our engine and restic, into local repositories, in turns.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use super::measure::{Cost, cost, median};
use crate::{
    command::{cargo, output, run as run_command, target_dir},
    data, restic,
};

const FILES: u64 = 90_000;
const ROUNDS: usize = 3;
const PASSWORD: &str = "bench";

/// Measures and prints.
pub fn run() -> Result<()> {
    run_command(&mut cargo(&[
        "build",
        "--locked",
        "--release",
        "--package",
        "roadstead-vault",
        "--example",
        "vault",
    ]))?;
    let (ours, theirs) = (target_dir().join("release/examples/vault"), restic::newest()?);
    let folder = target_dir().join("bench");
    let source = folder.join("small-files");
    if !source.join("made").exists() {
        println!("making {FILES} files in {}", source.display());
        data::small_files(&source, FILES)?;
        fs::write(source.join("made"), "")?;
    }
    println!("{}", output(Command::new(&theirs).arg("version"))?.trim());
    let mut rows: Vec<(&str, Vec<[Cost; 2]>)> =
        ["first backup", "unchanged", "restore", "check, all data"].map(|name| (name, Vec::new())).into();
    for _ in 0..ROUNDS {
        let (us, them) = (
            one_round(&ours, &folder, &source, Tool::Ours)?,
            one_round(&theirs, &folder, &source, Tool::Restic)?,
        );
        for (row, pair) in rows.iter_mut().zip(us.into_iter().zip(them)) {
            row.1.push([pair.0, pair.1]);
        }
    }
    print(&rows);
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Tool {
    Ours,
    Restic,
}

/// First backup, backup again, restore, check; each on the fresh repository of this round.
fn one_round(program: &Path, folder: &Path, source: &Path, tool: Tool) -> Result<[Cost; 4]> {
    let (repository, target) = (folder.join("repository"), folder.join("restored"));
    for old in [&repository, &target] {
        let _ = fs::remove_dir_all(old);
    }
    let command = |ours: &[&str], theirs: &[&str]| {
        let mut command = Command::new(program);
        command.env("VAULT_PASSWORD", PASSWORD).env("RESTIC_PASSWORD", PASSWORD);
        match tool {
            Tool::Ours => command.arg(ours[0]).arg(&repository).args(&ours[1..]),
            Tool::Restic => command.args(["--no-cache", "--repo"]).arg(&repository).args(theirs),
        };
        command
    };
    let (source, target) = (source.display().to_string(), target.display().to_string());
    run_command(command(&["init"], &["init"]).stdout(std::process::Stdio::null()))?;
    let first = cost(&mut command(&["backup", &source], &["backup", &source]))?;
    let again = cost(&mut command(&["backup", &source], &["backup", &source]))?;
    let snapshot = latest(&repository)?;
    let restore =
        cost(&mut command(&["restore", &snapshot, &target], &["restore", "latest", "--target", &target]))?;
    let check = cost(&mut command(&["check-data"], &["check", "--read-data"]))?;
    Ok([first, again, restore, check])
}

/// The name of a snapshot file.
fn latest(repository: &Path) -> Result<String> {
    let entry = fs::read_dir(repository.join("snapshots"))?.next();
    Ok(entry.transpose()?.map(|e| e.file_name().to_string_lossy().into_owned()).unwrap_or_default())
}

fn print(rows: &[(&str, Vec<[Cost; 2]>)]) {
    println!("{FILES} small files; medians of {ROUNDS} rounds, and the ratio to restic pair by pair");
    println!("{:16} {:>22} {:>22} {:>24}", "", "ours", "restic", "ratio");
    println!(
        "{:16} {:>22} {:>22} {:>24}",
        "", "wall   CPU  peak MiB", "wall   CPU  peak MiB", "wall   CPU   peak"
    );
    for (name, pairs) in rows {
        let of = |tool: usize, field: fn(&Cost) -> f64| {
            median(pairs.iter().map(|pair| field(&pair[tool])).collect())
        };
        let ratio = |field: fn(&Cost) -> f64| {
            median(pairs.iter().map(|[us, them]| field(us) / field(them)).collect())
        };
        let side = |tool| {
            format!("{:6.2} {:6.2} {:7.0}", of(tool, |c| c.wall), of(tool, |c| c.cpu), of(tool, |c| c.peak))
        };
        let ratios = format!("{:6.2} {:6.2} {:7.2}", ratio(|c| c.wall), ratio(|c| c.cpu), ratio(|c| c.peak));
        println!("{name:16} {:>22} {:>22} {:>24}", side(0), side(1), ratios);
    }
}
