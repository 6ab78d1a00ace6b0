//! `bench`: ours and the rivals side by side in one run. These machines are noisy, so what counts are the ratios.

mod backup;
mod fleet;
mod hosts;
mod load;
mod measure;
mod million_rows;
mod page;
mod rest;
mod rivals;
mod sets;
mod start;
mod stops;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{build, command::target_dir};
use sets::{million, sets};

/// What can be measured.
const NAMES: [&str; 12] = [
    "start",
    "fleet",
    "hosts",
    "load",
    "backup",
    "backup-small",
    "backup-large",
    "backup-quick",
    "backup-million",
    "rest",
    "rest-quick",
    "page",
];

/// What can be measured of any build, `roadstead` being all that it takes.
const OF_ANY_BUILD: [&str; 3] = ["fleet", "hosts", "load"];

/// Which build is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Profile {
    /// The one that people run.
    Release,
    /// The one of development, where an upper bound will do: it takes a fraction of the time.
    Dev,
    /// One that was built before, or elsewhere.
    Given(PathBuf),
}

impl Profile {
    /// The profile that the arguments begin with, and the names after it.
    fn read(arguments: &[String]) -> Result<(Self, &[String])> {
        let (profile, names) = match arguments {
            [flag, names @ ..] if flag == "--dev" => (Self::Dev, names),
            [flag, program, names @ ..] if flag == "--program" => {
                let program = Path::new(program).canonicalize();
                (Self::Given(program.with_context(|| format!("--program {:?}", &arguments[1]))?), names)
            }
            names => (Self::Release, names),
        };
        let any = |name: &String| OF_ANY_BUILD.contains(&name.as_str());
        if profile != Self::Release && (names.is_empty() || !names.iter().all(any)) {
            bail!("--dev and --program PATH take names of these: {}", OF_ANY_BUILD.join(", "));
        }
        Ok((profile, names))
    }

    /// The program, built where it is not there yet.
    fn program(&self) -> Result<PathBuf> {
        let folder = match self {
            Self::Given(program) => return Ok(program.clone()),
            Self::Release => "release",
            Self::Dev => "debug",
        };
        build::binary(*self == Self::Release)?;
        Ok(target_dir().join(folder).join("roadstead"))
    }
}

/// `cargo xtask bench [--dev | --program PATH] [NAME...]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let (profile, names) = Profile::read(arguments)?;
    let all = ["start", "fleet", "hosts", "load", "backup", "rest"].map(str::to_owned);
    for name in if names.is_empty() { &all[..] } else { names } {
        match name.as_str() {
            "start" => start::run()?,
            "page" => page::run()?,
            "fleet" => fleet::run(&profile.program()?)?,
            "hosts" => hosts::run(&profile.program()?)?,
            "load" => load::run(&profile.program()?)?,
            "backup" => backup::run(&sets(1), false)?,
            "backup-small" => backup::run(&sets(1)[..1], false)?,
            "backup-large" => backup::run(&sets(1)[1..], false)?,
            "backup-quick" => backup::run(&sets(10), true)?,
            "backup-million" => backup::run_alone(&million())?,
            "rest" => rest::run(&sets(1))?,
            "rest-quick" => rest::run(&sets(10))?,
            other => bail!("there is no bench {other:?}; there are {}", NAMES.join(", ")),
        }
    }
    Ok(())
}
