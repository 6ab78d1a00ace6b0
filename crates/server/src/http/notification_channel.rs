//! Routes of notification channels.

use roadstead_api::notification_channel::{
    NotificationChannelCreate, NotificationChannelDelete, NotificationChannelList, NotificationChannelShow,
    NotificationChannelTest,
};

use super::routes::{Call, Routes};
use crate::ops::notification_channel as channel;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<NotificationChannelCreate>| async move {
            channel::create(&context, call.body).await
        })
        .user(|context, call: Call<NotificationChannelList>| async move {
            channel::list(&context, call.query).await
        })
        .user(|context, call: Call<NotificationChannelShow>| async move {
            channel::show(&context, call.path).await
        })
        .user(|context, call: Call<NotificationChannelDelete>| async move {
            channel::delete(&context, call.path).await
        })
        .user(|context, call: Call<NotificationChannelTest>| async move {
            channel::test(&context, call.path).await
        })
}
