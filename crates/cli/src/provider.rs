//! `roadstead providers`: the kinds of backend that the server can add.

use clap::Subcommand;
use roadstead_client::api::{
    id::ProviderId,
    provider::{Provider, ProviderList, ProviderShow},
};

use crate::{
    error::{Exit, Result},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ProviderCommand {
    /// List the supported providers.
    #[command(after_help = "Example:\n  roadstead providers list")]
    List,
    /// Show a provider with its regions.
    #[command(after_help = "Example:\n  roadstead providers show ec2 -o json")]
    Show {
        /// The provider's id.
        provider: ProviderId,
    },
}

impl Row for Provider {
    const COLUMNS: &'static [&'static str] = &["id", "title", "regions", "retired"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.title.clone(),
            self.regions.len().to_string(),
            table::yes(self.retired),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: ProviderCommand, session: &Session) -> Result<Exit> {
    match command {
        ProviderCommand::List => {
            session.output.page(&session.client.call::<ProviderList>(&(), &(), &()).await?)?
        }
        ProviderCommand::Show { provider } => {
            session.output.object(&session.client.call::<ProviderShow>(&provider, &(), &()).await?)?;
        }
    }
    Ok(Exit::Done)
}
