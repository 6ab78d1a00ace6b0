//! Keys of machines: which SSH key lets one in where.

use roadstead_api::{
    PageQuery,
    id::MachineId,
    key_machine::{
        AcceptedHostKey, KeyDeployment, KeyMachine, KeyMachineAccept, KeyMachineCreate, KeyMachineDelete,
        KeyMachineDeploy, KeyMachineList, KeyMachineWithdraw, NewKeyMachine,
    },
};

use crate::{Key, error::Result};

impl Key {
    /// Associates it with a machine. Talks to the server.
    pub async fn associate(&self, new: &NewKeyMachine) -> Result<KeyMachine> {
        self.client.call::<KeyMachineCreate>(&self.id, &(), new).await
    }

    /// Ends its association with a machine. Talks to the server.
    pub async fn disassociate(&self, machine: &MachineId) -> Result<()> {
        let pair = (self.id.clone(), machine.clone());
        self.client.call::<KeyMachineDelete>(&pair, &(), &()).await
    }

    /// Trusts the host key that a machine shows now. Talks to the server.
    pub async fn accept_host_key(
        &self,
        machine: &MachineId,
        accepted: &AcceptedHostKey,
    ) -> Result<KeyMachine> {
        let pair = (self.id.clone(), machine.clone());
        self.client.call::<KeyMachineAccept>(&pair, &(), accepted).await
    }

    /// Has a machine that it is associated with let it in, over another login that works already. Talks to the server.
    pub async fn deploy(&self, machine: &MachineId) -> Result<KeyDeployment> {
        self.client.call::<KeyMachineDeploy>(&(self.id.clone(), machine.clone()), &(), &()).await
    }

    /// Has a machine no longer let it in. It stays associated. Talks to the server.
    pub async fn withdraw(&self, machine: &MachineId) -> Result<KeyDeployment> {
        self.client.call::<KeyMachineWithdraw>(&(self.id.clone(), machine.clone()), &(), &()).await
    }

    /// The machines that it is associated with. Talks to the server.
    pub async fn machines(&self) -> Result<Vec<KeyMachine>> {
        self.client.list_all::<KeyMachineList, _>(self.id.clone(), PageQuery::default()).await
    }
}
