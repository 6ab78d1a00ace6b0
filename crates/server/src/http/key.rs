//! Routes of SSH keys.

use roadstead_api::key::{KeyCreate, KeyDelete, KeyList, KeySetDefault, KeyShow, KeyShowPrivate, KeyUpdate};

use super::routes::{Call, Routes};
use crate::ops::key;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<KeyCreate>| async move { key::create(&context, call.body).await })
        .user(|context, call: Call<KeyList>| async move { key::list(&context, call.query).await })
        .user(|context, call: Call<KeyShow>| async move { key::show(&context, &call.path).await })
        .user(|context, call: Call<KeyShowPrivate>| async move { key::show_private(&context, &call.path).await })
        .user(|context, call: Call<KeyUpdate>| async move { key::update(&context, &call.path, call.body).await })
        .user(|context, call: Call<KeySetDefault>| async move { key::set_default(&context, &call.path).await })
        .user(|context, call: Call<KeyDelete>| async move { key::delete(&context, &call.path).await })
}
