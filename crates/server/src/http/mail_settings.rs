//! Routes of mail settings.

use roadstead_api::mail_settings::{MailSettingsDelete, MailSettingsSet, MailSettingsShow, MailSettingsTest};

use super::routes::{Call, Routes};
use crate::ops::mail_settings;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, _: Call<MailSettingsShow>| async move { mail_settings::show(&context).await })
        .user(|context, call: Call<MailSettingsSet>| async move {
            mail_settings::set(&context, call.body).await
        })
        .user(|context, _: Call<MailSettingsDelete>| async move { mail_settings::delete(&context).await })
        .user(|context, call: Call<MailSettingsTest>| async move {
            mail_settings::test(&context, call.body).await
        })
}
