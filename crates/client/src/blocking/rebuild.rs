//! Rebuilding machines, for programs that are not async.

use std::sync::Arc;

use roadstead_api::{
    job::Job,
    rebuild::{NewRebuild, RebuildPlan},
};
use tokio::runtime::Runtime;

use super::{Client, IntoBlocking, refuse_async};
use crate::error::Result;

answers!(RebuildPlan);

namesakes! { Client:
    fn rebuild_machine(&self, new: &NewRebuild) -> Job;
    fn plan_rebuild(&self, new: &NewRebuild) -> RebuildPlan;
}
