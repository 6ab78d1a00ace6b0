//! `azure`: virtual machines of a subscription, by Azure's Resource Manager and an application of the directory.
//!
//! | part | what it is |
//! |---|---|
//! | [`settings`] | who asks: by a secret, or by a certificate and what it signs |
//! | [`wire`], [`resources`] | the calls, the work that goes on after them, and what they carry |
//! | [`shape`] | what that means to us |
//! | [`order`], [`ground`] | what a new machine is, and what it stands on |
//!
//! A machine's id is its `vmId`, which no other machine ever has; where it is, which calls need, is kept from the last
//! list and checked by it. Which machine is on, and its addresses, stand in lists of their own.
//!
//! Source: <https://learn.microsoft.com/rest/api/compute/virtual-machines>.

mod ground;
mod order;
mod resources;
mod settings;
mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::Method;
use roadstead_api::{image::Image, location::Location, machine::MachineState, network::Network, size::Size};
use serde_json::json;

use self::{
    order::Placement,
    resources::Vm,
    settings::{FIELDS, Settings},
    wire::{Api, COMPUTE, COMPUTE_PROVIDER},
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    http::{Repeat, Reply},
    machine::{MachineOrder, SeenMachine},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Azure::new(&setup)?)),
};

const PROVIDER: &str = "azure";

const CAPABILITIES: Capabilities =
    Capabilities::CLOUD.and(&[Capability::Resize, Capability::Tag, Capability::ConsoleOutput]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 64, machines_per_order: 100 };

/// How long to follow a change, while somebody waits.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long to follow orders of machines.
const ORDER_PATIENCE: Duration = Duration::from_secs(300);

/// The offers that most people start from: publisher and offer. Others are found by naming them.
const OFFERS: [(&str, &str); 9] = [
    ("Debian", "debian-12"),
    ("Debian", "debian-13"),
    ("Canonical", "0001-com-ubuntu-server-jammy"),
    ("Canonical", "ubuntu-24_04-lts"),
    ("RedHat", "RHEL"),
    ("SUSE", "sles-15-sp6"),
    ("SUSE", "opensuse-leap-15-6"),
    ("almalinux", "almalinux-x86_64"),
    ("Oracle", "Oracle-Linux"),
];

#[derive(Debug)]
struct Azure {
    api: Api,
    group: String,
    location: String,
    /// Where the machines are: the ids that calls take, by the id that we show.
    places: Mutex<HashMap<String, String>>,
}

impl Azure {
    fn new(setup: &Setup) -> Result<Self> {
        let settings = Settings::read(setup)?;
        let (group, location) = (settings.group.clone(), settings.location.clone());
        Ok(Self { api: Api::new(setup, settings)?, group, location, places: Mutex::default() })
    }

    /// Every machine, with what it is doing.
    async fn vms(&self) -> Result<Vec<Vm>> {
        let mut vms = self.api.vms().await?;
        let statuses = self.api.statuses().await?;
        let mut views: HashMap<_, _> =
            statuses.into_iter().map(|vm| (vm.key(), vm.properties.instance_view)).collect();
        for vm in &mut vms {
            vm.properties.instance_view = views.remove(&vm.key()).flatten();
        }
        let places = vms.iter().map(|vm| (vm.properties.vm_id.to_lowercase(), vm.id.clone())).collect();
        *self.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
        Ok(vms)
    }

    /// The machine with this id and what it is doing: where it was when it was last seen, or else wherever it is.
    async fn vm(&self, id: &str) -> Result<Vm> {
        let id = check_id(id)?;
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(place) = known {
            match self.api.vm(&place).await {
                Ok(vm) if vm.properties.vm_id.eq_ignore_ascii_case(&id) => return Ok(vm),
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let found = self.vms().await?.into_iter().find(|vm| vm.properties.vm_id.eq_ignore_ascii_case(&id));
        found.ok_or_else(no_such_machine)
    }

    /// The machine, if this can be done with it now.
    async fn ready(&self, id: &str, capability: Capability) -> Result<Vm> {
        let vm = self.vm(id).await?;
        if shape::actions(&vm).contains(capability) {
            return Ok(vm);
        }
        let state = vm.power().unwrap_or("in an unknown state");
        let message = format!("Azure cannot {capability} that are as {} is: {state}", vm.name);
        Err(Error::new(ErrorKind::Conflict, message))
    }

    async fn act(&self, id: &str, capability: Capability, verb: &str) -> Result<()> {
        let vm = self.ready(id, capability).await?;
        self.follow(self.api.act(&vm, verb).await?).await
    }

    async fn follow(&self, reply: Reply) -> Result<()> {
        self.api.finish(reply, PATIENCE).await.map(drop)
    }

    /// Orders one machine. One that is there already is taken for this one only if it was made by the same order.
    async fn place(
        &self,
        order: &MachineOrder,
        name: &str,
        place: &Placement<'_>,
    ) -> Result<(Vm, Option<Reply>)> {
        let below = ["resourceGroups", self.group.as_str()];
        let path = [&below[..], &COMPUTE_PROVIDER, &["virtualMachines", name]].concat();
        let call = self.api.call(Method::PUT, &path, COMPUTE)?.json(&order::machine(order, name, place)?)?;
        let call = call.header("if-none-match", "*").repeat(Repeat::Never);
        let refused = match self.api.send(call).await {
            Ok(reply) => return Ok((reply.json()?, Some(reply))),
            Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
            Err(error) => error,
        };
        let there: Vm = match self.api.send(self.api.call(Method::GET, &path, COMPUTE)?).await {
            Ok(reply) => reply.json()?,
            Err(_) => return Err(refused),
        };
        let ours = there.tags.get(shape::ORDER_TAG) == Some(&order::mark(order, name));
        if ours { Ok((there, None)) } else { Err(refused) }
    }
}

/// The id in lower case, if it may be a machine's.
fn check_id(id: &str) -> Result<String> {
    let fits = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    fits.then(|| id.to_lowercase()).ok_or_else(no_such_machine)
}

fn no_such_machine() -> Error {
    Error::new(ErrorKind::NotFound, "Azure has no such virtual machine")
}

#[async_trait]
impl Driver for Azure {
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
        self.api.try_vms().await
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let vms = self.vms().await?;
        let addresses = shape::addresses(self.api.nics().await?, self.api.public_ips().await?);
        Ok(vms.iter().map(|vm| shape::machine(vm, &addresses)).collect())
    }

    /// The subscription's own images and those of the distributions; or, for `PUBLISHER:OFFER`, those of any offer.
    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let named = search.and_then(|search| search.split_once(':'));
        let mut images = Vec::new();
        if let Some((publisher, rest)) = named {
            let offer = rest.split(':').next().unwrap_or_default();
            let skus = self.api.image_skus(&self.location, publisher, offer).await?;
            images.extend(skus.iter().map(|sku| shape::image(publisher, offer, &sku.name)));
        } else {
            images.extend(self.api.own_images().await?.into_iter().map(shape::own_image));
            for (publisher, offer) in OFFERS {
                let skus = self.api.image_skus(&self.location, publisher, offer).await?;
                images.extend(skus.iter().map(|sku| shape::image(publisher, offer, &sku.name)));
            }
        }
        Ok(images.into_iter().filter(|image| shape::matches(image, search)).collect())
    }

    /// Those of the location that was chosen, as far as the subscription may have them.
    async fn sizes(&self) -> Result<Vec<Size>> {
        let skus = self.api.skus(&self.location).await?;
        Ok(skus.iter().filter_map(|sku| shape::size(sku, &self.location)).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.locations().await?.into_iter().filter_map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.api.virtual_networks().await?.into_iter().map(shape::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        let location = settings::check_location(order.location.as_deref().unwrap_or(&self.location))?;
        // What is wrong with the order itself is told before any call.
        let nowhere = Placement { location, subnet: "", security_group: "" };
        for name in &names {
            order::check_name(name)?;
            order::machine(order, name, &nowhere)?;
        }
        let ground = ground::prepare(&self.api, &self.group, location, &order.networks).await?;
        let place = Placement { location, subnet: &ground.subnet, security_group: &ground.security_group };
        let mut taken = Vec::new();
        for name in &names {
            let placed = self.place(order, name, &place).await;
            taken.push(placed.map_err(|error| order.cut_short(taken.len(), error))?);
        }
        let (mut made, mut failed) = (Vec::new(), None);
        for (vm, reply) in taken {
            let outcome = match reply {
                Some(reply) => self.api.finish(reply, ORDER_PATIENCE).await.map(drop),
                None => Ok(()),
            };
            match outcome {
                Ok(()) => made.push(SeenMachine {
                    state: MachineState::Pending,
                    ..shape::machine(&vm, &shape::Addresses::new())
                }),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(order.cut_short(made.len(), error)),
            None => Ok(made),
        }
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Start, "start").await
    }

    /// In good order, and then its host is given back, so that it costs nothing but its disks and addresses.
    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Stop, "deallocate").await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, Capability::Reboot, "restart").await
    }

    /// With what is set to go with it, as disk, network interface and address are on all that Roadstead made.
    async fn destroy(&self, id: &str) -> Result<()> {
        let vm = self.ready(id, Capability::Destroy).await?;
        self.follow(self.api.delete(&vm).await?).await
    }

    /// A machine that runs is restarted by it.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let vm = self.ready(id, Capability::Resize).await?;
        let change = json!({"properties": {"hardwareProfile": {"vmSize": size}}});
        self.follow(self.api.update(&vm, &change).await?).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let wrong = || {
            Error::invalid(
                "tags",
                r"take a key of 1 to 512 characters without <>%&\?/ and a value of up to 256",
            )
        };
        shape::wanted_tags(tags, &Default::default()).ok_or_else(wrong)?;
        let vm = self.vm(id).await?;
        let wanted = shape::wanted_tags(tags, &vm.tags).ok_or_else(wrong)?;
        self.follow(self.api.set_tags(&vm, &wanted).await?).await
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        let vm = self.vm(id).await?;
        if !vm.properties.diagnostics_profile.boot_diagnostics.enabled {
            let message = format!(
                "the boot diagnostics of {} are off; Azure keeps its console only with them",
                vm.name
            );
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        self.api.console(&vm).await
    }
}
