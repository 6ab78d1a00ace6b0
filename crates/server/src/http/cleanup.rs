//! Routes of cleanups and of what they threw away.

use roadstead_api::cleanup::{
    CleanupCreate, CleanupList, CleanupPlanShow, CleanupShow, RetentionPlanShow, TrashRestore, TrashShow,
};

use super::routes::{Call, Routes};
use crate::ops::cleanup;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<CleanupCreate>| async move { cleanup::create(&context, &call.path).await })
        .user(|context, call: Call<CleanupList>| async move {
            cleanup::list(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<CleanupShow>| async move { cleanup::show(&context, call.path).await })
        .user(|context, call: Call<CleanupPlanShow>| async move { cleanup::plan(&context, &call.path).await })
        .user(|context, call: Call<RetentionPlanShow>| async move {
            cleanup::retention_plan(&context, call.path, call.body).await
        })
        .user(|context, call: Call<TrashShow>| async move { cleanup::trash(&context, &call.path).await })
        .user(|context, call: Call<TrashRestore>| async move {
            cleanup::restore_trash(&context, &call.path).await
        })
}
