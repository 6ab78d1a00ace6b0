//! Which version of the API is spoken, and who asks.
//!
//! The Director lists its versions to everybody; the newest that this driver knows is taken. From 33 on the login is a
//! session of the newer API, which gives a bearer's token; where that is not there, and before, it is the old one. A
//! token that is not taken any more is thrown away, and the next call logs in again.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use reqwest::{
    Request,
    header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue},
};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    credentials::Secret,
    error::{Error, ErrorKind, Result},
    http::{Auth, Base, Call, HttpClient, Repeat, set_secret},
};

/// The newest version that this driver knows. A newer Director speaks it, too, for some years.
const NEWEST: (u32, u32) = (38, 1);
/// The version from which on there is the newer login.
const NEWER_LOGIN: (u32, u32) = (33, 0);

const OLD_TOKEN: HeaderName = HeaderName::from_static("x-vcloud-authorization");

/// The sessions of one user.
pub(super) struct Sessions {
    http: HttpClient,
    base: Base,
    basic: Secret,
    current: Mutex<Option<Arc<Session>>>,
}

struct Session {
    accept: String,
    header: HeaderName,
    token: String,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default, rename = "VersionInfo")]
    all: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    number: String,
}

impl Sessions {
    /// `login` is `user@organization`.
    pub(super) fn new(http: HttpClient, base: Base, login: &str, password: &str) -> Self {
        let basic = Secret::new(format!("Basic {}", BASE64_STANDARD.encode(format!("{login}:{password}"))));
        http.redactor().hide(basic.expose());
        Self { http, base, basic, current: Mutex::default() }
    }

    async fn session(&self) -> Result<Arc<Session>> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.as_ref() {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.log_in().await?);
        self.http.redactor().hide(&session.token);
        *current = Some(Arc::clone(&session));
        Ok(session)
    }

    async fn log_in(&self) -> Result<Session> {
        let version = self.version().await?;
        if version >= NEWER_LOGIN {
            match self.newer_login(version).await {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {}
                outcome => return outcome,
            }
        }
        self.old_login(version).await
    }

    async fn version(&self) -> Result<(u32, u32)> {
        let call = Call::get(self.base.at(&["api", "versions"])?).header("accept", "application/*+xml");
        let reply = self.http.send(call).await?;
        let text = String::from_utf8_lossy(&reply.body);
        let versions: Versions =
            quick_xml::de::from_str(&text).map_err(|e| reply.malformed().caused_by(e))?;
        let mut known: Vec<_> = versions.all.iter().filter_map(|version| numbers(&version.number)).collect();
        known.sort_unstable();
        let newest = known.iter().rev().find(|version| **version <= NEWEST).or(known.first());
        newest.copied().ok_or_else(|| reply.malformed())
    }

    async fn newer_login(&self, (major, minor): (u32, u32)) -> Result<Session> {
        let url = self.base.at(&["cloudapi", "1.0.0", "sessions"])?;
        let call = self.call(url, format!("application/json;version={major}.{minor}"));
        let reply = self.http.send(call).await?;
        let token = reply.header("x-vmware-vcloud-access-token").ok_or_else(|| reply.malformed())?;
        let accept = format!("application/*+xml;version={major}.{minor}");
        Ok(Session { accept, header: AUTHORIZATION, token: format!("Bearer {token}") })
    }

    async fn old_login(&self, (major, minor): (u32, u32)) -> Result<Session> {
        let accept = format!("application/*+xml;version={major}.{minor}");
        let reply = self.http.send(self.call(self.base.at(&["api", "sessions"])?, accept.clone())).await?;
        let token = reply.header(OLD_TOKEN.as_str()).ok_or_else(|| reply.malformed())?.to_owned();
        Ok(Session { accept, header: OLD_TOKEN, token })
    }

    fn call(&self, url: reqwest::Url, accept: String) -> Call {
        let call = Call::post(url).header("accept", accept).header("authorization", self.basic.expose());
        call.repeat(Repeat::Always)
    }
}

/// A version's numbers: `37.2`. Those of previews have letters in them, and are left out.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[async_trait]
impl Auth for Sessions {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        let session = self.session().await?;
        let accept = HeaderValue::from_str(&session.accept)
            .map_err(|e| Error::new(ErrorKind::Malformed, "the version cannot be named").caused_by(e))?;
        request.headers_mut().insert(ACCEPT, accept);
        set_secret(request, session.header.clone(), &session.token)
    }

    async fn renew(&self, refused: &Request, _: Option<Timestamp>) -> bool {
        let mut current = self.current.lock().await;
        let is_of = |session: &Arc<Session>| {
            refused.headers().get(&session.header).is_some_and(|sent| sent == session.token.as_str())
        };
        // Another call may have logged in again in the meantime.
        if current.as_ref().is_some_and(is_of) {
            *current = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_numbers_and_previews_are_left_out() {
        assert_eq!(numbers("37.2"), Some((37, 2)));
        assert_eq!(numbers("1.5"), Some((1, 5)));
        assert!(numbers("39.0") > numbers("5.11"));
        assert_eq!(numbers("39.0.0-alpha-1"), None);
        assert_eq!(numbers("seven"), None);
    }
}
