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
    ca,
    data_dir::DataDir,
    error::{Error, ErrorKind, Result},
    host,
    identity::Identity,
    key::AgentKey,
    proxy::{self, ProxyUrl},
    server_url::ServerUrl,
    token,
    trust::Trust,
};

/// What to enrol, and where.
#[derive(Clone)]
pub struct EnrollOptions {
    /// The server's address, such as `https://backup.example.com:7643`.
    pub server: String,
    /// The enrolment token.
    pub token: String,
    /// The folder of the agent; made where it is missing.
    pub data_dir: PathBuf,
    /// The agent's name; the host name when absent.
    pub name: Option<String>,
    /// The CA certificates (PEM) that alone may vouch for the server, where the token leaves that to public CAs.
    pub ca_pem: Option<String>,
    /// The HTTP proxy to reach the server through, from now on; what the environment says each time when absent.
    pub proxy: Option<String>,
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
/// Errors: [`ErrorKind::Token`], [`ErrorKind::Address`], [`ErrorKind::Untrusted`] before the token is sent,
/// [`ErrorKind::Link`], [`ErrorKind::AlreadyEnrolled`], [`ErrorKind::Busy`],
/// [`ErrorKind::Enrolment`] with the client's error as its source, [`ErrorKind::Key`], [`ErrorKind::Io`].
pub async fn enroll(options: EnrollOptions) -> Result<Enrollment> {
    let trust = token::trust(&options.token)?;
    let server = ServerUrl::parse(&options.server)?;
    trust.check(&server)?;
    let named = options.proxy.as_deref().map(ProxyUrl::parse).transpose()?;
    let proxy = named.clone().map_or_else(|| proxy::from_environment(&server), |named| Ok(Some(named)))?;
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
    let (trust, ca_pem) = believe(trust, &server, options.ca_pem, proxy.as_ref()).await?;
    let enrolled = call(&server, ca_pem.as_deref(), proxy.as_ref(), &enrolment).await?;
    let credential = credential(&key, &enrolled)?;
    let Enrolled { agent_id, vault_id, .. } = enrolled;
    let vault = vault_id.clone();
    let identity = Identity {
        server,
        trust,
        agent_id,
        vault_id: vault,
        name: name.clone(),
        credential,
        proxy: named,
        ca_pem,
    };
    identity.save(&data)?;
    let server = identity.server.into();
    Ok(Enrollment { agent_id, vault_id, name, server, fingerprint: key.fingerprint()? })
}

/// Who the agent of this folder is. Errors: [`ErrorKind::Io`], [`ErrorKind::Key`], and [`ErrorKind::NotEnrolled`] where
/// there is none.
pub fn enrolled(data_dir: PathBuf) -> Result<Enrollment> {
    let data = DataDir::new(data_dir);
    let identity = Identity::load(&data)?;
    let fingerprint = AgentKey::load_or_create(&data.key())?.fingerprint()?;
    let Identity { server, agent_id, vault_id, name, .. } = identity;
    Ok(Enrollment { agent_id, vault_id, name, server: server.into(), fingerprint })
}

fn refuse_enrolled(data: &DataDir) -> Result<()> {
    let Some(Identity { server, agent_id, name, .. }) = Identity::find(data)? else { return Ok(()) };
    let folder = data.path().display();
    let context = format!("{folder} is enrolled already, as agent {agent_id} ({name}) of {server}");
    Err(Error::new(ErrorKind::AlreadyEnrolled, context))
}

/// Whom to believe from now on, and the CA that goes with it.
async fn believe(
    trust: Trust,
    server: &ServerUrl,
    named: Option<String>,
    proxy: Option<&ProxyUrl>,
) -> Result<(Trust, Option<String>)> {
    match (trust, named) {
        (Trust::Ca(hash), _) => {
            let pem = ca::find(server, &hash, proxy).await?;
            Ok((Trust::Ca(hash), Some(pem)))
        }
        (Trust::Public, Some(pem)) => Ok((Trust::Named, Some(pem))),
        (trust, _) => Ok((trust, None)),
    }
}

async fn call(
    server: &ServerUrl,
    ca_pem: Option<&str>,
    proxy: Option<&ProxyUrl>,
    enrolment: &Enrolment,
) -> Result<Enrolled> {
    let failed = |e: roadstead_client::Error| {
        let kind = match e.kind() {
            roadstead_client::ErrorKind::Untrusted => ErrorKind::Untrusted,
            _ => ErrorKind::Enrolment,
        };
        Error::new(kind, format!("{server} did not enrol this agent")).caused_by(e)
    };
    let mut client = Client::builder(server.as_str());
    if let Some(pem) = ca_pem {
        client = client.ca_pem(pem);
    }
    if let Some(proxy) = proxy {
        client = client.proxy(proxy.as_str());
    }
    let client = client.build().map_err(failed)?;
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
