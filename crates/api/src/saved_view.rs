//! Saved views: what somebody narrows a list to again and again, kept by name. Each user has their own.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints, id::SavedViewId};

/// A view that the user who asks has saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedView {
    /// The view's id.
    pub id: SavedViewId,
    /// What it is called.
    pub name: String,
    /// The noun whose list it is of, such as `machine`.
    pub noun: String,
    /// What the list is narrowed to, as the query of its page's address: `search=web&state=running`.
    pub query: String,
    /// When it was saved.
    pub created_at: Timestamp,
}

/// A view to be saved; it takes the place of one of the same name and noun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSavedView {
    /// What it is called, 1 to 200 characters.
    pub name: String,
    /// The noun whose list it is of: small letters and `_`, up to 50.
    pub noun: String,
    /// What the list is narrowed to, up to 2000 characters; everything where it is empty.
    #[serde(default)]
    pub query: String,
}

endpoints! {
    /// Saves a view for the user that asks.
    SavedViewCreate = "saved_view_create": Post "/saved-views", Observer, (()) ? (), NewSavedView => 201 SavedView;
    /// Lists the views of the user that asks, oldest first.
    SavedViewList = "saved_view_list": Get "/saved-views", Observer, (()) ? PageQuery, () => 200 Page<SavedView>;
    /// Deletes a view of the user that asks.
    SavedViewDelete = "saved_view_delete": Delete "/saved-views/{id}", Observer, (SavedViewId) ? (), () => 204 ();
}
