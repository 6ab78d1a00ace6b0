//! Rebuilding machines: a machine is made, and has a backup restored onto it.

use roadstead_api::{
    job::Job,
    rebuild::{MachineRebuild, MachineRebuildPlanShow, NewRebuild, RebuildPlan},
};

use crate::{Client, error::Result};

impl Client {
    /// Has a job make a machine and restore a backup onto it, which costs. Talks to the server.
    pub async fn rebuild_machine(&self, new: &NewRebuild) -> Result<Job> {
        self.call::<MachineRebuild>(&(), &(), new).await
    }

    /// What that comes to. Talks to the server, and orders nothing.
    pub async fn plan_rebuild(&self, new: &NewRebuild) -> Result<RebuildPlan> {
        self.call::<MachineRebuildPlanShow>(&(), &(), new).await
    }
}
