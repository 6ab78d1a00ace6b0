//! `roadstead up`: a server and an agent on this machine, a real backup, and the proof that it can be restored.
//!
//! The server and the agent are processes of their own, as they are in earnest. They end when their standard input
//! closes, so they never outlive this one, whatever ends it.

mod child;
mod compare;
mod proof;
mod system;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::{
    error::{Error, Exit, Result},
    output::Output,
    shutdown::Shutdown,
    up::system::System,
};

/// How to come up.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Running it again on the same folder makes another backup, and proves that one.\n\nExample:\n  \
                        roadstead up --once\n  roadstead up --include /etc /home/ann"
)]
pub struct UpArgs {
    /// End after the proof: 0 when everything was proven, 1 when not.
    #[arg(long)]
    once: bool,
    /// Where everything is kept; made if it is not there.
    #[arg(long, value_name = "FOLDER", default_value = ".roadstead")]
    data_dir: PathBuf,
    /// Where the server listens; as it did before, or 127.0.0.1:7643, when absent.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// What to back up: absolute paths.
    #[arg(long, num_args = 1.., value_name = "PATH", default_value = "/etc")]
    include: Vec<PathBuf>,
}

/// Comes up, proves, and stays until it is told to end.
pub async fn run(args: UpArgs, output: Output) -> Result<Exit> {
    let mut shutdown = Shutdown::by_signal()?;
    let mut system = System::new(&args)?;
    let ran = tokio::select! {
        ran = prove_and_stay(&args, &mut system, output) => ran,
        () = shutdown.requested() => Ok(None),
    };
    output.say("Stopping the agent, then the server.");
    system.end().await;
    match ran? {
        Some(proven) => Ok(if proven { Exit::Done } else { Exit::NotDone }),
        // Ended by hand: that is how one that stays is meant to end.
        None => Ok(if args.once { Exit::NotDone } else { Exit::Done }),
    }
}

/// Whether everything was proven. Returns only with `--once`, or when something fails.
async fn prove_and_stay(args: &UpArgs, system: &mut System, output: Output) -> Result<Option<bool>> {
    let access = system.start(args, output).await?;
    let proof = tokio::select! {
        proof = proof::make(&access, args, output) => proof?,
        ended = system.ended() => return Err(ended),
    };
    proof.print(&access, output)?;
    if args.once {
        return Ok(Some(proof.proven()));
    }
    output.say("Everything stays up until Ctrl-C.");
    Err(system.ended().await)
}

impl UpArgs {
    /// The folder as an absolute path: agents know no other.
    fn folder(&self) -> Result<PathBuf> {
        std::path::absolute(&self.data_dir)
            .map_err(|e| Error::usage(format!("{} cannot be used", self.data_dir.display())).caused_by(e))
    }
}
