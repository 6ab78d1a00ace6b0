//! How the databases of this machine are reached, as its policy says: by which programs, as whom, and where.

use std::{env, path::PathBuf, process::Command};

use serde::Deserialize;

/// How to reach the machine's databases of one kind: a part of `policy.toml`.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reach {
    /// The user of the system that the program runs as; the agent's own when absent.
    pub run_as: Option<String>,
    /// The user of the database.
    pub user: Option<String>,
    /// The server's name, or the folder (PostgreSQL) or file (MySQL) of its socket: a path then.
    pub host: Option<String>,
    /// The server's port.
    pub port: Option<u16>,
    /// The file that holds the password, in the program's own form: a passfile, or an option file.
    pub password_file: Option<PathBuf>,
    /// The folder of the programs; they are looked for in `PATH` when absent.
    pub programs: Option<PathBuf>,
}

impl Reach {
    /// One of the programs.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.as_ref().map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
    }

    /// The first of these programs that is there, or else the first.
    pub fn first_program(&self, names: &[&str]) -> Command {
        let folders: Vec<PathBuf> = match &self.programs {
            Some(folder) => vec![folder.clone()],
            None => env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default(),
        };
        let is_there = |name: &&&str| folders.iter().any(|folder| folder.join(name).is_file());
        self.program(names.iter().find(is_there).or(names.first()).copied().unwrap_or_default())
    }
}
