//! The API: its calls and the types they carry. Every path ends in a slash, changes are forms, lists come whole.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Request, Url, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    credentials::Secret,
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Auth, Base, Call, HttpClient, Repeat, Service, set_secret},
    machine::MachineOrder,
};

const SERVICE: Service = Service::json("NephoScale");

/// The group of keys that log in to a server, and that of its console.
const SERVER_KEYS: &str = "1";
const CONSOLE_KEYS: &str = "4";
/// Bytes of chance in the password of a console, which nobody is told.
const PASSWORD_BYTES: usize = 18;

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) hostname: Option<String>,
    /// `on`, `off` or `unknown`.
    pub(super) power_status: Option<String>,
    /// Addresses with commas between them.
    pub(super) ipaddresses: Option<String>,
    pub(super) zone: Option<Named>,
    pub(super) image: Option<Named>,
    pub(super) service_type: Option<Named>,
    pub(super) create_time: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) friendly_name: Option<String>,
    /// Of a size, in megabytes.
    pub(super) ram: Option<u64>,
    /// Of a size, in gigabytes.
    pub(super) storage: Option<u64>,
    /// Of a size.
    pub(super) pcpus: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Key {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) public_key: String,
}

#[derive(Deserialize)]
struct Body<T> {
    data: T,
}

struct Basic(Secret);

#[async_trait]
impl Auth for Basic {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        set_secret(request, AUTHORIZATION, self.0.expose())
    }
}

/// The calls.
#[derive(Debug)]
pub(super) struct Api {
    http: HttpClient,
    base: Base,
}

impl Api {
    pub(super) fn new(setup: &Setup, endpoint: &str) -> Result<Self> {
        let given = &setup.credentials;
        let (user, password) =
            (given.required_text("username")?, given.required_secret("password")?.expose());
        let basic = Secret::new(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))));
        let http = HttpClient::new(setup, SERVICE)?;
        http.redactor().hide(basic.expose());
        Ok(Self { http: http.signed_by(Arc::new(Basic(basic))), base: Base::parse("endpoint", endpoint)? })
    }

    pub(super) async fn servers(&self) -> Result<Vec<Server>> {
        self.list(&["server", "cloud"]).await
    }

    pub(super) async fn images(&self) -> Result<Vec<Named>> {
        self.list(&["image", "server"]).await
    }

    pub(super) async fn sizes(&self) -> Result<Vec<Named>> {
        self.list(&["server", "type", "cloud"]).await
    }

    pub(super) async fn zones(&self) -> Result<Vec<Named>> {
        self.list(&["datacenter", "zone"]).await
    }

    pub(super) async fn keys(&self) -> Result<Vec<Key>> {
        self.list(&["key", "sshrsa"]).await
    }

    pub(super) async fn add_key(&self, name: &str, public_key: &str) -> Result<u64> {
        let form = [("name", name), ("public_key", public_key), ("key_group", SERVER_KEYS)];
        self.add(&["key", "sshrsa"], &form).await
    }

    /// Adds a key for the console, which the API wants with every server. Nobody gets to know it.
    pub(super) async fn add_console_key(&self, name: &str) -> Result<u64> {
        let mut bytes = [0; PASSWORD_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|e| Error::new(ErrorKind::Failed, "this system gives no random numbers").caused_by(e))?;
        let password = BASE64_STANDARD.encode(bytes);
        self.http.redactor().hide(&password);
        let form = [("name", name), ("password", password.as_str()), ("key_group", CONSOLE_KEYS)];
        self.add(&["key", "password"], &form).await
    }

    pub(super) async fn create(
        &self,
        order: &MachineOrder,
        name: &str,
        hostname: &str,
        [key, console_key]: [u64; 2],
    ) -> Result<()> {
        let (key, console_key) = (key.to_string(), console_key.to_string());
        let mut form = vec![
            ("name", name),
            ("hostname", hostname),
            ("service_type", &order.size),
            ("image", &order.image),
            ("server_key", &key),
            ("console_key", &console_key),
        ];
        form.extend(order.location.as_deref().map(|zone| ("zone", zone)));
        let call = Call::post(self.url(&["server", "cloud"])?).form(&form).repeat(Repeat::Never);
        self.http.send(call).await.map(drop)
    }

    pub(super) async fn tell(&self, id: u64, what: &str) -> Result<()> {
        let call = Call::post(self.url(&["server", "cloud", &id.to_string(), "initiator", what])?);
        self.http.send(call).await.map(drop)
    }

    pub(super) async fn rename(&self, id: u64, name: &str) -> Result<()> {
        let call = Call::put(self.url(&["server", "cloud", &id.to_string()])?).repeat(Repeat::Always);
        self.http.send(call.form(&[("name", name)])).await.map(drop)
    }

    pub(super) async fn destroy(&self, id: u64) -> Result<()> {
        self.http.send(Call::delete(self.url(&["server", "cloud", &id.to_string()])?)).await.map(drop)
    }

    async fn add(&self, path: &[&str], form: &[(&str, &str)]) -> Result<u64> {
        let made: Body<Key> = self.http.json(Call::post(self.url(path)?).form(form)).await?;
        Ok(made.data.id)
    }

    async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>> {
        Ok(self.http.json::<Body<Vec<T>>>(Call::get(self.url(path)?)).await?.data)
    }

    fn url(&self, path: &[&str]) -> Result<Url> {
        let mut url = self.base.at(path)?;
        url.set_path(&format!("{}/", url.path()));
        Ok(url)
    }
}
