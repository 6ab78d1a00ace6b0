//! Keys of machines, for programs that are not async.

use std::sync::Arc;

use roadstead_api::{
    id::MachineId,
    key_machine::{AcceptedHostKey, KeyDeployment, KeyMachine, NewKeyMachine},
};
use tokio::runtime::Runtime;

use super::{IntoBlocking, Key, refuse_async};
use crate::error::Result;

answers!(KeyMachine, KeyDeployment);

namesakes! { Key:
    fn associate(&self, new: &NewKeyMachine) -> KeyMachine;
    fn accept_host_key(&self, machine: &MachineId, accepted: &AcceptedHostKey) -> KeyMachine;
    fn disassociate(&self, machine: &MachineId) -> ();
    fn deploy(&self, machine: &MachineId) -> KeyDeployment;
    fn withdraw(&self, machine: &MachineId) -> KeyDeployment;
    fn machines(&self) -> Vec<KeyMachine>;
}
