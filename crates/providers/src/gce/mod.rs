//! `gce`: instances of a project, by Google's Compute Engine API v1 and the key of a service account.
//!
//! [`settings`] knows who asks, [`wire`] the calls, [`resources`] what they carry, [`shape`] what that means to us, and
//! [`order`] what a new machine is. Changes are operations: they are followed to their end, or for as long as a caller
//! can be kept waiting, after which the far side goes on by itself.
//!
//! A machine's id is the number that Google gives it, which stays when it is renamed; its zone and name, which calls
//! need, are looked up by it.
//!
//! Source: <https://cloud.google.com/compute/docs/reference/rest/v1>.

mod order;
mod resources;
mod settings;
mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, machine::MachineState, network::Network, size::Size};
use serde_json::{Value, json};

use self::{
    resources::{Instance, Operation},
    settings::{FIELDS, Settings},
    wire::Api,
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    machine::{MachineOrder, SeenMachine},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Gce::new(&setup)?)),
};

const PROVIDER: &str = "gce";

const CAPABILITIES: Capabilities = Capabilities::CLOUD.and(&[
    Capability::Rename,
    Capability::Resize,
    Capability::Tag,
    Capability::ConsoleOutput,
]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 63, machines_per_order: 100 };

/// How long to follow a change, while somebody waits.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long to follow orders of machines.
const ORDER_PATIENCE: Duration = Duration::from_secs(120);
/// Attempts at setting labels that somebody else changes at the same time.
const LABEL_ATTEMPTS: usize = 4;

/// The projects of the images that most people start from.
const PUBLIC_PROJECTS: [&str; 11] = [
    "debian-cloud",
    "ubuntu-os-cloud",
    "rocky-linux-cloud",
    "almalinux-cloud",
    "centos-cloud",
    "fedora-cloud",
    "rhel-cloud",
    "suse-cloud",
    "opensuse-cloud",
    "cos-cloud",
    "windows-cloud",
];

#[derive(Debug)]
struct Gce {
    api: Api,
    zone: String,
}

impl Gce {
    fn new(setup: &Setup) -> Result<Self> {
        let settings = Settings::read(setup)?;
        Ok(Self { zone: settings.zone.clone(), api: Api::new(setup, settings)? })
    }

    /// The instance, if this can be done with it now.
    async fn ready(&self, id: &str, capability: Capability) -> Result<Instance> {
        let instance = self.api.instance(check_id(id)?).await?;
        if shape::actions(&instance).contains(capability) {
            return Ok(instance);
        }
        let guarded = instance.deletion_protection && capability == Capability::Destroy;
        let why = if guarded { "protected from deletion".to_owned() } else { instance.status.to_lowercase() };
        let message =
            format!("Google Compute Engine cannot {capability} that are as {} is: {why}", instance.name);
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn act(&self, id: &str, capability: Capability, verb: &str) -> Result<()> {
        let instance = self.ready(id, capability).await?;
        let operation = self.api.act(&instance, verb, &Value::Null).await?;
        self.follow(operation).await
    }

    async fn follow(&self, operation: Operation) -> Result<()> {
        self.api.finish(operation, PATIENCE).await.map(drop)
    }

    /// Follows the orders of machines by these names to their end, and shows what came of them.
    async fn made(
        &self,
        order: &MachineOrder,
        zone: &str,
        taken: Vec<(String, Operation)>,
    ) -> Result<Vec<SeenMachine>> {
        let (mut made, mut failed) = (Vec::new(), None);
        for (name, operation) in taken {
            let id = operation.target_id.clone().unwrap_or_else(|| name.clone());
            match self.api.finish(operation, ORDER_PATIENCE).await {
                Ok(true) => {
                    let instance = self.api.instance_in(zone, &name).await?;
                    made.push(shape::machine(instance, &shape::Sources::new()));
                }
                Ok(false) => made.push(SeenMachine::new(id, name, MachineState::Pending)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(order.cut_short(made.len(), error)),
            None => Ok(made),
        }
    }
}

/// The number that an instance's id is; anything else is no instance's.
fn check_id(id: &str) -> Result<&str> {
    let fits = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(id)
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "Google Compute Engine has no such instance"))
}

#[async_trait]
impl Driver for Gce {
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

    /// Instances of all zones. From which image one was made stands with its disk.
    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let instances = self.api.instances().await?;
        let sources = shape::sources(self.api.disks().await?);
        Ok(instances.into_iter().map(|instance| shape::machine(instance, &sources)).collect())
    }

    /// The project's own images and those of the distributions. A distribution that keeps no images there any more, or
    /// not for this account, is passed over.
    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let mut images = self.api.images().await?;
        for project in PUBLIC_PROJECTS {
            match self.api.images_of(project).await {
                Ok(public) => images.extend(public),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::MissingRights) => {}
                Err(error) => return Err(error),
            }
        }
        let images = images.into_iter().filter_map(shape::image);
        Ok(images.filter(|image| shape::matches(image, search)).collect())
    }

    /// Those of the zone that was chosen. Most are in all zones.
    async fn sizes(&self) -> Result<Vec<Size>> {
        let kinds = self.api.machine_types(&self.zone).await?;
        Ok(kinds.into_iter().filter_map(|kind| shape::size(kind, &self.zone)).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.zones().await?.into_iter().filter_map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        let networks = self.api.networks().await?;
        Ok(shape::networks(networks, &self.api.subnetworks().await?))
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| order::check_name(name))?;
        let zone = order.location.as_deref().unwrap_or(&self.zone);
        // What is wrong with the order itself is told before any call.
        names.iter().try_for_each(|name| order::instance(order, name, zone, &Value::Null).map(drop))?;
        let subnetworks = match order.networks.as_slice() {
            [_] => self.api.subnetworks().await?,
            _ => Vec::new(),
        };
        let interface = order::interface(order, zone, &subnetworks)?;
        let mut taken = Vec::new();
        for name in names {
            let body = order::instance(order, &name, zone, &interface)?;
            let request = order::request_id(&order.token, &name);
            let operation = self.api.insert(zone, &request, &body).await;
            taken.push((name, operation.map_err(|error| order.cut_short(taken.len(), error))?));
        }
        self.made(order, zone, taken).await
    }

    /// What was suspended goes on where it was.
    async fn start(&self, id: &str) -> Result<()> {
        let instance = self.ready(id, Capability::Start).await?;
        let verb = if instance.status == "SUSPENDED" { "resume" } else { "start" };
        let operation = self.api.act(&instance, verb, &Value::Null).await?;
        self.follow(operation).await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Stop, "stop").await
    }

    /// The reset button: the API has nothing gentler.
    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Reboot, "reset").await
    }

    /// With its boot disk, if that is set to go with it, as it is on all that Roadstead made.
    async fn destroy(&self, id: &str) -> Result<()> {
        let instance = self.ready(id, Capability::Destroy).await?;
        let operation = self.api.delete(&instance).await?;
        self.follow(operation).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        order::check_name(name)?;
        let instance = self.ready(id, Capability::Rename).await?;
        let body = json!({"name": name, "currentName": instance.name});
        let operation = self.api.act(&instance, "setName", &body).await?;
        self.follow(operation).await
    }

    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let instance = self.ready(id, Capability::Resize).await?;
        let body = json!({"machineType": order::machine_type(instance.zone(), size)?});
        let operation = self.api.act(&instance, "setMachineType", &body).await?;
        self.follow(operation).await
    }

    /// Labels are set as a whole, and only by who knows what they were: when somebody else was faster it is tried again.
    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let id = check_id(id)?;
        let wrong = || {
            let why = "take a key of up to 63 lower-case letters, digits, dashes and underscores, a letter first and not \
                       goog-, and a value of the same";
            Error::invalid("tags", why)
        };
        shape::labels(tags, &Default::default()).ok_or_else(wrong)?;
        let mut attempts = 1;
        loop {
            let instance = self.api.instance(id).await?;
            let labels = shape::labels(tags, &instance.labels).ok_or_else(wrong)?;
            match self.api.set_labels(&instance, &labels).await {
                Err(error) if error.kind() == ErrorKind::Conflict && attempts < LABEL_ATTEMPTS => {
                    attempts += 1
                }
                outcome => return self.follow(outcome?).await,
            }
        }
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        let instance = self.api.instance(check_id(id)?).await?;
        self.api.console(&instance).await
    }
}
