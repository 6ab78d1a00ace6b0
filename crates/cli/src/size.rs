//! `roadstead sizes`.

use clap::Subcommand;
use roadstead_client::api::size::{Size, SizeList};

use crate::{
    backend::{self, OfferArgs},
    error::{Exit, Result},
    human,
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum SizeCommand {
    /// List a backend's sizes, as it tells them now.
    #[command(after_help = "Example:\n  roadstead sizes list --backend hetzner --search small")]
    List(OfferArgs),
}

impl Row for Size {
    const COLUMNS: &'static [&'static str] = &["id", "name", "cpus", "memory", "disk", "price per hour"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.cpus.map_or_else(|| "-".to_owned(), |cpus| cpus.to_string()),
            self.memory_bytes.map_or_else(|| "-".to_owned(), human::size),
            self.disk_bytes.map_or_else(|| "-".to_owned(), human::size),
            price(self),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: SizeCommand, session: &Session) -> Result<Exit> {
    let SizeCommand::List(which) = command;
    backend::print_offers::<SizeList, _>(session, which).await
}

fn price(size: &Size) -> String {
    match &size.price {
        Some(price) => format!("{} {}", price.per_hour, price.currency),
        None => "-".to_owned(),
    }
}
