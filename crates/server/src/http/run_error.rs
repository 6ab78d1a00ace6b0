//! Routes of errors of single files.

use roadstead_api::run_error::{BackupErrorList, RestoreErrorList};

use super::routes::{Call, Routes};
use crate::ops::run_error;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<BackupErrorList>| async move {
            run_error::of_backup(&context, call.path, call.query).await
        })
        .user(|context, call: Call<RestoreErrorList>| async move {
            run_error::of_restore(&context, call.path, call.query).await
        })
}
