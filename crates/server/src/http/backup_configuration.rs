//! Routes of backup configurations.

use roadstead_api::backup_configuration::{
    BackupConfigurationCreate as Create, BackupConfigurationDelete as Delete,
    BackupConfigurationDisable as Disable, BackupConfigurationEnable as Enable,
    BackupConfigurationList as List, BackupConfigurationShow as Show, BackupConfigurationUpdate as Update,
};

use super::routes::{Call, Routes};
use crate::ops::backup_configuration as ops;

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
