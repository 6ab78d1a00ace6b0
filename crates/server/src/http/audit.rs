//! Routes of the audit log.

use roadstead_api::audit::{AuditList, AuditVerify};

use super::routes::{Call, Routes};
use crate::ops::audit;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<AuditList>| async move { audit::list(&context, call.query).await })
        .user::<AuditVerify, _, _>(|context, _| async move { audit::verify(&context).await })
}
