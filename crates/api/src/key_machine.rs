//! Keys of machines: which SSH key lets one in to which machine, as whom and where.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery, PathParams,
    endpoint::endpoints,
    id::{KeyId, MachineId},
};

/// The user to log in as, where nobody says.
pub const DEFAULT_USER: &str = "root";
/// The port of a machine's SSH server, where nobody says.
pub const DEFAULT_PORT: u16 = 22;

/// A key that is associated with a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyMachine {
    /// The key.
    pub key_id: KeyId,
    /// The machine.
    pub machine_id: MachineId,
    /// The machine's name.
    pub machine_name: String,
    /// The user to log in as.
    pub user: String,
    /// The port of the machine's SSH server.
    pub port: u16,
    /// Where the machine is reached; absent where it is at the address that its backend tells.
    pub host: Option<String>,
    /// The fingerprint of the host key that the machine has to show, `SHA256:...`; absent until it was met.
    #[serde(default)]
    pub host_key: Option<String>,
    /// When the key was associated.
    pub created_at: Timestamp,
}

/// A key to be associated with a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyMachine {
    /// The machine.
    pub machine_id: MachineId,
    /// The user to log in as; `root` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The port of the machine's SSH server; 22 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where the machine is reached; at the address that its backend tells when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// A host key to be trusted from now on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedHostKey {
    /// The fingerprint that the machine has to show now, `SHA256:...`; any is taken when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What became of a key on a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyDeployment {
    /// Whether something was changed there; else all was as it was to be.
    pub changed: bool,
    /// How the server got there, in words.
    pub way: String,
}

impl PathParams for (KeyId, MachineId) {
    const TYPES: &'static [&'static str] = &["string", "string"];
    fn segments(&self) -> Vec<String> {
        vec![self.0.0.clone(), self.1.0.clone()]
    }
}

endpoints! {
    /// Associates an SSH key with a machine; takes the place of an earlier association of the two.
    KeyMachineCreate = "key_machine_create": Post "/keys/{id}/machines", Creator, (KeyId) ? (), NewKeyMachine => 201 KeyMachine;
    /// Lists the machines that an SSH key is associated with, in the order in which it was.
    KeyMachineList = "key_machine_list": Get "/keys/{id}/machines", Observer, (KeyId) ? PageQuery, () => 200 Page<KeyMachine>;
    /// Looks which host key a machine shows now, and trusts that one from now on.
    KeyMachineAccept = "key_machine_accept": Post "/keys/{id}/machines/{machine_id}/host-key", Creator, ((KeyId, MachineId)) ? (), AcceptedHostKey => 200 KeyMachine;
    /// Has a machine let in an SSH key that is associated with it, over another login that works already.
    KeyMachineDeploy = "key_machine_deploy": Post "/keys/{id}/machines/{machine_id}/deploy", Admin, ((KeyId, MachineId)) ? (), () => 200 KeyDeployment;
    /// Has a machine no longer let in an SSH key, over another login, which has to work still; the key stays associated.
    KeyMachineWithdraw = "key_machine_withdraw": Post "/keys/{id}/machines/{machine_id}/withdraw", Admin, ((KeyId, MachineId)) ? (), () => 200 KeyDeployment;
    /// Ends the association of an SSH key with a machine. The machine goes on to let the key in.
    KeyMachineDelete = "key_machine_delete": Delete "/keys/{id}/machines/{machine_id}", Creator, ((KeyId, MachineId)) ? (), () => 204 ();
}
