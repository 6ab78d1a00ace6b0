//! Files of an agent's machine as they are now.

use roadstead_api::{
    agent_file::AgentFileList,
    file::{File, FileQuery},
};

use crate::{Agent, error::Result};

impl Agent {
    /// Lists a folder of the machine that it runs on, by name; `path` is absolute. Talks to the server, which asks the
    /// agent.
    pub async fn files(&self, path: &str) -> Result<Vec<File>> {
        let query = FileQuery { path: Some(path.to_owned()), ..FileQuery::default() };
        self.client.list_all::<AgentFileList, _>(self.id, query).await
    }
}
