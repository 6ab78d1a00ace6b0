//! `roadstead images`.

use clap::Subcommand;
use roadstead_client::api::image::{Image, ImageList};

use crate::{
    backend::{self, OfferArgs},
    error::{Exit, Result},
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ImageCommand {
    /// List a backend's images, as it tells them now.
    #[command(after_help = "Example:\n  roadstead images list --backend hetzner --search ubuntu")]
    List(OfferArgs),
}

impl Row for Image {
    const COLUMNS: &'static [&'static str] = &["id", "name"];
    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.name.clone()]
    }
}

/// Carries out a verb.
pub async fn run(command: ImageCommand, session: &Session) -> Result<Exit> {
    let ImageCommand::List(which) = command;
    backend::print_offers::<ImageList, _>(session, which).await
}
