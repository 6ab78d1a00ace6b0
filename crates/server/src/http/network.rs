//! Routes of networks.

use roadstead_api::network::NetworkList;

use super::routes::{Call, Routes};
use crate::ops::network;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<NetworkList>| async move {
        network::list(&context, &call.path, call.query).await
    })
}
