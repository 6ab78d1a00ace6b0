//! `roadstead server`: runs the server, says what its settings come to, backs its own state up, and, hidden, is the child processes that work
//! on its vaults.

use std::{
    collections::BTreeMap,
    env,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use roadstead_server::{CONFIG_VARIABLE, Origin, ServerOptions, Settings, WorkerCommand};
use rustix::fs::Mode;
use serde::Serialize;

use crate::{
    error::{Error, Exit, Result},
    log,
    output::Output,
    runtime,
    server_state::{self, StateArgs},
    shutdown::Shutdown,
};

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7643);

/// What to do.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Prints \"listening on URL\" when it is ready. The first start writes admin.json, with the way in, to \
                  the data folder. Beyond loopback it speaks TLS, with a certificate by a CA of its own (tls/ca.pem in \
                  the data folder) or the one given.\n\nEach setting is also read from the configuration file \
                  (data_dir = \"...\"), and from the environment (ROADSTEAD_SERVER_DATA_DIR), which comes before the \
                  file; flags come first.\n\nExample:\n  roadstead server --data-dir /var/lib/roadstead\n  roadstead \
                  server --data-dir /var/lib/roadstead --listen 0.0.0.0:7643 --public-url https://backup.example.com:7643"
)]
pub struct ServerArgs {
    #[command(subcommand)]
    command: Option<ServerCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand, Debug)]
enum ServerCommand {
    /// Work on a vault; the server starts this itself.
    #[command(hide = true)]
    VaultWork,
    /// Give a user a new password, and print it. Works whether or not the server runs.
    #[command(after_help = "Example:\n  roadstead server reset-password admin --data-dir /var/lib/roadstead")]
    ResetPassword {
        /// The user's name.
        username: String,
        #[command(flatten)]
        settings: Box<SettingArgs>,
    },
    /// Write the server's own state to a file, sealed with a password. Works whether or not the server runs.
    #[command(
        after_help = "The file holds the database, master.key and tls/: all that a server needs to go on, but for the \
                      vaults, whose folder is copied as it is. Who has the file and its password can open every managed \
                      vault.\n\nExample:\n  roadstead server backup /backup/roadstead-$(date +%F) --data-dir \
                      /var/lib/roadstead --password @/etc/roadstead/backup-password"
    )]
    Backup {
        #[command(flatten)]
        state: StateArgs,
        #[command(flatten)]
        settings: Box<SettingArgs>,
    },
    /// Make a server's state anew in an empty data folder, from what `server backup` wrote.
    #[command(
        after_help = "The data folder may hold vaults, and nothing else. With --database the rows go there: so a server \
                      moves from its own database to PostgreSQL, and back.\n\nExample:\n  roadstead server restore \
                      /backup/roadstead-2026-11-01 --data-dir /var/lib/roadstead"
    )]
    Restore {
        #[command(flatten)]
        state: StateArgs,
        #[command(flatten)]
        settings: Box<SettingArgs>,
    },
    /// The server's settings.
    Config {
        /// The verb.
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Subcommand, Debug)]
enum ConfigCommand {
    /// Say which settings are in force, where each comes from, and what is wrong with them.
    #[command(
        after_help = "Exit status: 0 when a server can be started so, 1 when not.\n\nExample:\n  roadstead server \
                      config check --config /etc/roadstead/server.toml"
    )]
    Check(Box<SettingArgs>),
}

#[derive(Args, Debug)]
struct RunArgs {
    #[command(flatten)]
    settings: SettingArgs,
    /// End when standard input does.
    #[arg(long, hide = true)]
    with_parent: bool,
}

#[derive(Args, Debug)]
struct SettingArgs {
    /// The configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Where to listen: 127.0.0.1:7643 when absent. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// What clients and agents call the server; the listen address when absent.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Speak TLS also on loopback.
    #[arg(long)]
    tls: bool,
    /// A certificate to show, with those between it and its CA, in PEM; read again at SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<String>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<String>,
    /// The PostgreSQL database to use (postgres://...), better as ROADSTEAD_SERVER_DATABASE, where no other process sees
    /// its password; without it, one is kept in the data folder.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where backup data is stored: local, which is the data folder, or a bucket as
    /// s3://BUCKET/PREFIX?region=REGION&endpoint=URL, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(long, value_name = "URL")]
    vault_store: Option<String>,
    /// Refuse backends at loopback and private addresses.
    #[arg(long)]
    deny_private: bool,
}

/// What `config check` prints.
#[derive(Serialize)]
struct Checked {
    settings: BTreeMap<&'static str, CheckedSetting>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct CheckedSetting {
    value: Option<String>,
    from: &'static str,
}

/// Carries out what was asked for. What it writes is for its own user alone: the data folder holds hashes of passwords,
/// sealed secrets and the vaults, whoever has made it.
pub fn run(args: ServerArgs, output: Output) -> Result<Exit> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    match args.command {
        Some(ServerCommand::VaultWork) => {
            roadstead_server::vault_work()
                .map_err(|e| Error::local("the work on the vault failed").caused_by(e))?;
            Ok(Exit::Done)
        }
        Some(ServerCommand::Config { command: ConfigCommand::Check(args) }) => check(&args, output),
        Some(ServerCommand::ResetPassword { username, settings }) => {
            reset_password(&username, &settings, output)
        }
        Some(ServerCommand::Backup { state, settings }) => {
            server_state::backup(&state, &settings.options()?, output)
        }
        Some(ServerCommand::Restore { state, settings }) => {
            server_state::restore(&state, &settings.options()?, output)
        }
        None => serve(&args.run, output),
    }
}

impl SettingArgs {
    /// The environment is not left to the parser of arguments: a variable that is set would count as an argument of
    /// every other command here.
    fn gather(&self) -> Settings {
        let flags = [
            ("data_dir", self.data_dir.clone()),
            ("listen", self.listen.map(|address| address.to_string())),
            ("public_url", self.public_url.clone()),
            ("tls", self.tls.then(|| "true".to_owned())),
            ("tls_cert", self.tls_cert.clone()),
            ("tls_key", self.tls_key.clone()),
            ("database", self.database.clone()),
            ("vault_store", self.vault_store.clone()),
            ("deny_private", self.deny_private.then(|| "true".to_owned())),
        ];
        let environment = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        // What is not UTF-8 is no value of any setting, and is told as the odd text that it is.
        let environment = environment.map(|(name, value)| (name, value.to_string_lossy().into_owned()));
        let file = self.config.clone().or_else(|| env::var_os(CONFIG_VARIABLE).map(PathBuf::from));
        Settings::gather(flags, environment, file.as_deref())
    }
}

impl SettingArgs {
    /// The settings, if a server can be started so.
    fn options(&self) -> Result<ServerOptions> {
        self.gather().options(worker()?).map_err(|problems| Error::usage(problems.join(" ")))
    }
}

fn check(args: &SettingArgs, output: Output) -> Result<Exit> {
    let settings = args.gather();
    let problems = settings.options(worker()?).err().unwrap_or_default();
    let in_force = settings.in_force().into_iter().map(|setting| {
        let from = match setting.origin {
            Origin::Default => "default",
            Origin::File => "file",
            Origin::Environment => "environment",
            Origin::Flag => "flag",
        };
        (setting.name, CheckedSetting { value: setting.value, from })
    });
    let checked = Checked { settings: in_force.collect(), problems };
    if output.is_for_people() {
        for (name, CheckedSetting { value, from }) in &checked.settings {
            output.text(&format!("{name} = {}  ({from})", value.as_deref().unwrap_or("-")))?;
        }
        checked.problems.iter().for_each(|problem| output.say(problem));
    } else {
        output.object(&checked)?;
    }
    Ok(if checked.problems.is_empty() { Exit::Done } else { Exit::NotDone })
}

/// What it prints.
#[derive(Serialize)]
struct NewPassword<'a> {
    username: &'a str,
    password: String,
}

fn reset_password(username: &str, args: &SettingArgs, output: Output) -> Result<Exit> {
    let options = args.options()?;
    if !options.data_dir.exists() {
        return Err(Error::usage(format!("there is no server in {}", options.data_dir.display())));
    }
    let password = runtime::finish(roadstead_server::reset_password(&options, username))?;
    let password = password.map_err(|e| Error::local("the password was not changed").caused_by(e))?;
    output.object(&NewPassword { username, password })?;
    Ok(Exit::Done)
}

fn serve(args: &RunArgs, output: Output) -> Result<Exit> {
    log::start();
    let options = args.settings.options()?;
    runtime::many()?.block_on(async {
        let mut shutdown =
            if args.with_parent { Shutdown::by_signal_or_parent() } else { Shutdown::by_signal() }?;
        let ready = move |url: &str| {
            if let Err(error) = output.text(&format!("listening on {url}")) {
                output.error(&error);
            }
        };
        let served = roadstead_server::run(options, ready, async move { shutdown.requested().await }).await;
        served.map_err(|e| Error::local("the server failed").caused_by(e))
    })?;
    Ok(Exit::Done)
}

/// This very program, as the one that works on vaults.
fn worker() -> Result<WorkerCommand> {
    let program = env::current_exe().map_err(|e| Error::local("cannot find this program").caused_by(e))?;
    Ok(WorkerCommand { program, arguments: vec!["server".into(), "vault-work".into()] })
}
