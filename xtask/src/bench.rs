//! `bench`: ours and the rivals side by side in one run. These machines are noisy, so what counts are the ratios.

mod backup;
mod fleet;
mod hosts;
mod measure;
mod page;
mod rest;
mod rivals;
mod sets;
mod start;

use anyhow::{Result, bail};

use sets::{million, sets};

/// What can be measured.
const NAMES: [&str; 11] = [
    "start",
    "fleet",
    "hosts",
    "backup",
    "backup-small",
    "backup-large",
    "backup-quick",
    "backup-million",
    "rest",
    "rest-quick",
    "page",
];

/// Which build is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    /// The one that people run.
    Release,
    /// The one of development, where `fleet` and `hosts` can do with an upper bound: it takes a fraction of the time.
    Dev,
}

impl Profile {
    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }
}

/// `cargo xtask bench [--dev] [NAME...]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let dev = arguments.first().is_some_and(|first| first == "--dev");
    let (profile, names) = if dev { (Profile::Dev, &arguments[1..]) } else { (Profile::Release, arguments) };
    if let Some(other) = names.iter().find(|name| dev && !["fleet", "hosts"].contains(&name.as_str())) {
        bail!("--dev is for fleet and hosts, not for {other:?}");
    }
    if dev && names.is_empty() {
        bail!("--dev takes the names of what is measured: fleet, hosts");
    }
    let all = ["start", "fleet", "hosts", "backup", "rest"].map(str::to_owned);
    for name in if names.is_empty() { &all[..] } else { names } {
        match name.as_str() {
            "start" => start::run()?,
            "page" => page::run()?,
            "fleet" => fleet::run(profile)?,
            "hosts" => hosts::run(profile)?,
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
