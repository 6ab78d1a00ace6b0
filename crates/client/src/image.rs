//! Images: what a machine can be made from.

use roadstead_api::{
    backend::OfferQuery,
    image::{Image, ImageList, ImageStar, ImageStarList, ImageStarSet},
};

use crate::{Backend, error::Result};

impl Backend {
    /// Lists the images that `search` matches, or every one, as the backend tells them now. Talks to the server.
    pub async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let query = OfferQuery { search: search.map(str::to_owned) };
        Ok(self.client.call::<ImageList>(&self.id, &query, &()).await?.items)
    }

    /// What was said of its images: which are starred, and which are so no more. Talks to the server.
    pub async fn image_stars(&self) -> Result<Vec<ImageStar>> {
        Ok(self.client.call::<ImageStarList>(&self.id, &(), &()).await?.items)
    }

    /// Stars an image, or takes its star away. Talks to the server.
    pub async fn star_image(&self, image: &str, starred: bool) -> Result<ImageStar> {
        let star = ImageStar { image: image.to_owned(), starred };
        self.client.call::<ImageStarSet>(&self.id, &(), &star).await
    }
}
