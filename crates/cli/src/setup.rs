//! `roadstead setup`: how the server is set up, and its master key, once.

use clap::Subcommand;

use crate::{
    error::{Exit, Result},
    session::Session,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum SetupCommand {
    /// Show how the server is set up: its version, database, vault store and TLS.
    #[command(after_help = "Example:\n  roadstead setup show -o json")]
    Show,
    /// Show the server's master key, which it does once: keep it elsewhere, nothing sealed can be read without it.
    #[command(after_help = "Example:\n  roadstead setup master-key -o json > /media/safe/master-key.json")]
    MasterKey,
}

/// Carries out a verb.
pub async fn run(command: SetupCommand, session: &Session) -> Result<Exit> {
    match command {
        SetupCommand::Show => session.output.object(&session.client.setup().await?)?,
        SetupCommand::MasterKey => session.output.object(&session.client.master_key().await?)?,
    }
    Ok(Exit::Done)
}
