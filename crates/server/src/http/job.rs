//! Routes of jobs.

use roadstead_api::job::{JobList, JobShow};

use super::routes::{Call, Routes};
use crate::ops::job;

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<JobList>| async move { job::list(&context, call.query).await })
        .user(|context, call: Call<JobShow>| async move { job::show(&context, call.path).await })
}
