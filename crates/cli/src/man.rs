//! `roadstead man`: a manual page for each command.

use std::{fs, path::PathBuf};

use clap::{Args, Command};

use crate::{
    error::{Error, Exit, Result},
    output::Output,
};

/// Where to write them.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  roadstead man --dir /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The folder; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
}

/// Writes the pages.
pub fn run(args: &ManArgs, command: Command, output: Output) -> Result<Exit> {
    let cannot = |e| Error::local(format!("cannot write to {}", args.dir.display())).caused_by(e);
    fs::create_dir_all(&args.dir).map_err(cannot)?;
    clap_mangen::generate_to(command, &args.dir).map_err(cannot)?;
    output.say(&format!("Written to {}; read them with `man -l FILE`.", args.dir.display()));
    Ok(Exit::Done)
}
