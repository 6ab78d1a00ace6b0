//! Routes of backups.

use roadstead_api::backup::{BackupCreate, BackupList, BackupReportShow, BackupShow, BackupStop};

use super::routes::{Call, Routes};
use crate::ops::backup;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<BackupCreate>| async move { backup::create(&context, call.body).await })
        .user(|context, call: Call<BackupList>| async move { backup::list(&context, call.query).await })
        .user(|context, call: Call<BackupShow>| async move { backup::show(&context, call.path).await })
        .user(|context, call: Call<BackupStop>| async move { backup::stop(&context, call.path).await })
        .user(
            |context, call: Call<BackupReportShow>| async move { backup::report(&context, call.path).await },
        )
}
