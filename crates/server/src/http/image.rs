//! Routes of images.

use roadstead_api::image::ImageList;

use super::routes::{Call, Routes};
use crate::ops::image;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<ImageList>| async move {
        image::list(&context, &call.path, call.query).await
    })
}
