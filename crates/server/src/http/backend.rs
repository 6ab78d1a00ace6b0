//! Routes of backends.

use roadstead_api::backend::{
    BackendCreate as Create, BackendDelete as Delete, BackendDisable as Disable, BackendEnable as Enable,
    BackendList as List, BackendRefresh as Refresh, BackendShow as Show, BackendUpdate as Update,
};

use super::routes::{Call, Routes};
use crate::ops::backend as ops;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<Create>| async move { ops::create(&context, call.body).await })
        .user(|context, call: Call<List>| async move { ops::list(&context, call.query).await })
        .user(|context, call: Call<Show>| async move { ops::show(&context, &call.path).await })
        .user(|context, call: Call<Update>| async move { ops::update(&context, &call.path, call.body).await })
        .user(|context, call: Call<Enable>| async move { ops::enable(&context, &call.path).await })
        .user(|context, call: Call<Disable>| async move { ops::disable(&context, &call.path).await })
        .user(|context, call: Call<Refresh>| async move { ops::refresh(&context, &call.path).await })
        .user(|context, call: Call<Delete>| async move { ops::delete(&context, &call.path).await })
}
