//! Routes of restore configurations.

use roadstead_api::restore_configuration::{
    RestoreConfigurationCreate as Create, RestoreConfigurationDelete as Delete,
    RestoreConfigurationDisable as Disable, RestoreConfigurationEnable as Enable,
    RestoreConfigurationList as List, RestoreConfigurationShow as Show, RestoreConfigurationUpdate as Update,
};

use super::routes::{Call, Routes};
use crate::ops::restore_configuration as ops;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<Create>| async move { ops::create(&context, call.body).await })
        .user(|context, call: Call<List>| async move { ops::list(&context, call.query).await })
        .user(|context, call: Call<Show>| async move { ops::show(&context, call.path).await })
        .user(|context, call: Call<Update>| async move { ops::update(&context, call.path, call.body).await })
        .user(|context, call: Call<Enable>| async move { ops::enable(&context, call.path).await })
        .user(|context, call: Call<Disable>| async move { ops::disable(&context, call.path).await })
        .user(|context, call: Call<Delete>| async move { ops::delete(&context, call.path).await })
}
