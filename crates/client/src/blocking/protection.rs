//! Protecting machines, for programs that are not async.

use std::sync::Arc;

use roadstead_api::{
    job::Job,
    protection::{Installation, NewInstallation, NewProtection, ProtectionPlan},
};
use tokio::runtime::Runtime;

use super::{Client, IntoBlocking, Machine, refuse_async};
use crate::error::Result;

answers!(Installation, ProtectionPlan);

namesakes! { Client:
    fn create_installation(&self, new: &NewInstallation) -> Installation;
}

namesakes! { Machine:
    fn protect(&self, new: &NewProtection) -> Job;
    fn plan_protection(&self, new: &NewProtection) -> ProtectionPlan;
}
