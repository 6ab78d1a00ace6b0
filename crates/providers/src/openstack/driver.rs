//! The driver of the three providers that speak OpenStack.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use roadstead_api::{
    image::Image,
    location::Location,
    network::{Network, NewNetwork},
    size::Size,
};
use serde_json::{Value, json};

use super::{compute::Compute, identity::Identity, lists::Lists, settings::Settings, shape};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Setup},
    error::{Error, ErrorKind, Result},
    http::{HttpClient, Service},
    machine::{MachineOrder, SeenMachine},
};

/// What a cloud with all of the services can do.
pub(super) const CAPABILITIES: Capabilities = Capabilities::CLOUD.and(&[
    Capability::Rename,
    Capability::Resize,
    Capability::Tag,
    Capability::ConsoleOutput,
    Capability::CreateNetwork,
    Capability::DeleteNetwork,
]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 255, machines_per_order: 50 };

/// Waits between the looks at a server that is being resized. What takes longer is confirmed later.
const RESIZE_WAITS: [u64; 9] = [100, 200, 400, 1000, 2000, 5000, 10_000, 15_000, 20_000];

/// How a provider's OpenStack differs.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Its id in the catalogue.
    pub(crate) provider: &'static str,
    /// Its name in messages.
    pub(crate) service: &'static str,
    /// What it can do.
    pub(crate) capabilities: Capabilities,
}

/// A cloud.
pub(crate) struct OpenStack {
    dialect: &'static Dialect,
    compute: Compute,
    lists: Lists,
}

impl fmt::Debug for OpenStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStack").field("dialect", self.dialect).finish_non_exhaustive()
    }
}

impl OpenStack {
    /// Makes the driver. Talks to nobody.
    pub(crate) fn new(setup: &Setup, settings: Settings, dialect: &'static Dialect) -> Result<Self> {
        let http = HttpClient::new(setup, Service::json(dialect.service))?;
        let identity = Arc::new(Identity::new(http.clone(), settings));
        let signed = http.signed_by(Arc::clone(&identity) as _);
        Ok(Self {
            dialect,
            compute: Compute::new(signed.clone(), Arc::clone(&identity)),
            lists: Lists::new(signed, identity),
        })
    }

    fn require(&self, capability: Capability) -> Result<()> {
        if self.dialect.capabilities.contains(capability) {
            return Ok(());
        }
        Err(Error::unsupported(self.dialect.provider, capability))
    }

    async fn act(&self, id: &str, capability: Capability, action: Value) -> Result<()> {
        self.require(capability)?;
        self.compute.act(id, &action).await
    }

    /// Waits a while for a resized server to ask whether all is well, and says that it is.
    async fn confirm_resize(&self, id: &str, size: &str) -> Result<()> {
        for wait in RESIZE_WAITS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let server = self.compute.server(id).await?;
            match server.status.as_str() {
                "VERIFY_RESIZE" => return self.compute.act(id, &json!({"confirmResize": null})).await,
                "ERROR" => {
                    return Err(Error::new(ErrorKind::Failed, "the cloud could not resize the machine"));
                }
                // Some clouds confirm by themselves.
                "ACTIVE" | "SHUTOFF" if server.flavor["id"] == size && server.task.is_none() => break,
                _ => {}
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty()
        || name.chars().count() > LIMITS.name_chars
        || name.chars().any(char::is_control)
    {
        return Err(Error::invalid("name", "takes one line of 1 to 255 characters"));
    }
    Ok(())
}

#[async_trait]
impl Driver for OpenStack {
    fn provider(&self) -> &'static str {
        self.dialect.provider
    }

    fn capabilities(&self) -> Capabilities {
        self.dialect.capabilities
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn validate(&self) -> Result<()> {
        self.compute.try_servers().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let able = self.dialect.capabilities;
        Ok(self.compute.servers().await?.into_iter().map(|server| shape::machine(server, able)).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let images = self.lists.images().await?;
        Ok(images.into_iter().filter(|image| shape::matches(image, search)).map(shape::image).collect())
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(self.compute.flavors().await?.into_iter().map(shape::size).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        self.require(Capability::Locations)?;
        let zones = self.compute.zones().await?;
        Ok(zones.into_iter().filter(|zone| zone.state.available).map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        self.require(Capability::Networks)?;
        Ok(shape::networks(self.lists.networks().await?, self.lists.subnets().await?))
    }

    async fn create_network(&self, new: &NewNetwork) -> Result<Network> {
        self.require(Capability::CreateNetwork)?;
        check_name(&new.name)?;
        let (network, subnets) = self.lists.create_network(new).await?;
        let malformed =
            || Error::new(ErrorKind::Malformed, "the cloud does not show the network that it made");
        shape::networks(vec![network], subnets).pop().ok_or_else(malformed)
    }

    async fn delete_network(&self, id: &str) -> Result<()> {
        self.require(Capability::DeleteNetwork)?;
        self.lists.delete_network(id).await
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| check_name(name))?;
        if order.location.is_some() {
            self.require(Capability::Locations)?;
        }
        let key = match &order.public_key {
            Some(public_key) => Some(self.compute.key(public_key).await?),
            None => None,
        };
        let mut made = Vec::new();
        for name in &names {
            let id = self.compute.create(order, name, key.as_deref()).await;
            let id = id.map_err(|error| order.cut_short(made.len(), error))?;
            made.push(SeenMachine {
                image: Some(order.image.clone()),
                size: Some(order.size.clone()),
                location: order.location.clone(),
                ..SeenMachine::new(id, name.as_str(), roadstead_api::machine::MachineState::Pending)
            });
        }
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Start, json!({"os-start": null})).await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Stop, json!({"os-stop": null})).await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Reboot, json!({"reboot": {"type": "SOFT"}})).await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.compute.destroy(id).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        self.require(Capability::Rename)?;
        check_name(name)?;
        self.compute.rename(id, name).await
    }

    /// Nova asks for a confirmation when it is done, and holds both sizes until then. Where that takes long, asking once
    /// more for the same size confirms.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let server = self.compute.server(id).await?;
        if server.status == "VERIFY_RESIZE" && server.flavor["id"] == size {
            return self.compute.act(id, &json!({"confirmResize": null})).await;
        }
        self.compute.act(id, &json!({"resize": {"flavorRef": size}})).await?;
        self.confirm_resize(id, size).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let fits = |tag: &String| (1..=60).contains(&tag.chars().count()) && !tag.contains(['/', ',']);
        if !tags.iter().all(fits) {
            return Err(Error::invalid("tags", "take 1 to 60 characters each, without commas and slashes"));
        }
        self.compute.set_tags(id, tags).await
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        self.require(Capability::ConsoleOutput)?;
        self.compute.console(id).await
    }
}
