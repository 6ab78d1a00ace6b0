//! Routes of checks.

use roadstead_api::check::{CheckCreate, CheckShow};

use super::routes::{Call, Routes};
use crate::ops::check;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<CheckCreate>| async move {
            check::create(&context, &call.path, call.body).await
        })
        .user(|context, call: Call<CheckShow>| async move { check::show(&context, call.path).await })
}
