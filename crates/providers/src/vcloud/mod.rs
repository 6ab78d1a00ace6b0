//! `vcloud`: virtual machines of VMware Cloud Director, by its API in XML; and what `indonesian_vcloud` is made of.
//!
//! | part | what it is |
//! |---|---|
//! | [`session`] | which version is spoken, and the login: by the newer API, or the old way where that is not there |
//! | [`wire`] | the query service, actions and tasks |
//! | [`params`] | the documents that orders are |
//! | [`shape`], [`size`] | what the API's words mean to us |
//!
//! A machine is a VM; Roadstead makes each in a vApp of its own. Orders are not repeated when they fail.
//!
//! Source: VMware Cloud Director API Programming Guide, and the schema reference of the versions 1.5 to 38.

mod params;
mod session;
mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod size;
mod wire;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, machine::MachineState, network::Network, size::Size};

use self::{
    params::Compose,
    size::Hardware,
    wire::{Api, Record},
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    field::{Field, FieldKind, Fields},
    http::CA,
    machine::{MachineOrder, SeenMachine},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| {
        let host = setup.credentials.required_text("host")?.to_owned();
        Ok(Arc::new(VCloud::new(&setup, "vcloud", &host)?))
    },
};

/// The user's name.
pub(crate) const USERNAME: Field = Field::new("username", FieldKind::Text, "The user's name").required();
/// The user's password.
pub(crate) const PASSWORD: Field =
    Field::new("password", FieldKind::Secret, "The user's password").required();
/// The organization.
pub(crate) const ORGANIZATION: Field = Field::new(
    "organization",
    FieldKind::Text,
    "The organization; not needed in a name like user@organization",
)
.also(&["org"]);

const FIELDS: Fields = Fields(&[
    USERNAME,
    PASSWORD,
    ORGANIZATION,
    Field::new("host", FieldKind::Text, "The host name or the URL of the Director")
        .required()
        .also(&["endpoint"]),
    CA,
]);

/// What the driver can do.
pub(crate) const CAPABILITIES: Capabilities =
    Capabilities::CLOUD.and(&[Capability::Rename, Capability::Resize, Capability::Tag]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 100, machines_per_order: 20 };

/// Characters of a computer name, which is the beginning of the machine's.
const COMPUTER_NAME_CHARS: usize = 15;
/// Waits between the looks for a VM that was ordered, and for a task.
const WAITS: [u64; 9] = [0, 100, 300, 1000, 2000, 4000, 8000, 15_000, 25_000];

/// One organization of a Director.
#[derive(Debug)]
pub(crate) struct VCloud {
    provider: &'static str,
    api: Api,
}

impl VCloud {
    /// Makes the driver. Talks to nobody.
    pub(crate) fn new(setup: &Setup, provider: &'static str, host: &str) -> Result<Self> {
        Ok(Self { provider, api: Api::new(setup, host)? })
    }

    async fn act(&self, id: &str, action: &str) -> Result<()> {
        let outcome = self.api.power(vm(id)?, action).await;
        // Nothing is asked that has parameters, so a refusal can only be about the state.
        outcome.map_err(|error| error.refiled(ErrorKind::Invalid, ErrorKind::Conflict)).map(drop)
    }

    async fn chosen<'a>(&self, records: &'a [Record], field: &str, id: Option<&str>) -> Result<&'a Record> {
        let found = match (id, records) {
            (Some(id), _) => records.iter().find(|record| record.id() == id),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let why =
            if id.is_some() { "names nothing that is there" } else { "is missing; there is more than one" };
        found.ok_or_else(|| Error::invalid(field, why))
    }

    /// The VM in this vApp, once it is there.
    async fn appears(&self, vapp: &str) -> Result<SeenMachine> {
        for wait in WAITS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let found = self.api.vms().await?.into_iter().find(|record| record.container_id() == Some(vapp));
            if let Some(record) = found {
                return Ok(SeenMachine { state: MachineState::Pending, ..shape::machine(record) });
            }
        }
        Err(Error::new(ErrorKind::Timeout, "the Director took the order, and does not list the machine yet"))
    }

    /// Gives a machine that is being made its hardware, once it is there, and starts it.
    async fn fit_out(&self, id: &str, hardware: Hardware) -> Result<()> {
        for wait in WAITS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let there =
                |record: &Record| record.id() == id && record.status.as_deref() == Some("POWERED_OFF");
            if self.api.vms().await?.iter().any(there) {
                self.set_hardware(id, hardware).await?;
                return self.act(id, "powerOn").await;
            }
        }
        Err(Error::new(
            ErrorKind::Timeout,
            "the Director takes long to make it; resize and start it in a while",
        ))
    }

    /// One piece after the other: a machine that is being changed takes no other change.
    async fn set_hardware(&self, id: &str, hardware: Hardware) -> Result<()> {
        let task = self.api.set_hardware(id, "cpu", &params::processors(hardware.cpus)).await?;
        self.finished(&task, "change the processors").await?;
        let task = self.api.set_hardware(id, "memory", &params::memory(hardware.memory_mib)).await?;
        self.finished(&task, "change the memory").await
    }

    /// Follows a task that is to do this.
    async fn finished(&self, task: &str, what: &str) -> Result<()> {
        for wait in WAITS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            match self.api.task(task).await?.as_str() {
                "success" => return Ok(()),
                "error" | "canceled" | "aborted" => {
                    return Err(Error::new(ErrorKind::Failed, format!("the Director could not {what}")));
                }
                _ => {}
            }
        }
        let message = format!("the Director takes long to {what}; try once more in a while");
        Err(Error::new(ErrorKind::Timeout, message))
    }
}

/// An id of a VM, as the end of its address is; anything else is no VM's.
fn vm(id: &str) -> Result<&str> {
    let rest = id.strip_prefix("vm-").unwrap_or_default();
    let fits = rest.len() == 36 && rest.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if fits { Ok(id) } else { Err(Error::new(ErrorKind::NotFound, "there is no such virtual machine")) }
}

fn check_name(name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_. ".contains(character);
    if name.trim().is_empty() || name.len() > LIMITS.name_chars || !name.chars().all(fits) {
        return Err(Error::invalid(
            "name",
            "takes 1 to 100 letters, digits, spaces, dashes, dots and underscores",
        ));
    }
    Ok(())
}

fn computer_name(name: &str) -> String {
    let kept = name.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-');
    kept.take(COMPUTER_NAME_CHARS).collect()
}

#[async_trait]
impl Driver for VCloud {
    fn provider(&self) -> &'static str {
        self.provider
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
        let tagged = self.api.tagged().await?;
        let tags: HashMap<_, _> = tagged.iter().map(|record| (record.id(), shape::tags(record))).collect();
        let machine = |record: Record| {
            let tags = tags.get(record.id()).cloned().unwrap_or_default();
            SeenMachine { tags, ..shape::machine(record) }
        };
        Ok(self.api.vms().await?.into_iter().map(machine).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let search = search.map(str::to_lowercase);
        let images = self.api.records("vAppTemplate").await?.into_iter().map(shape::image);
        let fits = |image: &Image| {
            search
                .as_ref()
                .is_none_or(|search| image.name.to_lowercase().contains(search) || image.id == *search)
        };
        Ok(images.filter(fits).collect())
    }

    /// The API has no list of sizes: these are usual ones.
    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(size::offered())
    }

    fn other_size(&self, id: &str) -> Result<Option<Size>> {
        Hardware::parse(id).map(|hardware| Some(hardware.size()))
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.records("orgVdc").await?.into_iter().map(shape::location).collect())
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        Ok(self.api.networks().await?.into_iter().map(shape::network).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| check_name(name))?;
        let hardware = Hardware::of_order(&order.size)?;
        let script = params::script(order.public_key.as_deref(), order.user_data.as_deref())?;
        let network = match order.networks.as_slice() {
            [] => None,
            [network] => {
                let networks = self.api.networks().await?;
                Some(self.chosen(&networks, "networks", Some(network)).await?.clone())
            }
            _ => return Err(Error::invalid("networks", "takes one network")),
        };
        let vdcs = self.api.records("orgVdc").await?;
        let vdc = self.chosen(&vdcs, "location", order.location.as_deref()).await?.id().to_owned();
        let source = self.api.template_vm(&order.image).await?;
        let mut made = Vec::new();
        for name in &names {
            let computer = computer_name(name);
            let compose = Compose {
                name,
                computer: &computer,
                source: &source,
                network: network.as_ref(),
                script: script.as_deref(),
                starts: hardware.is_none(),
            };
            let vapp = self.api.compose(&vdc, &compose.document()).await;
            let vapp = vapp.map_err(|error| order.cut_short(made.len(), error))?;
            let machine = self.appears(&vapp).await?;
            if let Some(hardware) = hardware {
                self.fit_out(&machine.external_id, hardware).await.map_err(|error| {
                    let message = format!("the machine {name} was made, and could not be given its size");
                    Error::new(error.kind(), message).caused_by(error)
                })?;
            }
            made.push(machine);
        }
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.act(id, "powerOn").await
    }

    /// By the tools inside the machine.
    async fn stop(&self, id: &str) -> Result<()> {
        self.act(id, "shutdown").await
    }

    /// By the tools inside the machine.
    async fn reboot(&self, id: &str) -> Result<()> {
        self.act(id, "reboot").await
    }

    /// With its vApp, if there is nothing else in that.
    async fn destroy(&self, id: &str) -> Result<()> {
        let id = vm(id)?;
        let vms = self.api.vms().await?;
        let record = vms.iter().find(|record| record.id() == id);
        let record =
            record.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such virtual machine"))?;
        let beside: HashSet<_> =
            vms.iter().filter(|other| other.container == record.container).map(Record::id).collect();
        let target = record.container_id().filter(|_| beside.len() == 1).unwrap_or(id);
        if record.is_deployed() {
            let task = self.api.undeploy(target).await?;
            self.finished(&task, "stop the machine").await?;
        }
        self.api.delete(target).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let id = vm(id)?;
        check_name(name)?;
        self.api.reconfigure(id, &params::renamed(name)).await
    }

    /// Machines take other hardware while they are stopped.
    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        self.set_hardware(vm(id)?, Hardware::parse(size)?).await
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let (id, value) = (vm(id)?, shape::tags_value(tags)?);
        let task = self.api.set_metadata(id, &params::metadata(shape::TAGS, &value)).await?;
        self.finished(&task, "write the tags down").await
    }
}
