//! `roadstead api-keys`: what programs sign in with.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    api_key::{ApiKey, ApiKeyList},
    id::ApiKeyId,
};

use crate::{
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ApiKeyCommand {
    /// Make an API key, and print its secret, this once.
    #[command(after_help = "Example:\n  roadstead api-keys create --name ci -o json")]
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
    },
    /// List your API keys.
    #[command(after_help = "Example:\n  roadstead api-keys list")]
    List(ListArgs),
    /// Delete an API key; whoever uses it is signed out at once.
    #[command(after_help = "Example:\n  roadstead api-keys delete 2 --yes")]
    Delete {
        /// The key's id.
        api_key_id: ApiKeyId,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

impl Row for ApiKey {
    const COLUMNS: &'static [&'static str] = &["id", "name", "created"];
    fn cells(&self) -> Vec<String> {
        vec![self.id.to_string(), self.name.clone(), table::age(Some(self.created_at))]
    }
}

/// Carries out a verb.
pub async fn run(command: ApiKeyCommand, session: &Session) -> Result<Exit> {
    match command {
        ApiKeyCommand::Create { name } => {
            session.output.object(&session.client.create_api_key(&name).await?)?
        }
        ApiKeyCommand::List(which) => {
            return list::print::<ApiKeyList, _>(session, (), PageQuery::default(), which).await;
        }
        ApiKeyCommand::Delete { api_key_id, delete } => return remove(session, api_key_id, delete).await,
    }
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: ApiKeyId, delete: DeleteArgs) -> Result<Exit> {
    if delete.dry_run {
        let key = session.client.api_keys().await?.into_iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| Error::local(format!("you have no API key {id}")))?;
        session.output.say("This would be deleted:");
        session.output.object(&key)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the API key {id}"))? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_api_key(id).await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
