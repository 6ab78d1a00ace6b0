//! `build` and `up`.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::{Result, bail};

use crate::{
    command::{cargo, run as run_command, target_dir},
    page,
};

/// `cargo xtask build [--release]`: the page, and the binary with it. For a release the manual pages are written, too.
pub fn run(arguments: &[String]) -> Result<()> {
    let release = match arguments {
        [] => false,
        [flag] if flag == "--release" => true,
        _ => bail!("build takes --release, or nothing"),
    };
    page::build()?;
    binary(release)?;
    let folder = if release { "release" } else { "debug" };
    let folder = target_dir().join(folder);
    let program = folder.join("roadstead");
    if release {
        run_command(Command::new(&program).arg("man").arg("--dir").arg(folder.join("man1")))?;
    }
    println!("built {}", program.display());
    Ok(())
}

/// Builds the binary.
pub fn binary(release: bool) -> Result<()> {
    let mut command = cargo(&["build", "--locked", "--package", "roadstead-cli"]);
    if release {
        command.arg("--release");
    }
    run_command(&mut command)
}

/// `cargo xtask up [...]`: builds, and becomes `roadstead up`, so that Ctrl-C and exit status are its own.
pub fn up(arguments: &[String]) -> Result<()> {
    page::build()?;
    binary(false)?;
    let error = Command::new(target_dir().join("debug/roadstead")).arg("up").args(arguments).exec();
    Err(error.into())
}
