//! Routes of keys of machines.

use roadstead_api::key_machine::{
    KeyMachineAccept, KeyMachineCreate, KeyMachineDelete, KeyMachineDeploy, KeyMachineList,
    KeyMachineWithdraw,
};

use super::routes::{Call, Routes};
use crate::ops::{key_deployment, key_machine};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<KeyMachineCreate>| async move {
            key_machine::create(&context, &call.path, call.body).await
        })
        .user(|context, call: Call<KeyMachineList>| async move {
            key_machine::list(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<KeyMachineAccept>| async move {
            key_machine::accept(&context, call.path, call.body).await
        })
        .user(|context, call: Call<KeyMachineDeploy>| async move {
            key_deployment::deploy(&context, call.path).await
        })
        .user(|context, call: Call<KeyMachineWithdraw>| async move {
            key_deployment::withdraw(&context, call.path).await
        })
        .user(|context, call: Call<KeyMachineDelete>| async move {
            key_machine::delete(&context, call.path).await
        })
}
