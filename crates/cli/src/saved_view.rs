//! `roadstead saved-views`: what you narrow lists to again and again, kept by name; the page shows them, too.

use clap::Subcommand;
use roadstead_client::api::{
    PageQuery,
    id::SavedViewId,
    saved_view::{NewSavedView, SavedView, SavedViewList},
};

use crate::{
    confirm::DeleteArgs,
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum SavedViewCommand {
    /// Save a view, in place of one of the same name.
    #[command(
        after_help = "Example:\n  roadstead saved-views create --name 'web, stopped' --query 'search=web&state=stopped'"
    )]
    Create {
        /// What it is called.
        #[arg(long)]
        name: String,
        /// The noun whose list it is of.
        #[arg(long, default_value = "machine")]
        noun: String,
        /// What the list is narrowed to, as the query of its page's address.
        #[arg(long, default_value = "")]
        query: String,
    },
    /// List your saved views.
    #[command(after_help = "Example:\n  roadstead saved-views list")]
    List(ListArgs),
    /// Delete a saved view.
    #[command(after_help = "Example:\n  roadstead saved-views delete 2 --yes")]
    Delete {
        /// The view's id.
        saved_view_id: SavedViewId,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

impl Row for SavedView {
    const COLUMNS: &'static [&'static str] = &["id", "noun", "name", "query", "saved"];
    fn cells(&self) -> Vec<String> {
        let saved = table::age(Some(self.created_at));
        vec![self.id.to_string(), self.noun.clone(), self.name.clone(), self.query.clone(), saved]
    }
}

/// Carries out a verb.
pub async fn run(command: SavedViewCommand, session: &Session) -> Result<Exit> {
    match command {
        SavedViewCommand::Create { name, noun, query } => {
            let view = session.client.save_view(&NewSavedView { name, noun, query }).await?;
            session.output.object(&view)?;
        }
        SavedViewCommand::List(which) => {
            return list::print::<SavedViewList, _>(session, (), PageQuery::default(), which).await;
        }
        SavedViewCommand::Delete { saved_view_id, delete } => {
            return remove(session, saved_view_id, delete).await;
        }
    }
    Ok(Exit::Done)
}

async fn remove(session: &Session, id: SavedViewId, delete: DeleteArgs) -> Result<Exit> {
    if delete.dry_run {
        session.output.say(&format!("The saved view {id} would be deleted."));
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the saved view {id}"))? {
        return Ok(Exit::NotDone);
    }
    session.client.delete_saved_view(id).await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}
