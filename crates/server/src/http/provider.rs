//! Routes of providers.

use roadstead_api::provider::{ProviderList, ProviderShow};

use super::routes::{Call, Routes};
use crate::ops::provider;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user::<ProviderList, _, _>(|context, _| async move { provider::list(&context) })
        .user(|context, call: Call<ProviderShow>| async move { provider::show(&context, &call.path) })
}
