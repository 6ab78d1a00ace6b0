//! Who the agent is once it is enrolled: `agent.json`.

use std::{fs, io};

use roadstead_api::id::{AgentId, VaultId};
use serde::{Deserialize, Serialize};

use crate::{
    data_dir::DataDir,
    durable,
    error::{Error, ErrorKind, Result},
    proxy::{self, ProxyUrl},
    server_url::ServerUrl,
    trust::Trust,
};

/// What an enrolled agent knows of itself. No `Debug`: the credential is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The server that it belongs to.
    pub server: ServerUrl,
    /// How it knows that server.
    pub trust: Trust,
    /// Its number there.
    pub agent_id: AgentId,
    /// Its vault there.
    pub vault_id: VaultId,
    /// Its name at enrolment.
    pub name: String,
    /// What it proves itself with.
    pub credential: String,
    /// The proxy that it reaches its server through, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyUrl>,
    /// The CA that alone vouches for the server, in PEM. Lies in a file of its own.
    #[serde(skip)]
    pub ca_pem: Option<String>,
}

impl Identity {
    /// Reads it; `None` where the folder is not enrolled.
    pub fn find(data: &DataDir) -> Result<Option<Self>> {
        let path = data.identity();
        let failed = |e| Error::io(format!("cannot read {}", path.display()), e);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        let mut identity: Self = serde_json::from_slice(&bytes).map_err(|e| failed(e.into()))?;
        identity.ca_pem = identity.trust.ca_pem(&data.ca())?;
        Ok(Some(identity))
    }

    /// Reads it; an error where the folder is not enrolled.
    pub fn load(data: &DataDir) -> Result<Self> {
        Self::find(data)?.ok_or_else(|| {
            let folder = data.path().display();
            Error::new(
                ErrorKind::NotEnrolled,
                format!("{folder} is not enrolled: run `roadstead agent enroll` first"),
            )
        })
    }

    /// The proxy to go through: the one that was named, or what the environment says now.
    pub fn proxy(&self) -> Result<Option<ProxyUrl>> {
        match &self.proxy {
            Some(proxy) => Ok(Some(proxy.clone())),
            None => proxy::from_environment(&self.server),
        }
    }

    /// Keeps it. The CA comes first: an identity without it would be of no use.
    pub fn save(&self, data: &DataDir) -> Result<()> {
        if let Some(pem) = &self.ca_pem {
            let path = data.ca();
            let failed = |e| Error::io(format!("cannot write {}", path.display()), e);
            durable::write(&path, pem.as_bytes()).map_err(failed)?;
        }
        let path = data.identity();
        let failed = |e| Error::io(format!("cannot write {}", path.display()), e);
        let json = serde_json::to_vec_pretty(self).map_err(|e| failed(e.into()))?;
        durable::write(&path, &json).map_err(failed)
    }
}
