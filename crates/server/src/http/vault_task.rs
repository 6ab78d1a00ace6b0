//! Routes of vault tasks, and of the settings of drills.

use roadstead_api::vault_task::{
    CopyTargetList, DrillSettingsSet, DrillSettingsShow, VaultTaskCreate, VaultTaskList, VaultTaskShow,
    VaultTaskStop,
};

use super::routes::{Call, Routes};
use crate::ops::{drill_settings, vault_task};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<VaultTaskCreate>| async move {
            vault_task::create(&context, &call.path, call.body).await
        })
        .user(|context, call: Call<VaultTaskList>| async move {
            vault_task::list(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<VaultTaskShow>| async move { vault_task::show(&context, call.path).await })
        .user(|context, call: Call<VaultTaskStop>| async move { vault_task::stop(&context, call.path).await })
        .user(|context, _: Call<CopyTargetList>| async move { vault_task::copy_targets(&context) })
        .user(|context, _: Call<DrillSettingsShow>| async move { drill_settings::show(&context).await })
        .user(|context, call: Call<DrillSettingsSet>| async move {
            drill_settings::set(&context, call.body).await
        })
}
