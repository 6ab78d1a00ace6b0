//! `docker`: an engine of containers, Docker's or Podman's, with each container as a machine.
//!
//! ```text
//!   Settings  ->  Transport (TCP, TLS, SSH, socket)  ->  Caller (HTTP)  ->  wire (JSON)  ->  machines, images, networks
//! ```
//!
//! The driver speaks the Engine API itself, over hyper; `docs/decisions/0004` says why. Ids of containers are 64
//! hexadecimal digits, and nothing else gets into a path.

mod call;
mod exec;
mod log;
mod order;
mod pull;
mod settings;
#[cfg(feature = "sim")]
pub mod sim;
mod transport;
mod wire;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hyper::{Method, header::HeaderValue};
use roadstead_api::{image::Image, network::Network, size::Size};
use serde_json::Map;

use self::{
    call::{Caller, encoded},
    log::Log,
    settings::{FIELDS, Settings},
    transport::Transport,
    wire::{Container, EngineNetwork, FoundImage, Inspected, LocalImage, SIZE},
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    credentials::Secret,
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
    machine::{MachineOrder, SeenMachine},
    pins::Pins,
    remote::{Program, Remote},
    tcp::within,
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Docker::new(setup)?)),
};

const PROVIDER: &str = "docker";
const CAPABILITIES: Capabilities = Capabilities::of(&[
    Capability::Images,
    Capability::Sizes,
    Capability::Networks,
    Capability::Create,
    Capability::Start,
    Capability::Stop,
    Capability::Reboot,
    Capability::Destroy,
    Capability::Rename,
    Capability::ConsoleOutput,
    Capability::Exec,
]);

/// How many images of a registry a search shows.
const FOUND_IMAGES: u32 = 25;
/// How many lines of a log are asked for.
const LOG_LINES: u32 = 5000;
/// How much of a log is read at the most; lines may be of any length.
const MAX_LOG_BYTES: usize = 64 * 1024 * 1024;
/// How long a container may take to stop before the engine ends it, in seconds.
const GRACE_SECONDS: u32 = 10;

struct Docker {
    caller: Arc<Caller>,
    guard: AddressGuard,
    connect: Duration,
}

impl fmt::Debug for Docker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Docker").field("engine", &self.caller.transport().name).finish_non_exhaustive()
    }
}

impl Docker {
    fn new(setup: Setup) -> Result<Self> {
        let mut settings = Settings::read(&setup.credentials, &setup.local)?;
        let authorization = settings.basic.take().map(|(user, password)| authorization(&user, &password));
        let transport = Transport::new(settings, &setup)?;
        let caller = Arc::new(Caller::new(transport, authorization.transpose()?, setup.timeouts));
        Ok(Self { caller, guard: setup.guard, connect: setup.timeouts.connect })
    }

    /// The addresses of the engine's host.
    async fn host_addresses(&self) -> Vec<IpAddr> {
        let Some(host) = self.caller.transport().host() else { return Vec::new() };
        let found = within(self.connect, || host.to_owned(), self.guard.resolve(host, 0)).await;
        found.unwrap_or_default().into_iter().map(|address| address.ip()).collect()
    }

    async fn seen(&self, query: &str) -> Result<Vec<SeenMachine>> {
        let containers: Vec<Container> =
            self.caller.get(&format!("/containers/json?all=true{query}")).await?;
        let addresses = self.host_addresses().await;
        let host = self.caller.transport().host();
        Ok(containers.iter().map(|container| container.seen(host, &addresses)).collect())
    }

    async fn tell(&self, id: &str, what: &str) -> Result<()> {
        let path = format!("/containers/{}/{what}", checked(id)?);
        self.caller.post(&path, None).await.map(drop).map_err(|error| named(id, error))
    }
}

#[async_trait]
impl Driver for Docker {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn limits(&self) -> Limits {
        order::LIMITS
    }

    fn pins(&self) -> Pins {
        self.caller.transport().pins()
    }

    async fn validate(&self) -> Result<()> {
        self.caller.greet().await?;
        // A proxy may let everybody ask whether the engine is there, and nothing else.
        self.seen("&limit=1").await.map(drop)
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        self.seen("").await
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let local: Vec<LocalImage> = self.caller.get("/images/json").await?;
        let mut images: Vec<Image> = local.into_iter().flat_map(LocalImage::images).collect();
        let Some(search) = search else { return Ok(images) };
        let wanted = search.to_lowercase();
        images.retain(|image| image.name.to_lowercase().contains(&wanted));
        let path = format!("/images/search?term={}&limit={FOUND_IMAGES}", encoded(search));
        // An engine without a way to its registry still has images of its own.
        let found: Vec<FoundImage> = self.caller.get(&path).await.unwrap_or_default();
        for image in found.into_iter().map(FoundImage::image) {
            if images.iter().all(|known| known.id != image.id) {
                images.push(image);
            }
        }
        Ok(images)
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        let name = SIZE.to_owned();
        Ok(vec![Size {
            id: name.clone(),
            name,
            cpus: None,
            memory_bytes: None,
            disk_bytes: None,
            price: None,
            extra: Map::new(),
        }])
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        let networks: Vec<EngineNetwork> = self.caller.get("/networks").await?;
        Ok(networks.into_iter().map(EngineNetwork::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order::check(order)?;
        let mut ids = Vec::new();
        for name in order.names() {
            match order::make(&self.caller, order, &name).await {
                Ok(id) => ids.push(id),
                Err(error) => return Err(order.cut_short(ids.len(), error)),
            }
        }
        let mut machines = self.machines().await?;
        machines.retain(|machine| ids.contains(&machine.external_id));
        Ok(machines)
    }

    async fn start(&self, id: &str) -> Result<()> {
        match self.tell(id, "start").await {
            // The engine refuses to start what is paused.
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Failed) => {
                self.tell(id, "unpause").await.map_err(|_| error)
            }
            done => done,
        }
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.tell(id, &format!("stop?t={GRACE_SECONDS}")).await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.tell(id, &format!("restart?t={GRACE_SECONDS}")).await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        let path = format!("/containers/{}?force=true", checked(id)?);
        self.caller.call(Method::DELETE, &path, None).await.map(drop).map_err(|error| named(id, error))
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        order::check_name(name)?;
        self.tell(id, &format!("rename?name={}", encoded(name))).await
    }

    async fn open(&self, id: &str, program: Program) -> Result<Remote> {
        let opened = exec::open(self, checked(id)?, program).await;
        opened.map_err(|error| match error.kind() {
            ErrorKind::Conflict => {
                Error::new(ErrorKind::Conflict, "the container does not run").caused_by(error)
            }
            _ => named(id, error),
        })
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        let path = format!("/containers/{}", checked(id)?);
        let found: Inspected = self.caller.get(&format!("{path}/json")).await?;
        let mut log = Log::new(found.config.unwrap_or_default().tty);
        let path = format!("{path}/logs?stdout=true&stderr=true&tail={LOG_LINES}");
        let mut reply = self.caller.call(Method::GET, &path, None).await?;
        let mut read = 0;
        while let Some(piece) = reply.piece().await?
            && read < MAX_LOG_BYTES
        {
            read += piece.len();
            log.take(&piece);
        }
        Ok(log.text())
    }
}

/// The id, if it is one.
fn checked(id: &str) -> Result<&str> {
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id);
    }
    Err(Error::new(ErrorKind::NotFound, "this backend has no such machine"))
}

/// A refusal that says which container it is about, where the engine does not.
fn named(id: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            Error::new(ErrorKind::NotFound, "this backend has no such machine").caused_by(error)
        }
        ErrorKind::Conflict => {
            let short = id.get(..12).unwrap_or(id);
            Error::new(ErrorKind::Conflict, format!("the container {short} cannot do this now"))
                .caused_by(error)
        }
        _ => error,
    }
}

fn authorization(user: &str, password: &Secret) -> Result<HeaderValue> {
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()))))
            .map_err(|_| Error::invalid("auth_password", "has characters that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
