//! Enrolment: makes this machine known to a server.
//!
//! The key is on disk before the token is sent, so that a retry after a lost reply comes from the same key, which
//! the server lets in again. The credential comes back encrypted to that key.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use roadstead_api::{
    agent::{AgentEnroll, Enrolled, Enrolment},
    id::{AgentId, VaultId},
};
use roadstead_client::Client;

use crate::{
    data_dir::DataDir,
    error::{Error, ErrorKind, Result},
    host,
    identity::Identity,
    key::AgentKey,
    server_url::ServerUrl,
    token::Trust,
};

/// What to enrol, and where.
#[derive(Clone)]
pub struct EnrollOptions {
    /// The server's address, such as `http://127.0.0.1:7643`.
    pub server: String,
    /// The enrolment token.
    pub token: String,
    /// The folder of the agent; made where it is missing.
    pub data_dir: PathBuf,
    /// The agent's name; the host name when absent.
    pub name: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// The agent's number on its server.
    pub agent_id: AgentId,
    /// Where its backups go.
    pub vault_id: VaultId,
    /// Its name.
    pub name: String,
    /// The server's address, as it was understood.
    pub server: String,
    /// SHA-256 of the agent's public key, in hexadecimal: to be compared with what the server shows.
    pub fingerprint: String,
}

/// Enrols an agent. May be repeated until it succeeds: the same folder means the same key.
///
/// Errors: [`ErrorKind::Token`], [`ErrorKind::Address`], [`ErrorKind::AlreadyEnrolled`], [`ErrorKind::Busy`],
/// [`ErrorKind::Enrolment`] with the client's error as its source, [`ErrorKind::Key`], [`ErrorKind::Io`].
pub async fn enroll(options: EnrollOptions) -> Result<Enrollment> {
    let trust = Trust::of_token(&options.token)?;
    let server = ServerUrl::parse(&options.server)?;
    let data = DataDir::new(options.data_dir);
    data.create()?;
    // First, so that an agent that runs here is told by its name rather than as a lock.
    refuse_enrolled(&data)?;
    let _lock = data.lock_agent()?;
    refuse_enrolled(&data)?;
    let key = AgentKey::load_or_create(&data.key())?;
    let host = host::facts();
    let name = options.name.unwrap_or_else(|| host.hostname.clone());
    let enrolment =
        Enrolment { token: options.token, name: name.clone(), public_key: key.public_pem()?, host };
    let enrolled = call(&server, &enrolment).await?;
    let credential = credential(&key, &enrolled)?;
    let Enrolled { agent_id, vault_id, .. } = enrolled;
    let identity =
        Identity { server, trust, agent_id, vault_id: vault_id.clone(), name: name.clone(), credential };
    identity.save(&data)?;
    let server = identity.server.into();
    Ok(Enrollment { agent_id, vault_id, name, server, fingerprint: key.fingerprint()? })
}

fn refuse_enrolled(data: &DataDir) -> Result<()> {
    let Some(Identity { server, agent_id, name, .. }) = Identity::find(data)? else { return Ok(()) };
    let folder = data.path().display();
    let context = format!("{folder} is enrolled already, as agent {agent_id} ({name}) of {server}");
    Err(Error::new(ErrorKind::AlreadyEnrolled, context))
}

async fn call(server: &ServerUrl, enrolment: &Enrolment) -> Result<Enrolled> {
    let failed =
        |e| Error::new(ErrorKind::Enrolment, format!("{server} did not enrol this agent")).caused_by(e);
    let client = Client::anonymous(server.as_str()).map_err(failed)?;
    client.call::<AgentEnroll>(&(), &(), enrolment).await.map_err(failed)
}

fn credential(key: &AgentKey, enrolled: &Enrolled) -> Result<String> {
    let unusable = || Error::new(ErrorKind::Protocol, "the credential that the server sent is not one");
    let encrypted = STANDARD.decode(&enrolled.encrypted_credential).map_err(|e| unusable().caused_by(e))?;
    let credential = String::from_utf8(key.decrypt(&encrypted)?).map_err(|_| unusable())?;
    // It becomes a header's value; what cannot be one is told now rather than at every connection.
    let fits = !credential.is_empty() && credential.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(credential) } else { Err(unusable()) }
}
