//! `softlayer`: virtual servers of SoftLayer, today IBM Cloud's classic infrastructure, by its REST API.
//!
//! [`wire`] knows the API, [`shape`] what its words mean to us. Orders are not repeated when they fail, for the API has
//! no token by which it would know one again. A virtual server has a host name and a domain; a machine's name is both.
//!
//! Source: <https://sldn.softlayer.com/reference/services/SoftLayer_Virtual_Guest/>.

mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, network::Network, size::Size};
use serde_json::{Value, json};

use self::wire::Api;
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
    connect: |setup| Ok(Arc::new(SoftLayer::new(&setup)?)),
};

const PROVIDER: &str = "softlayer";
const PUBLIC: &str = "https://api.softlayer.com";

const FIELDS: Fields = Fields(&[
    Field::new("username", FieldKind::Text, "The user's name, or apikey with a key of IBM Cloud").required(),
    Field::new("api_key", FieldKind::Secret, "The user's API key").required(),
    Field::new("domain", FieldKind::Text, "The domain of new machines whose name has none")
        .or("roadstead.internal"),
    ENDPOINT,
    CA,
]);

const CAPABILITIES: Capabilities =
    Capabilities::CLOUD.and(&[Capability::Rename, Capability::Resize, Capability::Tag]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 250, machines_per_order: 20 };

/// Networks that one machine can be in: a public VLAN and a private one.
const NETWORKS_A_MACHINE: usize = 2;

#[derive(Debug)]
struct SoftLayer {
    api: Api,
    domain: String,
}

impl SoftLayer {
    fn new(setup: &Setup) -> Result<Self> {
        let given = &setup.credentials;
        let domain = given.required_text("domain")?.to_owned();
        check_labels("domain", &domain)?;
        Ok(Self { api: Api::new(setup, given.text(ENDPOINT.name).unwrap_or(PUBLIC))?, domain })
    }

    /// Host name and domain of a machine of this name.
    fn split(&self, name: &str) -> Result<(String, String)> {
        check_labels("name", name)?;
        let (host, domain) = name.split_once('.').unwrap_or((name, &self.domain));
        Ok((host.to_owned(), domain.to_owned()))
    }

    async fn tell(&self, id: &str, what: &str) -> Result<()> {
        // Nothing is asked that has parameters, so a refusal can only be about the state.
        let outcome = self.api.tell(guest(id)?, what).await;
        outcome.map_err(|error| error.refiled(ErrorKind::Invalid, ErrorKind::Conflict))
    }

    /// The id of the account's key that is this one. It is added to the account where it is not there.
    async fn key(&self, public_key: &str) -> Result<u64> {
        let material = |key: &str| key.split_whitespace().nth(1).map(str::to_owned);
        let wanted = material(public_key);
        if let Some(key) = self.api.keys().await?.into_iter().find(|key| material(&key.key) == wanted) {
            return Ok(key.id);
        }
        let label = public_key.split_whitespace().nth(2).unwrap_or("roadstead");
        self.api.add_key(label, public_key).await
    }

    /// What an order asks for, but for the names.
    async fn template(&self, order: &MachineOrder, location: &str) -> Result<Value> {
        let mut template = json!({
            "supplementalCreateObjectOptions": {"flavorKeyName": order.size},
            "datacenter": {"name": location},
            "hourlyBillingFlag": true,
            "localDiskFlag": false,
        });
        // Templates of one's own go by a GUID, operating systems by a word without dashes.
        if order.image.contains('-') {
            template["blockDeviceTemplateGroup"] = json!({"globalIdentifier": order.image});
        } else {
            template["operatingSystemReferenceCode"] = json!(order.image);
        }
        if let Some(public_key) = &order.public_key {
            template["sshKeys"] = json!([{"id": self.key(public_key).await?}]);
        }
        if let Some(user_data) = &order.user_data {
            template["userData"] = json!([{"value": user_data}]);
        }
        self.join(&mut template, &order.networks).await?;
        Ok(template)
    }

    async fn join(&self, template: &mut Value, networks: &[String]) -> Result<()> {
        if networks.is_empty() {
            return Ok(());
        }
        let vlans = self.api.vlans().await?;
        for network in networks {
            let vlan = vlans.iter().find(|vlan| vlan.id.to_string() == *network);
            let vlan = vlan.ok_or_else(|| Error::invalid("networks", "names a VLAN that is not there"))?;
            let public = vlan.network_space.as_deref() == Some("PUBLIC");
            let component = if public { "primaryNetworkComponent" } else { "primaryBackendNetworkComponent" };
            if !template[component].is_null() {
                return Err(Error::invalid("networks", "takes one public VLAN and one private one"));
            }
            template[component] = json!({"networkVlan": {"id": vlan.id}});
        }
        Ok(())
    }
}

/// The number that a virtual server's id is; anything else is no virtual server's.
fn guest(id: &str) -> Result<u64> {
    let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| Error::new(ErrorKind::NotFound, "SoftLayer has no such virtual server"))
}

fn check_labels(field: &str, name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= LIMITS.name_chars && name.split('.').all(label) {
        return Ok(());
    }
    Err(Error::invalid(field, "takes letters, digits and dashes, in labels of 1 to 63 that dots divide"))
}

#[async_trait]
impl Driver for SoftLayer {
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
        self.api.try_guests().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        Ok(self.api.guests().await?.into_iter().map(shape::machine).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let options = self.api.options().await?;
        let mut images = shape::systems(options);
        images.extend(
            self.api.private_templates().await?.into_iter().map(|image| shape::template(image, false)),
        );
        images
            .extend(self.api.public_templates().await?.into_iter().map(|image| shape::template(image, true)));
        let mut seen = std::collections::HashSet::new();
        images.retain(|image| shape::matches(image, search) && seen.insert(image.id.clone()));
        Ok(images)
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(shape::sizes(self.api.options().await?))
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.datacenters().await?.into_iter().map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.api.vlans().await?.into_iter().map(shape::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        let names = names.iter().map(|name| self.split(name)).collect::<Result<Vec<_>>>()?;
        let Some(location) = order.location.as_deref() else {
            return Err(Error::invalid(
                "location",
                "is missing; SoftLayer takes no order without a data centre",
            ));
        };
        if order.networks.len() > NETWORKS_A_MACHINE {
            return Err(Error::invalid("networks", "takes one public VLAN and one private one"));
        }
        let template = self.template(order, location).await?;
        let guest = |(host, domain): &(String, String)| {
            let mut guest = template.clone();
            (guest["hostname"], guest["domain"]) = (json!(host), json!(domain));
            guest
        };
        let made = self.api.create(&names.iter().map(guest).collect::<Vec<_>>()).await?;
        Ok(made.into_iter().map(shape::machine).collect())
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.tell(id, "powerOn").await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.tell(id, "powerOffSoft").await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.tell(id, "rebootSoft").await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.api.destroy(guest(id)?).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let guest = guest(id)?;
        let (hostname, domain) = self.split(name)?;
        self.api.edit(guest, &json!({"hostname": hostname, "domain": domain})).await
    }

    /// An order of its own: the machine restarts with its new flavor as soon as the order has been carried out.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let guest = guest(id)?;
        let presets = self.api.presets().await?;
        let preset = presets.iter().find(|preset| preset.key_name == size);
        let preset = preset.ok_or_else(|| Error::invalid("size", "is no flavor that is sold now"))?;
        self.api.upgrade(guest, preset.id).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let guest = guest(id)?;
        let fits = |character: char| character.is_ascii_alphanumeric() || "-_.: ".contains(character);
        if tags.iter().any(|tag| tag.trim().is_empty() || !tag.chars().all(fits)) {
            return Err(Error::invalid(
                "tags",
                "take letters, digits, spaces, dashes, dots, colons and underscores",
            ));
        }
        self.api.set_tags(guest, &tags.join(",")).await
    }
}
