//! Views of lists that users have saved.

use roadstead_api::{
    id::{SavedViewId, UserId},
    saved_view::{NewSavedView, SavedView},
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::Result;

/// Saves a view, in place of one of the same name and noun.
pub async fn upsert(db: &mut Connection, user: UserId, new: &NewSavedView, now_ms: i64) -> Result<SavedView> {
    let upsert = query(
        "INSERT INTO saved_views (user_id, name, noun, query, created_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, noun, name) DO UPDATE SET query = excluded.query RETURNING *",
    )
    .bind(user.0)
    .bind(&new.name)
    .bind(&new.noun)
    .bind(&new.query)
    .bind(now_ms);
    view(&db.fetch_one(upsert).await?)
}

/// How many views a user has.
pub async fn count(db: &mut Connection, user: UserId) -> Result<i64> {
    let select = query("SELECT COUNT(*) AS n FROM saved_views WHERE user_id = $1").bind(user.0);
    db.fetch_one(select).await?.integer("n")
}

/// A user's views above `after`, oldest first.
pub async fn list(db: &mut Connection, user: UserId, after: i64, limit: i64) -> Result<Vec<SavedView>> {
    let select = query("SELECT * FROM saved_views WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(user.0)
        .bind(after)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(view).collect()
}

/// Deletes a user's view; says whether there was one.
pub async fn delete(db: &mut Connection, user: UserId, id: SavedViewId) -> Result<bool> {
    let delete = query("DELETE FROM saved_views WHERE user_id = $1 AND id = $2").bind(user.0).bind(id.0);
    Ok(db.execute(delete).await?.rows_affected() > 0)
}

fn view(row: &AnyRow) -> Result<SavedView> {
    Ok(SavedView {
        id: SavedViewId(row.integer("id")?),
        name: row.text("name")?,
        noun: row.text("noun")?,
        query: row.text("query")?,
        created_at: row.time("created_ms")?,
    })
}
