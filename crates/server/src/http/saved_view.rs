//! Routes of saved views.

use roadstead_api::saved_view::{SavedViewCreate, SavedViewDelete, SavedViewList};

use super::routes::{Call, Routes};
use crate::ops::saved_view;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<SavedViewCreate>| async move {
            saved_view::create(&context, call.body).await
        })
        .user(|context, call: Call<SavedViewList>| async move { saved_view::list(&context, call.query).await })
        .user(|context, call: Call<SavedViewDelete>| async move {
            saved_view::delete(&context, call.path).await
        })
}
