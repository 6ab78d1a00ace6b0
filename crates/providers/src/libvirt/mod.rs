//! `libvirt`: the virtual machines of a hypervisor, driven by virsh.
//!
//! ```text
//!   Settings  ->  Virsh (over SSH, or here)  ->  domain, inventory (XML)  ->  machines, images, networks
//!                                            <-  order, xml, iso9660      <-  an order
//! ```
//!
//! Machines go by their UUID. The hypervisor itself is one more machine, the first, where it is not this one.

mod domain;
mod guests;
mod inventory;
mod iso9660;
mod order;
mod settings;
#[cfg(feature = "sim")]
pub mod sim;
mod size;
mod virsh;
mod xml;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use roadstead_api::{
    image::Image,
    location::Location,
    machine::{MachineProbe, MachineState},
    network::Network,
    size::Size,
};
use serde_json::json;

use self::{
    domain::Domain,
    inventory::is_uuid,
    order::Plan,
    settings::{FIELDS, Settings},
    size::Shape,
    virsh::{Remote, Virsh},
};
use crate::{
    capability::{Capabilities, Capability, Limits},
    driver::{Driver, Registration, Setup},
    error::{Error, ErrorKind, Result},
    machine::{MachineOrder, SeenMachine},
    pins::Pins,
    ssh::{CommandLine, MAX_OUTPUT_BYTES, power::Power, probe},
};

/// What this driver declares.
pub(crate) const REGISTRATION: Registration = Registration {
    fields: FIELDS,
    capabilities: CAPABILITIES,
    connect: |setup| Ok(Arc::new(Libvirt::new(setup)?)),
};

const PROVIDER: &str = "libvirt";
const CAPABILITIES: Capabilities = Capabilities::CLOUD.and(&[
    Capability::Rename,
    Capability::Resize,
    Capability::Tag,
    Capability::ConsoleOutput,
    Capability::Probe,
]);
/// What can be done with a hypervisor that is another machine.
const OF_THE_HOST: Capabilities = Capabilities::of(&[Capability::Reboot, Capability::Probe]);

/// How much of a console is shown, in bytes.
const CONSOLE_BYTES: usize = 256 * 1024;
/// How often a machine that is to stop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most tags of a machine, and characters in one.
const MAX_TAGS: usize = 100;

struct Libvirt {
    virsh: Virsh,
    remove_storage: bool,
    force_stop_after: Option<Duration>,
    emulate: bool,
}

impl fmt::Debug for Libvirt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.virsh.remote().map(|remote| &remote.host.name);
        f.debug_struct("Libvirt").field("host", &host).finish_non_exhaustive()
    }
}

/// A machine of the backend: a domain by the option that names it, or the hypervisor.
enum Target<'a> {
    Domain(String),
    Host(&'a Remote),
}

impl Libvirt {
    fn new(setup: Setup) -> Result<Self> {
        let settings = Settings::read(&setup.credentials, &setup.local)?;
        let Settings { remove_storage, force_stop_after, emulate, .. } = settings;
        Ok(Self { virsh: Virsh::new(settings, &setup), remove_storage, force_stop_after, emulate })
    }

    /// The machine with this id. Whatever else goes into a command of virsh, this is a UUID.
    fn target(&self, id: &str) -> Result<Target<'_>> {
        match self.virsh.remote() {
            Some(remote) if remote.host.name == id => Ok(Target::Host(remote)),
            _ if is_uuid(id) => Ok(Target::Domain(format!("--domain={id}"))),
            _ => Err(unknown()),
        }
    }

    /// The domain with this id, by the option that names it.
    fn domain(&self, id: &str, capability: Capability) -> Result<String> {
        match self.target(id)? {
            Target::Domain(domain) => Ok(domain),
            Target::Host(_) => {
                let message = format!("the provider {PROVIDER} cannot {capability} that are hypervisors");
                Err(Error::new(ErrorKind::Unsupported, message))
            }
        }
    }

    async fn run(&self, words: &[&str]) -> Result<String> {
        self.virsh.run(words).await.map_err(told)
    }

    async fn read(&self, domain: &str) -> Result<(Domain, String)> {
        let xml = self.run(&["dumpxml", domain]).await?;
        let state = self.run(&["domstate", domain]).await?;
        Ok((Domain::parse(&xml)?, state.trim().to_owned()))
    }

    /// The hypervisor as a machine.
    fn host_machine(&self, remote: &Remote, facts: Vec<(String, String)>) -> SeenMachine {
        let name = remote.host.name.as_str();
        let title =
            facts.iter().find(|(fact, _)| fact == "hostname").map_or(name, |(_, value)| value.as_str());
        // It has just answered.
        let mut machine = SeenMachine::new(name, title, MachineState::Running);
        machine.tags.push("hypervisor".into());
        machine.actions = OF_THE_HOST;
        if let Ok(address) = name.parse() {
            machine.add_address(address);
        }
        machine.extra.insert("host".into(), json!(name));
        machine.extra.insert("ssh_port".into(), json!(remote.host.port));
        machine.extra.insert("user".into(), json!(remote.host.login.user));
        machine.extra.extend(facts.into_iter().map(|(fact, value)| (fact, json!(value))));
        machine
    }

    /// Waits until the domain is down, and pulls the plug when that takes too long.
    async fn force_down(&self, domain: &str, patience: Duration) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if self.run(&["domstate", domain]).await?.trim() == "shut off" {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        match self.run(&["destroy", domain]).await {
            // It went down by itself at last.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            done => done.map(drop),
        }
    }

    async fn undefine(&self, domain: &str, found: &Domain) -> Result<()> {
        let mut words = vec![
            "undefine",
            domain,
            "--managed-save",
            "--snapshots-metadata",
            "--checkpoints-metadata",
            "--nvram",
        ];
        let storage = format!("--storage={}", found.own_targets().join(","));
        if self.remove_storage && !found.own_targets().is_empty() {
            words.push(&storage);
        }
        match self.run(&words).await {
            // A transient domain was gone when it was down.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => drop(done?),
        }
        let Some((pool, seed)) = &found.mark.seed else { return Ok(()) };
        // A seed is of no use to anybody; one that is left over shows in its pool.
        let _ = self.run(&["vol-delete", &format!("--pool={pool}"), &format!("--vol={seed}")]).await;
        Ok(())
    }
}

#[async_trait]
impl Driver for Libvirt {
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
        self.virsh.pins()
    }

    async fn validate(&self) -> Result<()> {
        self.run(&["list", "--all", "--uuid"]).await.map(drop)
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        let (ids, facts) = guests::ids_and_facts(&self.virsh).await?;
        let mut machines: Vec<SeenMachine> =
            self.virsh.remote().map(|remote| self.host_machine(remote, facts)).into_iter().collect();
        machines.extend(guests::seen(&self.virsh, &ids).await?);
        Ok(machines)
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let own = guests::own_disks(&self.virsh).await?;
        let taken = |pool: &str, volume: &inventory::Volume| {
            own.contains(&volume.path) || own.contains(&format!("{pool}/{}", volume.name))
        };
        let mut images = inventory::images(&self.virsh, taken).await?;
        if let Some(search) = search.map(str::to_lowercase) {
            images.retain(|image| image.id.to_lowercase().contains(&search));
        }
        Ok(images)
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(size::offered())
    }

    fn other_size(&self, id: &str) -> Result<Option<Size>> {
        size::named(id).map(Some)
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        inventory::locations(&self.virsh).await
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        inventory::networks(&self.virsh).await
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        let plan = Plan::of(&self.virsh, order, self.emulate).await?;
        let mut ids = Vec::new();
        for name in order.names() {
            match plan.make(&self.virsh, &name).await {
                Ok(id) => ids.push(id),
                Err(error) => return Err(order.cut_short(ids.len(), error)),
            }
        }
        guests::seen(&self.virsh, &ids).await
    }

    async fn start(&self, id: &str) -> Result<()> {
        let domain = self.domain(id, Capability::Start)?;
        match self.run(&["domstate", &domain]).await?.trim() {
            "paused" => self.run(&["resume", &domain]).await.map(drop),
            "pmsuspended" => self.run(&["dompmwakeup", &domain]).await.map(drop),
            _ => self.run(&["start", &domain]).await.map(drop),
        }
    }

    async fn stop(&self, id: &str) -> Result<()> {
        let domain = self.domain(id, Capability::Stop)?;
        self.run(&["shutdown", &domain]).await?;
        match self.force_stop_after {
            Some(patience) => self.force_down(&domain, patience).await,
            None => Ok(()),
        }
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        match self.target(id)? {
            Target::Domain(domain) => self.run(&["reboot", &domain]).await.map(drop),
            Target::Host(remote) => {
                let route = remote.log_in().await?;
                route.machine.power(Power::Reboot, &remote.host.login, self.virsh.timeouts()).await
            }
        }
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        let domain = self.domain(id, Capability::Destroy)?;
        let (found, state) = self.read(&domain).await?;
        if state != "shut off" {
            match self.run(&["destroy", &domain]).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                done => drop(done?),
            }
        }
        self.undefine(&domain, &found).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let domain = self.domain(id, Capability::Rename)?;
        order::check_name(name)?;
        self.run(&["domrename", &domain, &format!("--new-name={name}")]).await.map(drop)
    }

    async fn resize(&self, id: &str, size: &str) -> Result<()> {
        let domain = self.domain(id, Capability::Resize)?;
        let wanted = Shape::parse(size)?;
        if wanted.disk_bytes.is_some() {
            return Err(Error::invalid("size", "names a disk; disks keep their size"));
        }
        let (found, state) = self.read(&domain).await?;
        if state != "shut off" {
            return Err(Error::new(ErrorKind::Conflict, "the machine has to be stopped to get another size"));
        }
        // Neither bound may cross the other in between.
        let least = format!("--count={}", wanted.cpus.min(found.cpus.unwrap_or(1)));
        let (cpus, memory) =
            (format!("--count={}", wanted.cpus), format!("--size={}KiB", wanted.memory_mib << 10));
        self.run(&["setvcpus", &domain, &least, "--config"]).await?;
        self.run(&["setvcpus", &domain, &cpus, "--maximum", "--config"]).await?;
        self.run(&["setvcpus", &domain, &cpus, "--config"]).await?;
        self.run(&["setmaxmem", &domain, &memory, "--config"]).await?;
        self.run(&["setmem", &domain, &memory, "--config"]).await.map(drop)
    }

    async fn set_tags(&self, id: &str, tags: &[String]) -> Result<()> {
        let domain = self.domain(id, Capability::Tag)?;
        if tags.len() > MAX_TAGS || tags.iter().any(|tag| tag.is_empty() || tag.chars().count() > MAX_TAGS) {
            return Err(Error::invalid("tags", format!("are too many or too long: {MAX_TAGS} is the most")));
        }
        let (found, state) = self.read(&domain).await?;
        let mark = domain::Mark { tags: tags.to_vec(), ..found.mark };
        let (uri, set) = (format!("--uri={}", xml::NAMESPACE), format!("--set={}", xml::mark(&mark)));
        let mut words = vec!["metadata", &domain, &uri, "--key=roadstead", &set, "--config"];
        if state != "shut off" {
            words.push("--live");
        }
        self.run(&words).await.map(drop)
    }

    async fn console_output(&self, id: &str) -> Result<String> {
        let domain = self.domain(id, Capability::ConsoleOutput)?;
        let (found, _) = self.read(&domain).await?;
        let Some(file) = found.console else {
            let message =
                "nothing keeps what this machine prints: give its serial port a log, <log file='...'/>";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let bytes = self.virsh.tail(&file, CONSOLE_BYTES).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn probe(&self, id: &str) -> Result<MachineProbe> {
        let Target::Host(remote) = self.target(id)? else {
            let message = format!("the provider {PROVIDER} cannot probe machines but the hypervisor");
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let begun = Instant::now();
        let route = remote.log_in().await?;
        let command = CommandLine::new(probe::COMMAND);
        let script = probe::SCRIPT.as_bytes();
        let output = route.machine.run(&command, script, MAX_OUTPUT_BYTES, self.virsh.timeouts()).await?;
        let probe = probe::parse(&remote.host.name, &output.stdout)?;
        let round_trip_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(MachineProbe { round_trip_ms, ..probe })
    }
}

fn unknown() -> Error {
    Error::new(ErrorKind::NotFound, "this backend has no such machine")
}

/// A refusal in our words, where we have some.
fn told(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => unknown().caused_by(error),
        _ => error,
    }
}
