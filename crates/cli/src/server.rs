//! `roadstead server`: runs the server, and, hidden, the child processes that work on its vaults.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use roadstead_server::{DatabaseUrl, ServerOptions, WorkerCommand};

use crate::{
    error::{Error, Exit, Result},
    log,
    output::Output,
    runtime,
    shutdown::Shutdown,
};

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7643);

/// What to do.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Prints \"listening on URL\" when it is ready. The first start writes admin.json, with the way in, to \
                  the data folder.\n\nExample:\n  roadstead server --data-dir /var/lib/roadstead"
)]
pub struct ServerArgs {
    #[command(subcommand)]
    command: Option<ServerCommand>,
    #[command(flatten)]
    run: Option<RunArgs>,
}

#[derive(Subcommand, Debug)]
enum ServerCommand {
    /// Work on a vault; the server starts this itself.
    #[command(hide = true)]
    VaultWork,
}

#[derive(Args, Debug)]
struct RunArgs {
    /// Where everything is kept; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// What clients and agents call the server; the listen address when absent.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The PostgreSQL database to use (postgres://...), also as ROADSTEAD_DATABASE, where no other process sees its
    /// password; without it, one is kept in the data folder.
    #[arg(long, value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// End when standard input does.
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// Carries out what was asked for.
pub fn run(args: ServerArgs, output: Output) -> Result<Exit> {
    match (args.command, args.run) {
        (Some(ServerCommand::VaultWork), _) => {
            roadstead_server::vault_work()
                .map_err(|e| Error::local("the work on the vault failed").caused_by(e))?;
            Ok(Exit::Done)
        }
        (None, Some(args)) => serve(args, output),
        (None, None) => Err(Error::usage("the server needs --data-dir")),
    }
}

fn serve(args: RunArgs, output: Output) -> Result<Exit> {
    log::start();
    let options = ServerOptions {
        public_url: args.public_url,
        database: args.database.map_or_else(database_of_environment, |url| Ok(Some(url)))?,
        ..ServerOptions::new(args.data_dir, args.listen, worker()?)
    };
    runtime::many()?.block_on(async {
        let mut shutdown =
            if args.with_parent { Shutdown::by_signal_or_parent() } else { Shutdown::by_signal() }?;
        let ready = move |address: SocketAddr| {
            if let Err(error) = output.text(&format!("listening on http://{address}")) {
                output.error(&error);
            }
        };
        let served = roadstead_server::run(options, ready, async move { shutdown.requested().await }).await;
        served.map_err(|e| Error::local("the server failed").caused_by(e))
    })?;
    Ok(Exit::Done)
}

/// Not left to the parser of arguments: a variable that is set would count as an argument of every other command here.
fn database_of_environment() -> Result<Option<DatabaseUrl>> {
    let Some(url) = env::var_os("ROADSTEAD_DATABASE").filter(|url| !url.is_empty()) else { return Ok(None) };
    let wrong = || Error::usage("ROADSTEAD_DATABASE is no URL of a PostgreSQL database");
    url.to_str().and_then(|url| url.parse().ok()).map(Some).ok_or_else(wrong)
}

/// This very program, as the one that works on vaults.
fn worker() -> Result<WorkerCommand> {
    let program = env::current_exe().map_err(|e| Error::local("cannot find this program").caused_by(e))?;
    Ok(WorkerCommand { program, arguments: vec!["server".into(), "vault-work".into()] })
}
