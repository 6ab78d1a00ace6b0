//! Routes of quotas.

use roadstead_api::quota::{QuotaDelete, QuotaList, QuotaSet};

use super::routes::{Call, Routes};
use crate::ops::quota;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<QuotaList>| async move { quota::list(&context, call.query).await })
        .user(|context, call: Call<QuotaSet>| async move { quota::set(&context, call.body).await })
        .user(|context, call: Call<QuotaDelete>| async move { quota::delete(&context, call.body).await })
}
