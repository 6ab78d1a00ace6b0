//! A repository behind restic's REST protocol, version 2.
//!
//! Source: <https://restic.readthedocs.io/en/stable/REST_backend.html>. Lists carry sizes
//! (`application/vnd.x.restic.rest.v2`). Bodies read are bounded; problem bodies (RFC 9457) end up in the
//! error's message. Connections are kept and shared by all threads.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::{FileKind, Name, Store};
use crate::error::{Error, ErrorKind, Result};

const LIST_V2: &str = "application/vnd.x.restic.rest.v2";
/// A list of ten million packs.
const MAX_LIST: u64 = 1 << 30;
/// The largest file read whole; restic's packs may be 128 MiB.
const MAX_FILE: u64 = 1 << 30;
const MAX_PROBLEM: u64 = 64 << 10;

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
        if !config.url.starts_with("http://") && !config.url.starts_with("https://") {
            return Err(Error::new(ErrorKind::Invalid, format!("not an HTTP URL: {}", config.url)));
        }
        let authorization = match &config.auth {
            RestAuth::None => None,
            RestAuth::Basic(user, password) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            RestAuth::Bearer(token) => Some(format!("Bearer {token}")),
        };
        let silence = config.timeout.unwrap_or(Duration::from_secs(60));
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(silence.min(Duration::from_secs(20))))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .timeout_recv_response(Some(silence * 2))
            .user_agent(concat!("roadstead/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls(config.ca_pem.as_deref())?)
            .build()
            .new_agent();
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

fn tls(ca_pem: Option<&[u8]>) -> Result<TlsConfig> {
    let Some(pem) = ca_pem else { return Ok(TlsConfig::default()) };
    let mut roots = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        match item.map_err(|e| Error::new(ErrorKind::Invalid, "reading CA certificates").with_source(e))? {
            ureq::tls::PemItem::Certificate(certificate) => roots.push(certificate),
            _ => return Err(Error::new(ErrorKind::Invalid, "the CA certificates contain something else")),
        }
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::from(roots)).build())
}

fn transport_error(doing: &str, error: ureq::Error) -> Error {
    let kind = match &error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => ErrorKind::Unreachable,
        ureq::Error::BodyExceedsLimit(_) => ErrorKind::Damaged,
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => ErrorKind::Invalid,
        _ => ErrorKind::Io,
    };
    Error::new(kind, doing).with_source(error)
}

/// RFC 9457, as far as it is of use here.
#[derive(Deserialize)]
struct ProblemJson {
    detail: Option<String>,
    title: Option<String>,
}

fn status_error(doing: &str, response: &mut Response<Body>) -> Error {
    let status = response.status();
    let kind = match status.as_u16() {
        401 | 403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        413 | 507 => ErrorKind::Full,
        416 => ErrorKind::Damaged,
        408 | 425 | 429 | 500 | 502 | 503 | 504 => ErrorKind::Unreachable,
        400..500 => ErrorKind::Invalid,
        _ => ErrorKind::Io,
    };
    let body = response.body_mut().with_config().limit(MAX_PROBLEM).read_to_vec().unwrap_or_default();
    let problem: Option<ProblemJson> = serde_json::from_slice(&body).ok();
    let detail = problem.and_then(|problem| problem.detail.or(problem.title));
    match detail {
        Some(detail) => Error::new(kind, format!("{doing}: {detail:.500} ({status})")),
        None => Error::new(kind, format!("{doing}: {status}")),
    }
}

fn read_body(doing: &str, mut response: Response<Body>, limit: u64) -> Result<Vec<u8>> {
    // The library counts the read that finds the end, too.
    let body = response.body_mut().with_config().limit(limit + 1).read_to_vec();
    body.map_err(|e| transport_error(doing, e))
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
        let range = format!("bytes={offset}-{}", offset + length as u64 - 1);
        let request = self.agent.get(self.path(kind, name)).header("Range", range);
        let response = self.answer(&doing, authorized(request, self).call())?;
        if response.status() != 206 {
            return Err(Error::new(ErrorKind::Unsupported, format!("{doing}: the server ignores ranges")));
        }
        let bytes = read_body(&doing, response, length as u64)?;
        if bytes.len() == length {
            Ok(bytes)
        } else {
            Err(Error::damaged(format!("{kind}/{name} is shorter than it should be")))
        }
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

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        let doing = format!("looking at {kind}/{name}");
        let response =
            self.answer(&doing, authorized(self.agent.head(self.path(kind, name)), self).call())?;
        let length =
            response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
        length.ok_or_else(|| Error::new(ErrorKind::Unsupported, format!("{doing}: the server told no size")))
    }

    fn location(&self) -> String {
        self.url.clone()
    }
}
