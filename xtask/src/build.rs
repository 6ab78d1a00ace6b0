//! `build` and `up`.

use std::{fs, os::unix::process::CommandExt, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    command::{cargo, run as run_command, target_dir},
    page,
};

/// Leaves out what SQLite has for searching texts and places, which a release does without to be smaller.
const WITHOUT_SEARCH: &str =
    "-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE";

/// `cargo xtask build [--release]`: the page, and the binary with it. For a release the manual pages are written, too.
pub fn run(arguments: &[String]) -> Result<()> {
    let release = match arguments {
        [] => false,
        [flag] if flag == "--release" => true,
        _ => bail!("build takes --release, or nothing"),
    };
    page::build()?;
    binary(release)?;
    let folder = target_dir().join(if release { "release" } else { "debug" });
    let program = folder.join("roadstead");
    if release {
        run_command(Command::new(&program).arg("man").arg("--dir").arg(folder.join("man1")))?;
    }
    println!("built {}", program.display());
    Ok(())
}

/// Builds the binary. A release depends on no library of the machine that it runs on, where that can be: servers send it to
/// any machine of their architecture, whatever it has.
pub fn binary(release: bool) -> Result<()> {
    let mut command = cargo(&["build", "--locked", "--package", "roadstead-cli"]);
    if !release {
        return run_command(&mut command);
    }
    command.arg("--release").env("LIBSQLITE3_FLAGS", WITHOUT_SEARCH);
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return run_command(&mut command);
    }
    // With a target named, the flags are those of the binary and not of what is run while it is built.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    flags.push_str(" -C target-feature=+crt-static");
    run_command(command.args(["--target", &target]).env("RUSTFLAGS", flags.trim()))?;
    let built = target_dir().join(target).join("release/roadstead");
    require_static(&built)?;
    let folder = target_dir().join("release");
    fs::create_dir_all(&folder)?;
    let new = folder.join("roadstead.new");
    fs::copy(&built, &new)?;
    fs::rename(&new, folder.join("roadstead"))?;
    Ok(())
}

/// Refuses a program that wants a loader: it would run only where that and its libraries are.
fn require_static(program: &Path) -> Result<()> {
    if interpreter(&fs::read(program)?).context("what was built is no program")? {
        bail!("{} is linked dynamically", program.display());
    }
    Ok(())
}

/// Whether an ELF file of 64 bits names an interpreter, which is its loader.
fn interpreter(file: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(file.get(at..at.checked_add(bytes)?)?);
        Some(u64::from_le_bytes(number))
    };
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let at = usize::try_from(offset.checked_add(index.checked_mul(size)?)?).ok()?;
        if number(at, 4)? == u64::from(PT_INTERP) {
            return Some(true);
        }
    }
    Some(false)
}

/// `cargo xtask up [...]`: builds, and becomes `roadstead up`, so that Ctrl-C and exit status are its own.
pub fn up(arguments: &[String]) -> Result<()> {
    page::build()?;
    binary(false)?;
    let error = Command::new(target_dir().join("debug/roadstead")).arg("up").args(arguments).exec();
    Err(error.into())
}

#[cfg(test)]
mod tests {
    use super::interpreter;

    #[test]
    fn programs_with_a_loader_are_told_from_those_without() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(interpreter(&own), Some(!cfg!(target_feature = "crt-static")));
        let mut alone = own;
        alone[56..58].copy_from_slice(&[0, 0]);
        assert_eq!(interpreter(&alone), Some(false));
        assert_eq!(interpreter(b"#!/bin/sh"), None);
        assert_eq!(interpreter(&alone[..40]), None);
    }
}
