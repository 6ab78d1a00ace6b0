//! `roadstead agent`: enrols this machine's agent, runs it, and, hidden, runs one job of it.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use roadstead_agent::{EnrollOptions, Enrollment, JobCommand, Reconnect, RunOptions};
use serde::Serialize;

use crate::{
    error::{Error, Exit, Result},
    log, runtime, secret,
    session::Globals,
    shutdown::Shutdown,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum AgentProcessCommand {
    /// Make this machine's agent known to a server, and print the fingerprint of its key.
    #[command(
        after_help = "`roadstead agents token` makes the token, which says by which certificate the agent shall know its \
                      server. Where that is one by a CA that is not public, name it with --ca-file.\n\nExample:\n  roadstead agent enroll --server \
                            http://127.0.0.1:7643 --token-file token --data-dir /var/lib/roadstead-agent"
    )]
    Enroll(EnrollArgs),
    /// Show which agent this machine has, and whose it is.
    #[command(after_help = "Example:\n  roadstead agent show --data-dir /var/lib/roadstead-agent")]
    Show {
        /// The agent's folder.
        #[arg(long, value_name = "FOLDER")]
        data_dir: PathBuf,
    },
    /// Run the agent.
    #[command(after_help = "Example:\n  roadstead agent run --data-dir /var/lib/roadstead-agent")]
    Run {
        /// The agent's folder.
        #[arg(long, value_name = "FOLDER")]
        data_dir: PathBuf,
        /// End when standard input does.
        #[arg(long, hide = true)]
        with_parent: bool,
    },
    /// Run one job; the agent starts this itself.
    #[command(hide = true)]
    RunJob,
}

/// What to enrol, and where.
#[derive(Args, Debug)]
pub struct EnrollArgs {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    server: String,
    /// The enrolment token.
    #[arg(long, required_unless_present = "token_file", conflicts_with = "token_file")]
    token: Option<String>,
    /// A file that holds the enrolment token, or - for standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// The agent's folder; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// The HTTP proxy to reach the server through, from now on, such as http://proxy:3128; what HTTPS_PROXY and NO_PROXY say
    /// at each start when absent. With a user and a password better @FILE, or - for standard input.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// The agent's name; the machine's host name when absent.
    #[arg(long)]
    name: Option<String>,
}

#[derive(Serialize)]
struct Enrolled {
    agent_id: i64,
    name: String,
    server: String,
    vault_id: String,
    fingerprint: String,
}

/// Carries out a verb.
pub fn run(command: AgentProcessCommand, globals: &Globals) -> Result<Exit> {
    match command {
        AgentProcessCommand::Enroll(args) => enroll(args, globals),
        AgentProcessCommand::Show { data_dir } => {
            let known = roadstead_agent::enrolled(data_dir);
            print(known.map_err(|e| Error::local("there is no agent to show").caused_by(e))?, globals)
        }
        AgentProcessCommand::Run { data_dir, with_parent } => keep_running(data_dir, with_parent),
        AgentProcessCommand::RunJob => {
            log::start();
            roadstead_agent::run_job().map_err(|e| Error::local("the job failed").caused_by(e))?;
            Ok(Exit::Done)
        }
    }
}

fn enroll(args: EnrollArgs, globals: &Globals) -> Result<Exit> {
    let token = match (args.token, args.token_file) {
        (Some(token), _) => token,
        (None, Some(file)) => secret::from_file("the enrolment token", &file)?,
        (None, None) => return Err(Error::usage("give --token or --token-file")),
    };
    let ca_pem = globals.ca_file.as_ref().map(|path| {
        let failed = || format!("cannot read the CA certificates in {}", path.display());
        fs::read_to_string(path).map_err(|e| Error::local(failed()).caused_by(e))
    });
    let proxy = args.proxy.map(|argument| secret::value_of("the proxy", &argument)).transpose()?;
    let options = EnrollOptions {
        server: args.server,
        token,
        data_dir: args.data_dir,
        name: args.name,
        ca_pem: ca_pem.transpose()?,
        proxy,
    };
    let enrolled = runtime::finish(roadstead_agent::enroll(options))?;
    let enrolled = enrolled.map_err(|e| Error::local("this agent was not enrolled").caused_by(e))?;
    print(enrolled, globals)
}

fn print(enrolled: Enrollment, globals: &Globals) -> Result<Exit> {
    globals.output().object(&Enrolled {
        agent_id: enrolled.agent_id.0,
        name: enrolled.name,
        server: enrolled.server,
        vault_id: enrolled.vault_id.0,
        fingerprint: enrolled.fingerprint,
    })?;
    Ok(Exit::Done)
}

fn keep_running(data_dir: PathBuf, with_parent: bool) -> Result<Exit> {
    let log = log::start_for_agent();
    let job_command =
        JobCommand::this_program().map_err(|e| Error::local("cannot find this program").caused_by(e))?;
    let options = RunOptions { data_dir, job_command, reconnect: Reconnect::default(), log };
    runtime::finish(async {
        let mut shutdown = if with_parent { Shutdown::by_signal_or_parent() } else { Shutdown::by_signal() }?;
        let ran = roadstead_agent::run(options, async move { shutdown.requested().await }).await;
        ran.map_err(|e| Error::local("the agent failed").caused_by(e))
    })??;
    Ok(Exit::Done)
}
