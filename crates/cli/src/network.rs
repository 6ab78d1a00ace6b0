//! `roadstead networks`.

use clap::Subcommand;
use roadstead_client::api::network::{Network, NetworkList};

use crate::{
    backend::{self, OfferArgs},
    error::{Exit, Result},
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum NetworkCommand {
    /// List a backend's networks, as it tells them now.
    #[command(after_help = "Example:\n  roadstead networks list --backend hetzner --search private")]
    List(OfferArgs),
}

impl Row for Network {
    const COLUMNS: &'static [&'static str] = &["id", "name", "subnets"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.subnets.iter().map(|subnet| subnet.cidr.as_str()).collect::<Vec<_>>().join(", "),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: NetworkCommand, session: &Session) -> Result<Exit> {
    let NetworkCommand::List(which) = command;
    backend::print_offers::<NetworkList, _>(session, which).await
}
