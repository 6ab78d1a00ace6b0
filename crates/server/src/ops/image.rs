//! Images of a backend, as it tells them now.

use roadstead_api::{
    Page,
    backend::OfferQuery,
    id::BackendId,
    image::{Image, ImageList, ImageStar, ImageStarList, ImageStarSet},
};
use roadstead_providers::Capability;

use super::{Context, backend, validate};
use crate::{Error, Result, db};

/// Of how many images of a backend something may be said.
const MAX_STARS: i64 = 1000;

/// Lists a backend's images.
pub async fn list(context: &Context, id: &BackendId, query: OfferQuery) -> Result<Page<Image>> {
    context.authorize::<ImageList>()?;
    let driver = backend::driver(context, id, Capability::Images).await?;
    let found = driver.images(search_word(&query)).await?;
    Ok(Page { items: found, next: None })
}

/// Lists what was said of a backend's images.
pub async fn stars(context: &Context, id: &BackendId) -> Result<Page<ImageStar>> {
    context.authorize::<ImageStarList>()?;
    backend::get(context, id).await?;
    let items = db::image_star::list(&mut *context.db.read().await?, id).await?;
    Ok(Page { items, next: None })
}

/// Stars an image, or takes its star away.
pub async fn star(context: &Context, id: &BackendId, star: ImageStar) -> Result<ImageStar> {
    context.authorize::<ImageStarSet>()?;
    validate::name("image", &star.image)?;
    backend::get(context, id).await?;
    let mut change = context.change::<ImageStarSet>().await?;
    if db::image_star::count(&mut change, id).await? >= MAX_STARS {
        return Err(Error::conflict(format!("{MAX_STARS} images of a backend can be starred or unstarred.")));
    }
    db::image_star::put(&mut change, id, &star).await?;
    change.commit(format!("{id}/{}", star.image)).await?;
    Ok(star)
}

fn search_word(query: &OfferQuery) -> Option<&str> {
    query.search.as_deref().map(str::trim).filter(|word| !word.is_empty())
}
