//! Routes of locations.

use roadstead_api::location::LocationList;

use super::routes::{Call, Routes};
use crate::ops::location;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes.user(|context, call: Call<LocationList>| async move {
        location::list(&context, &call.path, call.query).await
    })
}
