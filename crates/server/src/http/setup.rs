//! Routes of the server's set-up.

use roadstead_api::setup::{SetupMasterKey, SetupShow};

use super::routes::{Call, Routes};
use crate::ops::setup;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, _: Call<SetupShow>| async move { setup::show(&context).await })
        .user(|context, _: Call<SetupMasterKey>| async move { setup::master_key(&context).await })
}
