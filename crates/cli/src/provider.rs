//! `roadstead providers`: the kinds of backend that the server can add.

use clap::Subcommand;
use roadstead_client::api::{
    Page,
    id::ProviderId,
    provider::{Field, Provider, ProviderList, ProviderShow, Region},
};

use serde_json::json;

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ProviderCommand {
    /// List the supported providers.
    #[command(after_help = "Example:\n  roadstead providers list")]
    List(ListArgs),
    /// Show a provider with its regions, and the fields that `backends add --set` takes.
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

impl Row for Field {
    const COLUMNS: &'static [&'static str] = &["field", "takes", "required", "default", "what"];
    fn cells(&self) -> Vec<String> {
        let names = [&self.name].into_iter().chain(&self.aliases).map(String::as_str);
        vec![
            names.collect::<Vec<_>>().join("\n"),
            format!("{:?}", self.kind).to_lowercase(),
            table::yes(self.required),
            self.default.clone().unwrap_or_else(|| "-".to_owned()),
            self.help.clone(),
        ]
    }
}

impl Row for Region {
    const COLUMNS: &'static [&'static str] = &["region", "location"];
    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.location.clone()]
    }
}

/// Carries out a verb.
pub async fn run(command: ProviderCommand, session: &Session) -> Result<Exit> {
    match command {
        ProviderCommand::List(which) => {
            let known = session.client.call::<ProviderList>(&(), &(), &()).await?;
            list::print_known(session, known.items, &which)
        }
        ProviderCommand::Show { provider } => {
            show(session, session.client.call::<ProviderShow>(&provider, &(), &()).await?)?;
            Ok(Exit::Done)
        }
    }
}

/// For people the lists stand beneath, as tables of their own.
fn show(session: &Session, provider: Provider) -> Result<()> {
    if !session.output.is_for_people() {
        return session.output.object(&provider);
    }
    let Provider { id, title, regions, retired, fields } = provider;
    session.output.object(&json!({ "id": id, "title": title, "retired": retired }))?;
    if !regions.is_empty() {
        session.output.page(&Page { items: regions, next: None })?;
    }
    session.output.page(&Page { items: fields, next: None })
}
