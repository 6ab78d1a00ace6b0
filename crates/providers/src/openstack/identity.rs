//! Who asks: tokens from Keystone, and the catalogue of services that comes with them.
//!
//! Version 3 (password, application credential) and version 2 (password, Rackspace's API key). Which one the address
//! tells by its end, or Keystone by its list of versions. A token is kept until a minute before it expires, or until
//! somebody does not take it any more.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Request, header::HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::settings::{Login, Project, Settings};
use crate::{
    error::{Error, ErrorKind, Result},
    http::{Auth, Base, Call, HttpClient, Repeat, set_secret},
};

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// How long before its end a token is not used any more.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// Keystone, and the token that it gave last.
pub(super) struct Identity {
    http: HttpClient,
    settings: Settings,
    session: Mutex<Option<Arc<Session>>>,
}

/// What a login gave.
struct Session {
    token: String,
    expires_at: Timestamp,
    catalog: Vec<Endpoint>,
}

/// Where a service is.
struct Endpoint {
    /// `compute`, `image`, `network`.
    service: String,
    region: Option<String>,
    interface: String,
    url: String,
}

impl Identity {
    pub(super) fn new(http: HttpClient, settings: Settings) -> Self {
        Self { http, settings, session: Mutex::default() }
    }

    /// The address of a service of this type.
    ///
    /// Errors: [`ErrorKind::Unsupported`] where the cloud has none in this region.
    pub(super) async fn endpoint(&self, service: &str) -> Result<Base> {
        if let Some(compute) = self.settings.compute.as_ref().filter(|_| service == "compute") {
            return Ok(compute.clone());
        }
        let session = self.session().await?;
        let interface = self.settings.interface.as_str();
        let of_kind = |endpoint: &&Endpoint| endpoint.service == service && endpoint.interface == interface;
        let found: Vec<&Endpoint> = session.catalog.iter().filter(of_kind).collect();
        let chosen = self.in_region(&found)?.ok_or_else(|| {
            let place = self.settings.region.as_deref().map(|region| format!(" in the region {region}"));
            let message =
                format!("the cloud has no {interface} endpoint for {service}{}", place.unwrap_or_default());
            Error::new(ErrorKind::Unsupported, message)
        })?;
        // What Keystone says is outside data, too; no field is to blame for it.
        Base::parse("catalog", &chosen.url).map_err(|error| {
            let message = format!("the catalogue gives an address for {service} that is none");
            Error::new(ErrorKind::Malformed, message).caused_by(error)
        })
    }

    /// The endpoint of the chosen region. Without a choice there may be one region only.
    fn in_region<'a>(&self, found: &[&'a Endpoint]) -> Result<Option<&'a Endpoint>> {
        let mut regions: Vec<&str> = found.iter().filter_map(|endpoint| endpoint.region.as_deref()).collect();
        regions.sort_unstable();
        regions.dedup();
        match &self.settings.region {
            Some(wanted) => {
                let here = |endpoint: &&&Endpoint| {
                    endpoint.region.as_ref().is_some_and(|region| region.eq_ignore_ascii_case(wanted))
                };
                Ok(found.iter().find(here).copied())
            }
            None if regions.len() > 1 => {
                Err(Error::invalid("region", format!("is missing; the cloud has {}", regions.join(", "))))
            }
            None => Ok(found.first().copied()),
        }
    }

    async fn session(&self) -> Result<Arc<Session>> {
        let mut kept = self.session.lock().await;
        if let Some(session) = kept.as_ref().filter(|session| session.expires_at > Timestamp::now() + MARGIN)
        {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.log_in().await?);
        self.http.redactor().hide(&session.token);
        *kept = Some(Arc::clone(&session));
        Ok(session)
    }

    async fn log_in(&self) -> Result<Session> {
        let base = &self.settings.identity;
        let last = base.url().path_segments().and_then(|mut path| path.rfind(|segment| !segment.is_empty()));
        match last {
            Some("v3") => self.log_in_v3(base).await,
            Some("v2.0") => self.log_in_v2(base).await,
            _ if matches!(self.settings.login, Login::ApiKey { .. }) => {
                self.log_in_v2(&base.below(&["v2.0"])?).await
            }
            _ if self.has_v3().await? => self.log_in_v3(&base.below(&["v3"])?).await,
            _ => self.log_in_v2(&base.below(&["v2.0"])?).await,
        }
    }

    /// Whether Keystone's list of versions names version 3. It comes with the status 300.
    async fn has_v3(&self) -> Result<bool> {
        let call = Call::get(self.settings.identity.url().clone());
        let reply = self.http.send(call).await?;
        let versions: Value = reply.json()?;
        let ids = versions["versions"]["values"].as_array().into_iter().flatten();
        Ok(ids.filter_map(|version| version["id"].as_str()).any(|id| id.starts_with("v3")))
    }

    async fn log_in_v3(&self, base: &Base) -> Result<Session> {
        let call = Call::post(base.at(&["auth", "tokens"])?).repeat(Repeat::Always);
        let reply = self.http.send(call.json(&v3_request(&self.settings.login)?)?).await?;
        let token = reply.header("x-subject-token").map(str::to_owned).ok_or_else(|| reply.malformed())?;
        let V3 { token: body } = reply.json()?;
        if body.catalog.is_empty() {
            return Err(Error::invalid("tenant_name", "is missing; the user has no project of its own"));
        }
        Ok(Session {
            token,
            expires_at: body.expires_at,
            catalog: body.catalog.into_iter().flat_map(of_v3).collect(),
        })
    }

    async fn log_in_v2(&self, base: &Base) -> Result<Session> {
        let call = Call::post(base.at(&["tokens"])?).repeat(Repeat::Always);
        let V2 { access } = self.http.json(call.json(&v2_request(&self.settings.login)?)?).await?;
        let catalog: Vec<_> = access.catalog.into_iter().flat_map(of_v2).collect();
        if catalog.is_empty() {
            return Err(Error::invalid("tenant_name", "is missing; the user has no project of its own"));
        }
        Ok(Session { token: access.token.id, expires_at: access.token.expires, catalog })
    }
}

#[async_trait]
impl Auth for Identity {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        let session = self.session().await?;
        set_secret(request, TOKEN, &session.token)
    }

    async fn renew(&self, refused: &Request, _: Option<Timestamp>) -> bool {
        let mut kept = self.session.lock().await;
        let sent = refused.headers().get(TOKEN).and_then(|value| value.to_str().ok());
        // Another call may have renewed it in the meantime.
        if kept.as_ref().is_some_and(|session| Some(session.token.as_str()) == sent) {
            *kept = None;
        }
        true
    }
}

fn v3_request(login: &Login) -> Result<Value> {
    match login {
        Login::Password { username, password, user_domain, project } => {
            let user =
                json!({"name": username, "domain": {"name": user_domain}, "password": password.expose()});
            let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
            match project {
                Some(Project::Id(id)) => auth["scope"] = json!({"project": {"id": id}}),
                Some(Project::Name(name, domain)) => {
                    auth["scope"] = json!({"project": {"name": name, "domain": {"name": domain}}});
                }
                None => {}
            }
            Ok(json!({"auth": auth}))
        }
        Login::ApplicationCredential { id, secret } => {
            let credential = json!({"id": id, "secret": secret.expose()});
            let identity =
                json!({"methods": ["application_credential"], "application_credential": credential});
            Ok(json!({"auth": {"identity": identity}}))
        }
        Login::ApiKey { .. } => Err(Error::invalid("api_key", "is for version 2 of the identity service")),
    }
}

fn v2_request(login: &Login) -> Result<Value> {
    match login {
        Login::Password { username, password, project, .. } => {
            let credentials = json!({"username": username, "password": password.expose()});
            let mut auth = json!({"passwordCredentials": credentials});
            match project {
                Some(Project::Id(id)) => auth["tenantId"] = json!(id),
                Some(Project::Name(name, _)) => auth["tenantName"] = json!(name),
                None => {}
            }
            Ok(json!({"auth": auth}))
        }
        Login::ApiKey { username, key } => {
            let credentials = json!({"username": username, "apiKey": key.expose()});
            Ok(json!({"auth": {"RAX-KSKEY:apiKeyCredentials": credentials}}))
        }
        Login::ApplicationCredential { .. } => Err(Error::invalid(
            "application_credential_id",
            "needs version 3 of Keystone, and this cloud has version 2",
        )),
    }
}

#[derive(Deserialize)]
struct V3 {
    token: V3Token,
}

#[derive(Deserialize)]
struct V3Token {
    expires_at: Timestamp,
    #[serde(default)]
    catalog: Vec<V3Service>,
}

#[derive(Deserialize)]
struct V3Service {
    #[serde(rename = "type")]
    service: String,
    #[serde(default)]
    endpoints: Vec<V3Endpoint>,
}

#[derive(Deserialize)]
struct V3Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

fn of_v3(service: V3Service) -> Vec<Endpoint> {
    let endpoint = |endpoint: V3Endpoint| Endpoint {
        service: service.service.clone(),
        region: endpoint.region_id.or(endpoint.region),
        interface: endpoint.interface,
        url: endpoint.url,
    };
    service.endpoints.into_iter().map(endpoint).collect()
}

#[derive(Deserialize)]
struct V2 {
    access: V2Access,
}

#[derive(Deserialize)]
struct V2Access {
    token: V2Token,
    #[serde(default, rename = "serviceCatalog")]
    catalog: Vec<V2Service>,
}

#[derive(Deserialize)]
struct V2Token {
    id: String,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct V2Service {
    #[serde(rename = "type")]
    service: String,
    #[serde(default)]
    endpoints: Vec<V2Endpoint>,
}

#[derive(Deserialize)]
struct V2Endpoint {
    region: Option<String>,
    #[serde(rename = "publicURL")]
    public: Option<String>,
    #[serde(rename = "internalURL")]
    internal: Option<String>,
    #[serde(rename = "adminURL")]
    admin: Option<String>,
}

fn of_v2(service: V2Service) -> Vec<Endpoint> {
    let V2Service { service, endpoints } = service;
    let mut found = Vec::new();
    for V2Endpoint { region, public, internal, admin } in endpoints {
        for (interface, url) in [("public", public), ("internal", internal), ("admin", admin)] {
            let (service, region, interface) = (service.clone(), region.clone(), interface.to_owned());
            found.extend(url.map(|url| Endpoint { service, region, interface, url }));
        }
    }
    found
}
