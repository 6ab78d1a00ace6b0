//! `roadstead`: server, agent, and a command for every noun, in one binary.
//!
//! Each noun has a file with its verbs; what the nouns share is in `list`, `run`, `session` and `output`. Commands
//! hand back an [`Exit`] or an [`Error`]; only this file turns them into an exit status.

mod activity;
mod agent;
mod agent_file;
mod agent_log;
mod agent_machine;
mod agent_process;
mod alarm;
mod api_key;
mod args;
mod audit;
mod backend;
mod backup;
mod backup_configuration;
mod browser_session;
mod check;
mod cleanup;
mod command;
mod confirm;
mod csv;
mod error;
mod event;
mod file;
mod human;
mod image;
mod job;
mod key;
mod key_machine;
mod list;
mod location;
mod log;
mod login;
mod machine;
mod mail_settings;
mod man;
mod metric;
mod name;
mod network;
mod notification_channel;
mod output;
mod profile;
mod progress;
mod provider;
mod quota;
mod restore;
mod restore_configuration;
mod run;
mod run_error;
mod runtime;
mod saved_view;
mod secret;
mod server;
mod server_state;
mod session;
mod setup;
mod shell;
mod shutdown;
mod size;
mod table;
mod up;
mod user;
mod vault;
mod vault_password;
mod vault_task;

use std::{env, process::ExitCode};

use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use crate::{
    args::{Cli, Command},
    error::{Error, Exit, Result},
    output::{Format, Output},
    session::Session,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error),
    };
    let output = cli.globals.output();
    match carry_out(cli) {
        Ok(exit) => exit.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            error.exit_code()
        }
    }
}

fn carry_out(cli: Cli) -> Result<Exit> {
    let Cli { globals, command } = cli;
    let output = globals.output();
    match command {
        Command::Server(args) => server::run(*args, output),
        Command::Agent { command } => agent_process::run(command, &globals),
        Command::Completions { shell } => completions(shell, output),
        Command::Man(args) => man::run(&args, Cli::command(), output),
        Command::Up(args) => runtime::finish(up::run(args, output))?,
        Command::Login(args) => runtime::finish(login::run(args, &globals))?,
        noun => runtime::finish(ask(noun, &globals.session()?))?,
    }
}

/// The nouns that the server is asked about.
async fn ask(command: Command, session: &Session) -> Result<Exit> {
    match command {
        Command::Providers { command } => provider::run(command, session).await,
        Command::Backends { command } => backend::run(*command, session).await,
        Command::Images { command } => image::run(command, session).await,
        Command::Sizes { command } => size::run(command, session).await,
        Command::Locations { command } => location::run(command, session).await,
        Command::Networks { command } => network::run(command, session).await,
        Command::Run(args) => command::order(session, *args).await,
        Command::Ssh(args) => shell::run(session, args).await,
        Command::Commands { command } => command::run(command, session).await,
        Command::Jobs { command } => job::run(command, session).await,
        Command::Machines { command } => machine::run(*command, session).await,
        Command::Agents { command } => agent::run(command, session).await,
        Command::BackupConfigurations { command } => backup_configuration::run(command, session).await,
        Command::Backups { command } => backup::run(command, session).await,
        Command::RestoreConfigurations { command } => restore_configuration::run(command, session).await,
        Command::Restores { command } => restore::run(command, session).await,
        Command::Activity { command } => activity::run(command, session).await,
        Command::Vaults { command } => vault::run(command, session).await,
        Command::Keys { command } => key::run(command, session).await,
        Command::ApiKeys { command } => api_key::run(command, session).await,
        Command::Sessions { command } => browser_session::run(command, session).await,
        Command::SavedViews { command } => saved_view::run(command, session).await,
        Command::Setup { command } => setup::run(command, session).await,
        Command::Users { command } => user::run(command, session).await,
        Command::Audit { command } => audit::run(command, session).await,
        Command::Quotas { command } => quota::run(command, session).await,
        Command::MailSettings { command } => mail_settings::run(command, session).await,
        Command::NotificationChannels { command } => notification_channel::run(command, session).await,
        Command::Alarms { command } => alarm::run(command, session).await,
        Command::Events(args) => event::run(args, session).await,
        Command::Server(_)
        | Command::Agent { .. }
        | Command::Up(_)
        | Command::Login(_)
        | Command::Man(_)
        | Command::Completions { .. } => Err(Error::usage("this command asks no server")),
    }
}

fn completions(shell: Shell, output: Output) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "roadstead", &mut script);
    output.bytes(&script)?;
    Ok(Exit::Done)
}

/// Help and version are no errors. Programs get the others as a problem body: what they asked for is looked up by
/// hand, since nothing was parsed.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let wants_json =
        arguments.windows(2).any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
            || arguments
                .iter()
                .any(|argument| matches!(argument.as_str(), "-ojson" | "-o=json" | "--output=json"));
    if error.use_stderr() && wants_json {
        let text = error.to_string();
        let text = text.trim().trim_start_matches("error: ");
        Output::new(Format::Json).error(&Error::usage(text));
    } else {
        // Nobody is left to tell where this fails.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
