//! `nephoscale`: cloud servers of NephoScale, which has closed; by the API that it published, at any endpoint given.
//!
//! The API has no pages, and answers an order with a job instead of a server: the server is then looked for by name.
//! Orders are not repeated when they fail.

mod shape;
#[cfg(feature = "sim")]
pub mod sim;
mod wire;

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use roadstead_api::{image::Image, location::Location, machine::MachineState, size::Size};

use self::wire::{Api, Server};
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
    connect: |setup| Ok(Arc::new(NephoScale::new(&setup)?)),
};

const PROVIDER: &str = "nephoscale";
/// Where the service was.
const PUBLIC: &str = "https://api.nephoscale.com";

const FIELDS: Fields = Fields(&[
    Field::new("username", FieldKind::Text, "The user's name").required(),
    Field::new("password", FieldKind::Secret, "The user's password").required(),
    ENDPOINT,
    CA,
]);

const CAPABILITIES: Capabilities = Capabilities::of(&[
    Capability::Images,
    Capability::Sizes,
    Capability::Locations,
    Capability::Create,
    Capability::Start,
    Capability::Stop,
    Capability::Reboot,
    Capability::Destroy,
    Capability::Rename,
]);

const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 64, machines_per_order: 10 };

/// Characters of a host name, which is the beginning of the machine's name.
const HOSTNAME_CHARS: usize = 15;
/// Waits between the looks for a server that was ordered.
const LOOK_WAITS: [u64; 8] = [0, 100, 300, 1000, 2000, 4000, 8000, 15_000];

#[derive(Debug)]
struct NephoScale {
    api: Api,
}

impl NephoScale {
    fn new(setup: &Setup) -> Result<Self> {
        Ok(Self { api: Api::new(setup, setup.credentials.text(ENDPOINT.name).unwrap_or(PUBLIC))? })
    }

    async fn tell(&self, id: &str, what: &str) -> Result<()> {
        let outcome = self.api.tell(server(id)?, what).await;
        outcome.map_err(|error| error.refiled(ErrorKind::Invalid, ErrorKind::Conflict))
    }

    /// The id of the account's key that is this one. It is added to the account where it is not there.
    async fn key(&self, public_key: &str) -> Result<u64> {
        let material = |key: &str| key.split_whitespace().nth(1).map(str::to_owned);
        let wanted = material(public_key);
        if let Some(key) = self.api.keys().await?.into_iter().find(|key| material(&key.public_key) == wanted)
        {
            return Ok(key.id);
        }
        let name = public_key.split_whitespace().nth(2).unwrap_or("roadstead");
        self.api.add_key(name, public_key).await
    }

    /// The server of this name that was not there before.
    async fn appears(&self, name: &str, before: &HashSet<u64>) -> Result<Server> {
        for wait in LOOK_WAITS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let servers = self.api.servers().await?;
            let found =
                servers.into_iter().find(|server| server.name == name && !before.contains(&server.id));
            if let Some(server) = found {
                return Ok(server);
            }
        }
        Err(Error::new(
            ErrorKind::Timeout,
            format!("NephoScale took the order of {name}, and does not list it yet"),
        ))
    }
}

/// The number that a server's id is; anything else is no server's.
fn server(id: &str) -> Result<u64> {
    let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| Error::new(ErrorKind::NotFound, "NephoScale has no such server"))
}

fn check_name(name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_. ".contains(character);
    if name.trim().is_empty() || name.len() > LIMITS.name_chars || !name.chars().all(fits) {
        return Err(Error::invalid(
            "name",
            "takes 1 to 64 letters, digits, spaces, dashes, dots and underscores",
        ));
    }
    Ok(())
}

/// What of a name a host name takes.
fn hostname(name: &str) -> String {
    let kept = name.chars().filter(|character| character.is_ascii_alphanumeric() || *character == '-');
    kept.take(HOSTNAME_CHARS).collect()
}

#[async_trait]
impl Driver for NephoScale {
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
        self.api.servers().await.map(drop)
    }

    async fn machines(&self) -> Result<Vec<SeenMachine>> {
        Ok(self.api.servers().await?.into_iter().map(shape::machine).collect())
    }

    async fn images(&self, search: Option<&str>) -> Result<Vec<Image>> {
        let search = search.map(str::to_lowercase);
        let images = self.api.images().await?.into_iter().map(shape::image);
        let fits = |image: &Image| {
            search
                .as_ref()
                .is_none_or(|search| image.name.to_lowercase().contains(search) || image.id == *search)
        };
        Ok(images.filter(fits).collect())
    }

    async fn sizes(&self) -> Result<Vec<Size>> {
        Ok(self.api.sizes().await?.into_iter().map(shape::size).collect())
    }

    async fn locations(&self) -> Result<Vec<Location>> {
        Ok(self.api.zones().await?.into_iter().map(shape::location).collect())
    }

    async fn create(&self, order: &MachineOrder) -> Result<Vec<SeenMachine>> {
        order.check(&LIMITS)?;
        let names = order.names();
        names.iter().try_for_each(|name| check_name(name))?;
        let Some(public_key) = &order.public_key else {
            return Err(Error::invalid("key", "is missing; NephoScale makes no server without an SSH key"));
        };
        if order.user_data.is_some() {
            return Err(Error::invalid("user_data", "is not for NephoScale, which has no cloud-init"));
        }
        let keys = [self.key(public_key).await?, self.api.add_console_key(&order.name).await?];
        let mut made = Vec::new();
        for name in &names {
            let before = self.api.servers().await?.into_iter().map(|server| server.id).collect();
            let outcome = self.api.create(order, name, &hostname(name), keys).await;
            outcome.map_err(|error| order.cut_short(made.len(), error))?;
            let machine = shape::machine(self.appears(name, &before).await?);
            made.push(SeenMachine { state: MachineState::Pending, ..machine });
        }
        Ok(made)
    }

    async fn start(&self, id: &str) -> Result<()> {
        self.tell(id, "start").await
    }

    async fn stop(&self, id: &str) -> Result<()> {
        self.tell(id, "stop").await
    }

    async fn reboot(&self, id: &str) -> Result<()> {
        self.tell(id, "restart").await
    }

    async fn destroy(&self, id: &str) -> Result<()> {
        self.api.destroy(server(id)?).await
    }

    async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let server = server(id)?;
        check_name(name)?;
        self.api.rename(server, name).await
    }
}
