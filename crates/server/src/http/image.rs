//! Routes of images.

use roadstead_api::image::{ImageList, ImageStarList, ImageStarSet};

use super::routes::{Call, Routes};
use crate::ops::image;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<ImageList>| async move {
            image::list(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<ImageStarList>| async move { image::stars(&context, &call.path).await })
        .user(|context, call: Call<ImageStarSet>| async move {
            image::star(&context, &call.path, call.body).await
        })
}
