//! Views of lists that the user who calls has saved.

use roadstead_api::{
    Page, PageQuery,
    id::SavedViewId,
    saved_view::{NewSavedView, SavedView, SavedViewCreate, SavedViewDelete, SavedViewList},
};

use super::{Context, page, validate};
use crate::{Error, Result, db};

/// How many views a user may have.
const MAX_VIEWS: i64 = 200;
/// How long a query may be, in characters.
const MAX_QUERY: usize = 2000;
/// How long a noun may be.
const MAX_NOUN: usize = 50;

/// Saves a view, in place of one of the same name.
pub async fn create(context: &Context, new: NewSavedView) -> Result<SavedView> {
    context.authorize::<SavedViewCreate>()?;
    validate::name("name", &new.name)?;
    let is_word = |noun: &str| noun.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if new.noun.is_empty() || new.noun.len() > MAX_NOUN || !is_word(&new.noun) {
        return Err(Error::invalid("noun is a word such as machine, in small letters."));
    }
    if new.query.chars().count() > MAX_QUERY || new.query.chars().any(char::is_control) {
        return Err(Error::invalid(format!("query takes up to {MAX_QUERY} characters of one line.")));
    }
    let mut change = context.change::<SavedViewCreate>().await?;
    let view = db::saved_view::upsert(&mut change, context.user.id, &new, context.now_ms()).await?;
    if db::saved_view::count(&mut change, context.user.id).await? > MAX_VIEWS {
        return Err(Error::conflict(format!("You have {MAX_VIEWS} saved views; delete one first.")));
    }
    change.commit(view.id).await?;
    Ok(view)
}

/// Lists the views.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<SavedView>> {
    context.authorize::<SavedViewList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let views = db::saved_view::list(&mut read, context.user.id, after, page::fetch(limit)).await?;
    Ok(page::page(views, limit, |view| view.id.to_string()))
}

/// Deletes a view.
pub async fn delete(context: &Context, id: SavedViewId) -> Result<()> {
    let mut change = context.change::<SavedViewDelete>().await?;
    if !db::saved_view::delete(&mut change, context.user.id, id).await? {
        return Err(Error::not_found(format!("You have no saved view {id}.")));
    }
    change.commit(id).await
}
