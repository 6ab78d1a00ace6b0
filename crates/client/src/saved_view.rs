//! Saved views of the user who asks.

use roadstead_api::{
    PageQuery,
    id::SavedViewId,
    saved_view::{NewSavedView, SavedView, SavedViewCreate, SavedViewDelete, SavedViewList},
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the user's saved views. Talks to the server.
    pub async fn saved_views(&self) -> Result<Vec<SavedView>> {
        self.list_all::<SavedViewList, _>((), PageQuery::default()).await
    }

    /// Saves a view, in place of one of the same name and noun. Talks to the server.
    pub async fn save_view(&self, new: &NewSavedView) -> Result<SavedView> {
        self.call::<SavedViewCreate>(&(), &(), new).await
    }

    /// Deletes a saved view. Talks to the server.
    pub async fn delete_saved_view(&self, id: SavedViewId) -> Result<()> {
        self.call::<SavedViewDelete>(&id, &(), &()).await
    }
}
