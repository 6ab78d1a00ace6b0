//! `digitalocean`: droplets, by DigitalOcean's API v2 and a personal access token.
//!
//! [`wire`] knows the API, [`shape`] what its words mean to us. Orders are not repeated when they fail, for the API has
//! no token by which it would know one again.
//!
//! Source: <https://docs.digitalocean.com/reference/api/digitalocean/>.

mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, network::Network, size::Size};

use self::wire::{Api, NewDroplets};
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
    connect: |setup| Ok(Arc::new(DigitalOcean::new(&setup)?)),
};

const PROVIDER: &str = "digitalocean";
const PUBLIC: &str = "https://api.digitalocean.com";

const FIELDS: Fields = Fields(&[
    Field::new("token", FieldKind::Secret, "A personal access token; see the documentation for its scopes")
        .required()
        .also(&["api_token", "access_token"]),
    ENDPOINT,
    CA,
]);

const CAPABILITIES: Capabilities =
    Capabilities::CLOUD.and(&[Capability::Rename, Capability::Resize, Capability::Tag]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 255, machines_per_order: 100 };

/// Droplets that one call makes at the most.
const DROPLETS_A_CALL: usize = 10;

#[derive(Debug)]
struct DigitalOcean {
    api: Api,
}

impl DigitalOcean {
    fn new(setup: &Setup) -> Result<Self> {
        Ok(Self { api: Api::new(setup, setup.credentials.text(ENDPOINT.name).unwrap_or(PUBLIC))? })
    }

    /// Tells a droplet to do something that takes no parameters, so that a refusal can only be about its state.
    async fn act(&self, id: &str, action: &str) -> Result<()> {
        let outcome = self.api.act(droplet(id)?, action, &[]).await;
        outcome.map_err(|error| error.refiled(ErrorKind::Invalid, ErrorKind::Conflict))
    }

    /// The id of the account's key that is this one. It is added to the account where it is not there.
    async fn key(&self, public_key: &str) -> Result<u64> {
        let material = |key: &str| key.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
        let wanted = material(public_key);
        if let Some(key) = self.api.keys().await?.into_iter().find(|key| material(&key.public_key) == wanted)
        {
            return Ok(key.id);
        }
        let name = public_key.split_whitespace().nth(2).unwrap_or("roadstead");
        self.api.add_key(name, public_key).await
    }
}

/// The number that a droplet's id is; anything else is no droplet's.
fn droplet(id: &str) -> Result<u64> {
    let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| Error::new(ErrorKind::NotFound, "DigitalOcean has no such droplet"))
}

fn check_name(name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
    let length = name.chars().count();
    if length == 0 || length > LIMITS.name_chars || !name.chars().all(fits) {
        return Err(Error::invalid("name", "takes letters, digits, dashes and dots, up to 255"));
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || ":-_".contains(character);
    if tag.is_empty() || tag.len() > 255 || !tag.chars().all(fits) {
        return Err(Error::invalid(
            "tags",
            "take letters, digits, colons, dashes and underscores, up to 255",
        ));
    }
    Ok(())
}

#[async_trait]
impl Driver for DigitalOcean {
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
        self.api.try_droplets().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        Ok(self.api.droplets().await?.into_iter().map(shape::machine).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let images = self.api.images().await?;
        Ok(images.into_iter().filter(|image| shape::matches(image, search)).map(shape::image).collect())
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(self.api.sizes().await?.into_iter().map(shape::size).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        let regions = self.api.regions().await?;
        Ok(regions.into_iter().filter(|region| region.available).map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.api.vpcs().await?.into_iter().map(shape::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| check_name(name))?;
        if order.networks.len() > 1 {
            return Err(Error::invalid("networks", "takes one network; a droplet is in one VPC"));
        }
        let key = match &order.public_key {
            Some(public_key) => Some(self.key(public_key).await?),
            None => None,
        };
        let mut made = Vec::new();
        for names in names.chunks(DROPLETS_A_CALL) {
            let droplets = self.api.create(&NewDroplets::of(order, names, key)).await;
            let droplets = droplets.map_err(|error| order.cut_short(made.len(), error))?;
            made.extend(droplets.into_iter().map(shape::machine));
        }
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act(id, "power_on").await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, "shutdown").await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, "reboot").await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.api.destroy(droplet(id)?).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let droplet = droplet(id)?;
        check_name(name)?;
        self.api.act(droplet, "rename", &[("name", name)]).await
    }

    /// Processors and memory only: a larger disk could never be made smaller again.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        self.api.act(droplet(id)?, "resize", &[("size", size)]).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let droplet = droplet(id)?;
        tags.iter().try_for_each(|tag| check_tag(tag))?;
        let present = self.api.droplet(droplet).await?.tags;
        let holds = |list: &[String], tag: &str| list.iter().any(|known| known.eq_ignore_ascii_case(tag));
        for tag in tags.iter().filter(|tag| !holds(&present, tag)) {
            self.api.tag(droplet, tag).await?;
        }
        for tag in present.iter().filter(|tag| !holds(tags, tag)) {
            self.api.untag(droplet, tag).await?;
        }
        Ok(())
    }
}
