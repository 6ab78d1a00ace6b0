//! `bench`: ours and the rivals side by side in one run. These machines are noisy, so what counts are the ratios.

mod backup;
mod measure;
mod start;

use anyhow::{Result, bail};

/// `cargo xtask bench [NAME...]`.
pub fn run(names: &[String]) -> Result<()> {
    let all = ["start".to_owned(), "backup".to_owned()];
    for name in if names.is_empty() { &all[..] } else { names } {
        match name.as_str() {
            "start" => start::run()?,
            "backup" => backup::run()?,
            other => bail!("there is no bench {other:?}; there are start and backup"),
        }
    }
    Ok(())
}
