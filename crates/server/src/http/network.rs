//! Routes of networks.

use roadstead_api::network::{NetworkCreate, NetworkDelete, NetworkList};

use super::routes::{Call, Routes};
use crate::ops::network;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<NetworkList>| async move {
            network::list(&context, &call.path, call.query).await
        })
        .user(|context, call: Call<NetworkCreate>| async move {
            network::create(&context, &call.path, call.body).await
        })
        .user(|context, call: Call<NetworkDelete>| async move { network::delete(&context, call.path).await })
}
