//! Protecting machines: an agent is put on a machine, and the machine is backed up from then on.

use roadstead_api::{
    job::Job,
    protection::{
        AgentInstall, Installation, MachineProtect, MachineProtectionPlanShow, NewInstallation,
        NewProtection, ProtectionPlan,
    },
};

use crate::{Client, Machine, error::Result};

impl Machine {
    /// Has a job put an agent on it, and have it backed up; what is there already stays. Talks to the server.
    pub async fn protect(&self, new: &NewProtection) -> Result<Job> {
        self.client.call::<MachineProtect>(&self.id, &(), new).await
    }

    /// What that comes to. Talks to the server, and changes nothing.
    pub async fn plan_protection(&self, new: &NewProtection) -> Result<ProtectionPlan> {
        self.client.call::<MachineProtectionPlanShow>(&self.id, &(), new).await
    }
}

impl Client {
    /// Makes a command, and user data for cloud-init, that install an agent on one machine. Talks to the server.
    pub async fn create_installation(&self, new: &NewInstallation) -> Result<Installation> {
        self.call::<AgentInstall>(&(), &(), new).await
    }
}
