//! Routes of vaults.

use roadstead_api::vault::{
    VaultDelete, VaultGrowthShow, VaultKeyExport, VaultList, VaultShow, VaultStatsShow,
};

use super::routes::{Call, Routes};
use crate::ops::vault;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<VaultList>| async move { vault::list(&context, call.query).await })
        .user(|context, call: Call<VaultShow>| async move { vault::show(&context, &call.path).await })
        .user(|context, call: Call<VaultStatsShow>| async move { vault::stats(&context, &call.path).await })
        .user(|context, call: Call<VaultGrowthShow>| async move {
            vault::growth(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<VaultDelete>| async move { vault::delete(&context, &call.path).await })
        .user(|context, call: Call<VaultKeyExport>| async move { vault::export_key(&context, &call.path).await })
}
