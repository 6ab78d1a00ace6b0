//! The command line: `roadstead [global options] NOUN VERB`.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    agent::AgentCommand, agent_process::AgentProcessCommand, api_key::ApiKeyCommand, backup::BackupCommand,
    backup_configuration::BackupConfigurationCommand, login::LoginArgs, provider::ProviderCommand,
    restore::RestoreCommand, server::ServerArgs, session::Globals, up::UpArgs, vault::VaultCommand,
};

/// Keeps every machine you own in one place, and a copy of everything on it that you can get back.
#[derive(Parser, Debug)]
#[command(
    name = "roadstead",
    version,
    after_help = "Exit status: 0 done, 1 error, 2 wrong usage, 3 done with errors (some files unreadable).\n\nExample:\n  \
                  roadstead up --once\n  roadstead login http://127.0.0.1:7643\n  roadstead agents list -o json"
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A noun, or one of the few commands without one.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the server.
    Server(ServerArgs),
    /// Run the agent: the process on a machine that backs it up.
    Agent {
        /// The verb.
        #[command(subcommand)]
        command: AgentProcessCommand,
    },
    /// Start a server and an agent here, back this machine up, restore it aside, and prove that all is there.
    Up(UpArgs),
    /// Sign in to a server, and keep a profile for the other commands.
    #[command(after_help = "Example:\n  roadstead login http://127.0.0.1:7643 --username admin")]
    Login(LoginArgs),
    /// The kinds of backend that the server can add.
    Providers {
        /// The verb.
        #[command(subcommand)]
        command: ProviderCommand,
    },
    /// The agents that the server knows, and how to enrol one.
    Agents {
        /// The verb.
        #[command(subcommand)]
        command: AgentCommand,
    },
    /// What is backed up, and when.
    BackupConfigurations {
        /// The verb.
        #[command(subcommand)]
        command: BackupConfigurationCommand,
    },
    /// Runs of a backup configuration.
    Backups {
        /// The verb.
        #[command(subcommand)]
        command: BackupCommand,
    },
    /// Files of a backup written to a path on an agent's machine.
    Restores {
        /// The verb.
        #[command(subcommand)]
        command: RestoreCommand,
    },
    /// The repositories that hold backup data, and the files in them.
    Vaults {
        /// The verb.
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// What programs sign in with.
    ApiKeys {
        /// The verb.
        #[command(subcommand)]
        command: ApiKeyCommand,
    },
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  roadstead completions bash > /etc/bash_completion.d/roadstead")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}
