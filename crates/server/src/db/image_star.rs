//! Images that somebody has starred, or unstarred.

use roadstead_api::{id::BackendId, image::ImageStar};
use sqlx::{Executor, query};

use super::{Connection, row::Columns};
use crate::Result;

/// What was said of a backend's images, by their ids.
pub async fn list(db: &mut Connection, backend: &BackendId) -> Result<Vec<ImageStar>> {
    let select = query("SELECT image, starred FROM image_stars WHERE backend_id = $1 ORDER BY image")
        .bind(backend.0.as_str());
    let rows = db.fetch_all(select).await?;
    rows.iter()
        .map(|row| Ok(ImageStar { image: row.text("image")?, starred: row.flag("starred")? }))
        .collect()
}

/// How many images of a backend something was said of.
pub async fn count(db: &mut Connection, backend: &BackendId) -> Result<i64> {
    let select =
        query("SELECT COUNT(*) AS n FROM image_stars WHERE backend_id = $1").bind(backend.0.as_str());
    db.fetch_one(select).await?.integer("n")
}

/// Stars an image, or takes its star away.
pub async fn put(db: &mut Connection, backend: &BackendId, star: &ImageStar) -> Result<()> {
    let put = query(
        "INSERT INTO image_stars (backend_id, image, starred) VALUES ($1, $2, $3)
         ON CONFLICT (backend_id, image) DO UPDATE SET starred = $3",
    )
    .bind(backend.0.as_str())
    .bind(star.image.as_str())
    .bind(i64::from(star.starred));
    db.execute(put).await?;
    Ok(())
}
