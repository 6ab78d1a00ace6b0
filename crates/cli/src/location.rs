//! `roadstead locations`.

use clap::Subcommand;
use roadstead_client::api::location::{Location, LocationList};

use crate::{
    backend::{self, OfferArgs},
    error::{Exit, Result},
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum LocationCommand {
    /// List a backend's locations, as it tells them now.
    #[command(after_help = "Example:\n  roadstead locations list --backend hetzner --search eu")]
    List(OfferArgs),
}

impl Row for Location {
    const COLUMNS: &'static [&'static str] = &["id", "name", "country"];
    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.name.clone(), self.country.clone().unwrap_or_else(|| "-".to_owned())]
    }
}

/// Carries out a verb.
pub async fn run(command: LocationCommand, session: &Session) -> Result<Exit> {
    let LocationCommand::List(which) = command;
    backend::print_offers::<LocationList, _>(session, which).await
}
