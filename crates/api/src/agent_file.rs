//! Files of an agent's machine as they are now: what a backup could take, for whoever picks paths. Names and sizes only;
//! content reaches the server in backups alone.

use crate::{
    Page,
    endpoint::endpoints,
    file::{File, FileQuery},
    id::AgentId,
};

endpoints! {
    /// Lists a folder of the machine that an agent runs on, by name, if its policy file allows it.
    AgentFileList = "agent_file_list": Get "/agents/{id}/files", Creator, (AgentId) ? FileQuery, () => 200 Page<File>;
}
