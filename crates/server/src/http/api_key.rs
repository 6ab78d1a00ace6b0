//! Routes of API keys.

use roadstead_api::api_key::{ApiKeyCreate, ApiKeyDelete, ApiKeyList};

use super::routes::{Call, Routes};
use crate::ops::api_key;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<ApiKeyCreate>| async move { api_key::create(&context, call.body).await })
        .user(|context, call: Call<ApiKeyList>| async move { api_key::list(&context, call.query).await })
        .user(|context, call: Call<ApiKeyDelete>| async move { api_key::delete(&context, call.path).await })
}
