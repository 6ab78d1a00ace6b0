//! `ec2`: instances, by Amazon's EC2 query API and an access key.
//!
//! [`wire`] knows the calls, [`xml`] what they carry, [`shape`] what that means to us, [`sign`] proves who asks, with
//! the keys that [`keys`] has of somebody's or, where the operator lists them, of this machine's ([`profile`],
//! [`role`]), and [`regions`] knows where. An order carries its token as `ClientToken`, so that one that is sent again makes nothing
//! twice.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>.

mod keys;
mod profile;
pub(crate) mod regions;
mod role;
mod shape;
mod sign;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;
mod xml;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{image::Image, location::Location, network::Network, size::Size};
use russh::keys::{HashAlg, PublicKey};

use self::{
    keys::{INSTANCE_ROLE, PROFILE},
    wire::{Api, Pair},
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration},
    error::{Error, ErrorKind, Result},
    field::{Field, FieldKind, Fields},
    http::{CA, ENDPOINT},
    machine::{MachineOrder, SeenMachine},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Ec2 { api: Api::new(&setup)? })),
};

const PROVIDER: &str = "ec2";

const FIELDS: Fields = Fields(&[
    Field::new("api_key", FieldKind::Text, "The id of an access key, such as AKIAIOSFODNN7EXAMPLE").also(&[
        "access_key",
        "access_key_id",
        "aws_access_key_id",
    ]),
    Field::new("api_secret", FieldKind::Secret, "The secret of the access key").also(&[
        "secret_key",
        "secret_access_key",
        "aws_secret_access_key",
    ]),
    Field::new("session_token", FieldKind::Secret, "The session token, where the keys are temporary ones")
        .also(&["aws_session_token"]),
    PROFILE,
    INSTANCE_ROLE,
    ENDPOINT,
    CA,
]);

const CAPABILITIES: Capabilities = Capabilities::CLOUD.and(&[
    Capability::Rename,
    Capability::Resize,
    Capability::Tag,
    Capability::ConsoleOutput,
]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 255, machines_per_order: 100 };

/// The most that user data may be, before it is encoded.
const MAX_USER_DATA_BYTES: usize = 16 << 10;

/// Who makes the images that most people start from, and what those are called. A region has a hundred thousand images;
/// all others are found by searching.
const DISTRIBUTIONS: &[Pair<'static>] = &[
    ("Owner.1", "amazon"),
    ("Owner.2", "136693071363"), // Debian
    ("Owner.3", "099720109477"), // Canonical
    ("Filter.1.Name", "name"),
    ("Filter.1.Value.1", "al2023-ami-2023*"),
    ("Filter.1.Value.2", "debian-1?-a*"),
    ("Filter.1.Value.3", "ubuntu/images/hvm-ssd*/ubuntu-*-2?.04-*-server-*"),
    ("Filter.2.Name", "state"),
    ("Filter.2.Value.1", "available"),
];

/// A person's own images.
const OWN: &[Pair<'static>] = &[("Owner.1", "self")];

#[derive(Debug)]
struct Ec2 {
    api: Api,
}

/// An order, as far as the service has to be asked for it.
#[derive(Default)]
struct Placed {
    key_name: Option<String>,
    subnet: Option<String>,
}

impl Ec2 {
    /// Tells an instance to do something that takes no parameters.
    async fn act(&self, action: &str, id: &str) -> Result<()> {
        self.api.act(action, check_id(id)?).await
    }

    /// The name of the account's key that is this one. Its fingerprint is its name, so it is there once.
    async fn key(&self, public_key: &str) -> Result<String> {
        let key = PublicKey::from_openssh(public_key)
            .map_err(|e| Error::invalid("key", "is no public key in OpenSSH's form").caused_by(e))?;
        let name = format!("roadstead {}", key.fingerprint(HashAlg::Sha256));
        self.api.import_key(&name, public_key).await?;
        Ok(name)
    }

    /// The subnet to put machines in: the one that was named, or one of the VPC that was, in the zone that was.
    async fn subnet(&self, order: &MachineOrder) -> Result<Option<String>> {
        let network = match order.networks.as_slice() {
            [] => return Ok(None),
            [network] => network,
            _ => return Err(Error::invalid("networks", "takes one VPC or subnet")),
        };
        if network.starts_with("subnet-") {
            return Ok(Some(network.clone()));
        }
        let zone = order.location.as_deref();
        let fits = |subnet: &xml::Subnet| {
            subnet.vpc_id == *network && (zone.is_none() || subnet.availability_zone.as_deref() == zone)
        };
        let subnet = self.api.subnets().await?.into_iter().find(fits);
        let none = || Error::invalid("networks", "is no VPC that has a subnet there");
        Ok(Some(subnet.ok_or_else(none)?.subnet_id))
    }

    async fn place(&self, order: &MachineOrder) -> Result<Placed> {
        let subnet = self.subnet(order).await?;
        let key_name = match &order.public_key {
            Some(public_key) => Some(self.key(public_key).await?),
            None => None,
        };
        Ok(Placed { key_name, subnet })
    }

    /// Gives each of several machines a name of its own. They are made by then, so one that cannot be named keeps the
    /// name of all.
    async fn name_each(&self, order: &MachineOrder, machines: &mut [SeenMachine]) {
        for (machine, name) in machines.iter_mut().zip(order.names()) {
            if machine.name != name && self.name(&machine.external_id, &name).await.is_ok() {
                machine.name = name;
            }
        }
    }

    async fn name(&self, id: &str, name: &str) -> Result<()> {
        self.tag("CreateTags", id, vec![(shape::NAME.to_owned(), Some(name.to_owned()))]).await
    }

    /// Creates or deletes tags. Without a value a tag is deleted whatever its value is.
    async fn tag(&self, action: &str, id: &str, tags: Vec<(String, Option<String>)>) -> Result<()> {
        if tags.is_empty() {
            return Ok(());
        }
        let mut whole = vec![("ResourceId.1".to_owned(), id.to_owned())];
        for (number, (key, value)) in (1..).zip(tags) {
            whole.push((format!("Tag.{number}.Key"), key));
            whole.extend(value.map(|value| (format!("Tag.{number}.Value"), value)));
        }
        let whole: Vec<_> = whole.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.api.settle(action, &whole).await
    }
}

/// The id, if it may be an instance's.
fn check_id(id: &str) -> Result<&str> {
    let digits = id.strip_prefix("i-").unwrap_or_default();
    let right = (8..=17).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then_some(id).ok_or_else(|| Error::new(ErrorKind::NotFound, "Amazon EC2 has no such instance"))
}

fn check_name(name: &str) -> Result<()> {
    let fits = (1..=LIMITS.name_chars).contains(&name.chars().count());
    if fits { Ok(()) } else { Err(Error::invalid("name", "has to have 1 to 255 characters")) }
}

/// The parameters of an order.
fn parameters(order: &MachineOrder, placed: Placed) -> Result<Vec<(&'static str, String)>> {
    let quantity = order.quantity.to_string();
    let mut whole = vec![
        ("ImageId", order.image.clone()),
        ("InstanceType", order.size.clone()),
        ("MinCount", quantity.clone()),
        ("MaxCount", quantity),
        ("ClientToken", order.token.clone()),
        ("TagSpecification.1.ResourceType", "instance".into()),
        ("TagSpecification.1.Tag.1.Key", shape::NAME.into()),
        ("TagSpecification.1.Tag.1.Value", order.name.clone()),
    ];
    whole.extend(order.location.clone().map(|zone| ("Placement.AvailabilityZone", zone)));
    whole.extend(placed.subnet.map(|subnet| ("SubnetId", subnet)));
    whole.extend(placed.key_name.map(|name| ("KeyName", name)));
    if let Some(user_data) = &order.user_data {
        if user_data.len() > MAX_USER_DATA_BYTES {
            return Err(Error::invalid("user_data", "is longer than the 16 KiB that Amazon EC2 takes"));
        }
        whole.push(("UserData", BASE64_STANDARD.encode(user_data)));
    }
    Ok(whole)
}

#[async_trait]
impl Driver for Ec2 {
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
        self.api.try_instances().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        Ok(self.api.instances().await?.into_iter().map(shape::machine).collect())
    }

    /// A person's own images and today's distributions; or those of anybody whose name holds `search`, in which `*` and
    /// `?` stand for anything; or the one with this id.
    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let mut images = match search {
            None => {
                let mut own = self.api.images(OWN).await?;
                own.extend(self.api.images(DISTRIBUTIONS).await?);
                own
            }
            Some(id) if id.starts_with("ami-") => {
                self.api.images(&[("Filter.1.Name", "image-id"), ("Filter.1.Value.1", id)]).await?
            }
            Some(text) => {
                let pattern = format!("*{text}*");
                self.api.images(&[("Filter.1.Name", "name"), ("Filter.1.Value.1", &pattern)]).await?
            }
        };
        images.sort_by(|one, other| other.creation_date.cmp(&one.creation_date));
        let mut seen = std::collections::HashSet::new();
        images.retain(|image| seen.insert(image.image_id.clone()));
        Ok(images.into_iter().map(shape::image).collect())
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        let kinds = self.api.instance_types().await?;
        Ok(shape::sizes(kinds, self.api.offerings().await?))
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        let zones = self.api.zones().await?;
        let open =
            zones.into_iter().filter(|zone| zone.zone_state.as_deref().is_none_or(|s| s == "available"));
        Ok(open.map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        let vpcs = self.api.vpcs().await?;
        Ok(shape::networks(vpcs, &self.api.subnets().await?))
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        // What is wrong with the order itself is told before any call.
        parameters(order, Placed::default())?;
        let whole = parameters(order, self.place(order).await?)?;
        let whole: Vec<_> = whole.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut made: Vec<_> = self.api.run(&whole).await?.into_iter().map(shape::machine).collect();
        self.name_each(order, &mut made).await;
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act("StartInstances", id).await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.act("StopInstances", id).await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.act("RebootInstances", id).await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.act("TerminateInstances", id).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        check_name(name)?;
        self.name(check_id(id)?, name).await
    }

    /// Instances take another type only while they are stopped.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let parameters = [("InstanceId", check_id(id)?), ("InstanceType.Value", size)];
        self.api.change("ModifyInstanceAttribute", &parameters).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let pairs: Option<Vec<_>> = tags.iter().map(|tag| shape::pair(tag)).collect();
        let wrong =
            || Error::invalid("tags", "take a key of 1 to 127 characters, not Name nor aws:, and a value");
        let wanted = pairs.ok_or_else(wrong)?;
        let present = self.api.instance(check_id(id)?).await?.tag_set;
        let gone: Vec<_> = shape::tags(&present)
            .iter()
            .map(|tag| tag.split_once('=').map_or(tag.as_str(), |(key, _)| key).to_owned())
            .filter(|key| !wanted.iter().any(|(wanted, _)| wanted == key))
            .collect();
        let wanted = wanted.into_iter().map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
        self.tag("CreateTags", id, wanted.collect()).await?;
        self.tag("DeleteTags", id, gone.into_iter().map(|key| (key, None)).collect()).await
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        self.api.console(check_id(id)?).await
    }
}
