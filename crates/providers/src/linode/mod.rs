//! `linode`: Linodes, by the Linode API v4 and a personal access token.
//!
//! [`wire`] knows the API, [`shape`] what its words mean to us. Orders are not repeated when they fail, for the API has
//! no token by which it would know one again.
//!
//! Source: <https://techdocs.akamai.com/linode-api/reference/api>.

mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, network::Network, size::Size};
use serde_json::json;

use self::wire::{Api, NewLinode};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    field::{Field, FieldKind, Fields},
    http::{CA, ENDPOINT},
    machine::{MachineOrder, SeenMachine},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Linode::new(&setup)?)),
};

const PROVIDER: &str = "linode";
const PUBLIC: &str = "https://api.linode.com";

const FIELDS: Fields = Fields(&[
    Field::new("api_key", FieldKind::Secret, "A personal access token; see the documentation for its scopes")
        .required()
        .also(&["token"]),
    ENDPOINT,
    CA,
]);

const CAPABILITIES: Capabilities =
    Capabilities::CLOUD.and(&[Capability::Rename, Capability::Resize, Capability::Tag]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 64, machines_per_order: 50 };

#[derive(Debug)]
struct Linode {
    api: Api,
}

impl Linode {
    fn new(setup: &Setup) -> Result<Self> {
        Ok(Self { api: Api::new(setup, setup.credentials.text(ENDPOINT.name).unwrap_or(PUBLIC))? })
    }

    /// Tells a Linode to do something that takes no parameters, so that a refusal can only be about its state.
    async fn act(&self, id: &str, action: &str) -> Result<()> {
        let outcome = self.api.act(linode(id)?, action, &json!({})).await;
        outcome.map_err(|error| error.refiled(ErrorKind::Invalid, ErrorKind::Conflict))
    }

    /// The subnet that a new Linode is put in: the first one of the VPC that was ordered.
    async fn subnet(&self, networks: &[String]) -> Result<Option<u64>> {
        let [network] = networks else {
            return match networks {
                [] => Ok(None),
                _ => Err(Error::invalid("networks", "takes one network; a Linode is in one VPC")),
            };
        };
        let vpcs = self.api.vpcs().await?;
        let vpc = vpcs.into_iter().find(|vpc| vpc.id.to_string() == *network);
        let subnet = vpc.and_then(|vpc| vpc.subnets.into_iter().next());
        let subnet = subnet.ok_or_else(|| Error::invalid("networks", "names no VPC that has a subnet"))?;
        Ok(Some(subnet.id))
    }
}

/// The number that a Linode's id is; anything else is no Linode's.
fn linode(id: &str) -> Result<u64> {
    let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such Linode"))
}

fn check_name(name: &str) -> Result<()> {
    let inside = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let at_the_ends = |character: char| character.is_ascii_alphanumeric();
    let fits = (3..=LIMITS.name_chars).contains(&name.len())
        && name.chars().all(inside)
        && name.starts_with(at_the_ends)
        && name.ends_with(at_the_ends);
    if fits {
        return Ok(());
    }
    Err(Error::invalid(
        "name",
        "takes 3 to 64 letters, digits, dashes, dots and underscores; letters or digits at its ends",
    ))
}

#[async_trait]
impl Driver for Linode {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    async fn validate(&self) -> Result<()> {
        self.api.try_linodes().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        Ok(self.api.linodes().await?.into_iter().map(shape::machine).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let images = self.api.images().await?;
        Ok(images.into_iter().filter(|image| shape::matches(image, search)).map(shape::image).collect())
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(self.api.types().await?.into_iter().map(shape::size).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.regions().await?.into_iter().map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.api.vpcs().await?.into_iter().map(shape::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| check_name(name))?;
        let Some(region) = order.location.as_deref() else {
            return Err(Error::invalid("location", "is missing; Linode takes no order without one"));
        };
        let subnet = self.subnet(&order.networks).await?;
        let mut made = Vec::new();
        for name in &names {
            let linode = self.api.create(&NewLinode::of(order, name, region, subnet)?).await;
            made.push(shape::machine(linode.map_err(|error| order.cut_short(made.len(), error))?));
        }
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act(id, "boot").await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, "shutdown").await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, "reboot").await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.api.destroy(linode(id)?).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let linode = linode(id)?;
        check_name(name)?;
        self.api.update(linode, &json!({"label": name})).await
    }

    /// The disks stay as they are: what has grown could not go back.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let wanted = json!({"type": size, "allow_auto_disk_resize": false});
        self.api.act(linode(id)?, "resize", &wanted).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let linode = linode(id)?;
        if tags.iter().any(|tag| !(3..=50).contains(&tag.chars().count())) {
            return Err(Error::invalid("tags", "take 3 to 50 characters each"));
        }
        self.api.update(linode, &json!({"tags": tags})).await
    }
}
