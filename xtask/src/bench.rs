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
const NAMES: [&str; 10] = [
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

/// `cargo xtask bench [NAME...]`.
pub fn run(names: &[String]) -> Result<()> {
    let all = ["start", "fleet", "hosts", "backup", "rest"].map(str::to_owned);
    for name in if names.is_empty() { &all[..] } else { names } {
        match name.as_str() {
            "start" => start::run()?,
            "page" => page::run()?,
            "fleet" => fleet::run()?,
            "hosts" => hosts::run()?,
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
