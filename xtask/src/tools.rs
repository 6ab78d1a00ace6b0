//! What the tests need beside Rust, installed when it is not there.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{cargo, run, works};

/// The cargo-deny that the tests were last seen to pass with.
const CARGO_DENY: &str = "0.20.2";

/// Installs Debian packages.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    if !works("apt-get", "--version") {
        bail!("the tests need {}; install them and try again", packages.join(", "));
    }
    println!("installing {}", packages.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.args(["-qq", "-o", "DPkg::Lock::Timeout=600"]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

/// Installs the Debian packages whose programs are not there.
pub fn apt_programs(programs: &[(&str, &str, &str)]) -> Result<()> {
    let missing: Vec<&str> = programs
        .iter()
        .filter(|(program, flag, _)| !works(program, flag))
        .map(|(_, _, package)| *package)
        .collect();
    if missing.is_empty() { Ok(()) } else { apt_install(&missing) }
}

/// Installs cargo-deny.
pub fn cargo_deny() -> Result<()> {
    if works("cargo-deny", "--version") {
        return Ok(());
    }
    run(&mut cargo(&["install", "--locked", "cargo-deny", "--version", CARGO_DENY]))
}
