//! Routes of restores.

use roadstead_api::restore::{RestoreCreate, RestoreList, RestoreReportShow, RestoreShow, RestoreStop};

use super::routes::{Call, Routes};
use crate::ops::restore;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<RestoreCreate>| async move { restore::create(&context, call.body).await })
        .user(|context, call: Call<RestoreList>| async move { restore::list(&context, call.query).await })
        .user(|context, call: Call<RestoreShow>| async move { restore::show(&context, call.path).await })
        .user(|context, call: Call<RestoreStop>| async move { restore::stop(&context, call.path).await })
        .user(|context, call: Call<RestoreReportShow>| async move { restore::report(&context, call.path).await })
}
