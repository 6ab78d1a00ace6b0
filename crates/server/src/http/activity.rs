//! Routes of activity.

use roadstead_api::activity::ActivityList;

use super::routes::{Call, Routes};
use crate::ops::activity;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<ActivityList>| async move { activity::list(&context, call.query).await })
}
