//! `roadstead server backup` and `server restore`: the server's own state, as a file.

use std::path::PathBuf;

use clap::Args;
use roadstead_server::{ServerOptions, StateSummary};
use serde::Serialize;

use crate::{
    error::{Error, Exit, Result},
    output::Output,
    runtime, secret,
};

/// The shortest password that a backup is sealed with, in characters.
const SHORTEST: usize = 12;

/// The file and its password.
#[derive(Args, Debug)]
pub struct StateArgs {
    /// The file.
    file: PathBuf,
    /// The password that seals the backup: @FILE, or - for standard input; asked for on the terminal when absent.
    #[arg(long, value_name = "@FILE|-")]
    password: Option<String>,
}

/// What is printed.
#[derive(Serialize)]
struct Done {
    file: String,
    tables: u64,
    rows: u64,
    files: u64,
}

impl Done {
    fn new(args: &StateArgs, summary: StateSummary) -> Self {
        let StateSummary { tables, rows, files } = summary;
        Self { file: args.file.display().to_string(), tables, rows, files }
    }
}

/// Writes the server's state to a file.
pub fn backup(args: &StateArgs, options: &ServerOptions, output: Output) -> Result<Exit> {
    let password = match &args.password {
        Some(argument) => secret::unseen("the password", argument)?,
        None => {
            let password = secret::ask("Password for the backup: ", secret::PASSWORD_FLAG)?;
            if secret::ask("Once more: ", secret::PASSWORD_FLAG)? != password {
                return Err(Error::usage("the two passwords differ"));
            }
            password
        }
    };
    if password.chars().count() < SHORTEST {
        return Err(Error::usage(format!("the password of a backup has {SHORTEST} characters or more")));
    }
    let made = runtime::finish(roadstead_server::backup_state(options, &args.file, &password))?;
    let made = made.map_err(|e| Error::local("no backup was made").caused_by(e))?;
    output.object(&Done::new(args, made))?;
    output.say(
        "The file holds the database, master.key, which opens the vaults, and tls/: keep it and its password apart. \
         It does not hold the vaults themselves; copy their folder, too.",
    );
    Ok(Exit::Done)
}

/// Makes a server's state from a file.
pub fn restore(args: &StateArgs, options: &ServerOptions, output: Output) -> Result<Exit> {
    let password = match &args.password {
        Some(argument) => secret::unseen("the password", argument)?,
        None => secret::ask("Password of the backup: ", secret::PASSWORD_FLAG)?,
    };
    let made = runtime::finish(roadstead_server::restore_state(options, &args.file, &password))?;
    let made = made.map_err(|e| Error::local("nothing was restored").caused_by(e))?;
    output.object(&Done::new(args, made))?;
    output.say(&format!(
        "Put the vaults' folder at {}, and start the server under its old address: the agents come back by themselves.",
        options.data_dir.join("vaults").display()
    ));
    Ok(Exit::Done)
}
