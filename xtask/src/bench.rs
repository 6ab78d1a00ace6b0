//! `bench`: ours and the rivals side by side in one run. These machines are noisy, so what counts are the ratios.

mod backup;
mod fleet;
mod measure;
mod rivals;
mod start;

use anyhow::{Result, bail};

/// `cargo xtask bench [NAME...]`.
pub fn run(names: &[String]) -> Result<()> {
    let all = ["start", "fleet", "backup"].map(str::to_owned);
    for name in if names.is_empty() { &all[..] } else { names } {
        match name.as_str() {
            "start" => start::run()?,
            "fleet" => fleet::run()?,
            "backup" => backup::run(1)?,
            "backup-quick" => backup::run(10)?,
            other => bail!("there is no bench {other:?}; there are start, fleet, backup and backup-quick"),
        }
    }
    Ok(())
}
