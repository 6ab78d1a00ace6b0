//! A repository behind restic's REST protocol, version 2.
//!
//! Source: <https://restic.readthedocs.io/en/stable/REST_backend.html>. Lists carry sizes
//! (`application/vnd.x.restic.rest.v2`). Problem bodies (RFC 9457) end up in the
//! error's message.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::http::{self, MAX_FILE, MAX_PROBLEM, read_body, transport_error};
use super::{FileKind, Name, Store};
use crate::error::{Error, ErrorKind, Result};

const LIST_V2: &str = "application/vnd.x.restic.rest.v2";
/// A list of ten million packs.
const MAX_LIST: u64 = 1 << 30;
/// How to prove who we are. The secret never appears in messages.
#[derive(Clone, Default)]
pub enum RestAuth {
    /// Not at all.
    #[default]
    None,
    /// With user name and password.
    Basic(String, String),
    /// With a token.
    Bearer(String),
}

/// Where a REST repository is and how to talk to it.
#[derive(Clone, Default)]
pub struct RestConfig {
    /// The repository's URL, `http` or `https`, without credentials; a slash at its end makes no difference.
    pub url: String,
    /// Credentials.
    pub auth: RestAuth,
    /// The certificates (PEM, one or several) that alone are trusted; the public ones when `None`.
    pub ca_pem: Option<Vec<u8>>,
    /// How long a connection may be silent; 60 seconds when `None`.
    pub timeout: Option<Duration>,
    /// The HTTP proxy to go through, an `http` URL perhaps with user and password; none when `None`.
    pub proxy: Option<String>,
}

/// A [`Store`] on a REST server.
pub struct RestStore {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

impl RestStore {
    /// A store on this server. Nothing is sent yet. [`ErrorKind::Invalid`] when the URL or a certificate
    /// cannot be used.
    pub fn new(config: RestConfig) -> Result<Self> {
        http::require_http(&config.url)?;
        let authorization = match &config.auth {
            RestAuth::None => None,
            RestAuth::Basic(user, password) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            RestAuth::Bearer(token) => Some(format!("Bearer {token}")),
        };
        let agent = http::agent(config.ca_pem.as_deref(), config.timeout, config.proxy.as_deref())?;
        Ok(Self { agent, url: config.url.trim_end_matches('/').to_owned(), authorization })
    }

    /// Asks the server to prepare an empty repository, as restic does before it writes a config.
    pub fn create(&self) -> Result<()> {
        let request = self.agent.post(format!("{}/?create=true", self.url));
        self.answer("creating the repository", authorized(request, self).send_empty())?;
        Ok(())
    }

    fn path(&self, kind: FileKind, name: &Name) -> String {
        match kind {
            FileKind::Config => format!("{}/config", self.url),
            _ => format!("{}/{}/{name}", self.url, kind.dir()),
        }
    }

    /// Turns transport failures and error statuses into errors.
    fn answer(&self, doing: &str, result: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let mut response = result.map_err(|e| transport_error(doing, e))?;
        if response.status().is_success() { Ok(response) } else { Err(status_error(doing, &mut response)) }
    }
}

fn authorized<B>(request: ureq::RequestBuilder<B>, store: &RestStore) -> ureq::RequestBuilder<B> {
    match &store.authorization {
        Some(value) => request.header("Authorization", value),
        None => request,
    }
}

/// RFC 9457, as far as it is of use here.
#[derive(Deserialize)]
struct ProblemJson {
    detail: Option<String>,
    title: Option<String>,
}

fn status_error(doing: &str, response: &mut Response<Body>) -> Error {
    let status = response.status();
    let kind = http::status_kind(status.as_u16());
    let body = response.body_mut().with_config().limit(MAX_PROBLEM).read_to_vec().unwrap_or_default();
    let problem: Option<ProblemJson> = serde_json::from_slice(&body).ok();
    let detail = problem.and_then(|problem| problem.detail.or(problem.title));
    match detail {
        Some(detail) => Error::new(kind, format!("{doing}: {detail:.500} ({status})")),
        None => Error::new(kind, format!("{doing}: {status}")),
    }
}

/// One file in a list.
#[derive(Deserialize)]
struct ListedJson {
    name: String,
    size: u64,
}

impl Store for RestStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        if kind == FileKind::Config {
            return match self.size(kind, &Name::CONFIG) {
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                other => other.map(|size| vec![(Name::CONFIG, size)]),
            };
        }
        let doing = format!("listing {kind}");
        let request = self.agent.get(format!("{}/{}/", self.url, kind.dir())).header("Accept", LIST_V2);
        let response = match self.answer(&doing, authorized(request, self).call()) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let body = read_body(&doing, response, MAX_LIST)?;
        let listed: Option<Vec<ListedJson>> =
            serde_json::from_slice(&body).map_err(|e| Error::damaged(doing).with_source(e))?;
        let file = |file: ListedJson| Some((file.name.parse().ok()?, file.size));
        Ok(listed.unwrap_or_default().into_iter().filter_map(file).collect())
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        let doing = format!("reading {kind}/{name}");
        let response = self.answer(&doing, authorized(self.agent.get(self.path(kind, name)), self).call())?;
        read_body(&doing, response, MAX_FILE)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let doing = format!("reading {kind}/{name}");
        let request =
            self.agent.get(self.path(kind, name)).header("Range", http::range(offset, length as u64));
        http::read_part(&doing, self.answer(&doing, authorized(request, self).call())?, length)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        super::copy_range(self, kind, name, offset, bytes)
    }

    fn is_near(&self) -> bool {
        false
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        let request = self.agent.post(self.path(kind, name)).content_type("application/octet-stream");
        self.answer(&format!("storing {kind}/{name}"), authorized(request, self).send(bytes))?;
        Ok(())
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        let request = self.agent.delete(self.path(kind, name));
        self.answer(&format!("removing {kind}/{name}"), authorized(request, self).call())?;
        Ok(())
    }

    fn has_trash(&self) -> bool {
        false
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        super::no_trash(self, kind, name)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        let doing = format!("looking at {kind}/{name}");
        let response =
            self.answer(&doing, authorized(self.agent.head(self.path(kind, name)), self).call())?;
        http::told_length(&doing, &response)
    }

    fn location(&self) -> String {
        self.url.clone()
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        None
    }
}
