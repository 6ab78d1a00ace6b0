//! Ordering machines: what it comes to, and the job that makes them.
//!
//! An order is checked against what the backend offers before there is a job, so that what cannot be made is refused
//! at once. Machines cost money: nothing is ever ordered twice because something failed.

use roadstead_api::{
    Permission,
    id::KeyId,
    job::{Job, JobKind},
    key::Key,
    machine::{MachineCreate, MachinePlan, MachinePlanShow, NewContainer, NewMachine},
    size::Price,
};
use roadstead_providers::{
    Capability, ContainerOrder, Driver, MachineOrder, Progress, PublishedPort, Volume,
};

use super::backend;
use crate::{
    Error, Result,
    app::job_input_place,
    db::{self, job::NewJob},
    ops::{Context, job, key, validate},
    random,
};

/// How much cloud-init may be given, in bytes. The clouds take less or as much.
const MAX_CLOUD_INIT: usize = 64 * 1024;
/// The provider whose machines are containers.
const CONTAINERS: &str = "docker";
/// How many networks machines may be joined to.
const MAX_NETWORKS: usize = 20;

/// Shows what an order comes to.
pub async fn plan(context: &Context, new: &NewMachine) -> Result<MachinePlan> {
    context.authorize::<MachinePlanShow>()?;
    Ok(checked(context, new).await?.0)
}

/// Orders machines: a job makes them.
pub async fn create(context: &Context, new: NewMachine) -> Result<Job> {
    context.authorize::<MachineCreate>()?;
    let token = random::id()?;
    let (plan, input) = ordered(context, &new, &token).await?;
    let sealed = context.account_key(context.account()).await?;
    let sealed = sealed.seal(&job_input_place(&token), &db::row::json(&input)?)?;
    let row = NewJob {
        account_id: context.account(),
        kind: JobKind::MachineCreate,
        backend_id: &plan.backend_id,
        token: &token,
        sealed_input: &sealed,
        machine_ids: &[],
        total: plan.names.len() as u32,
        created_by: &context.user.username,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<MachineCreate>().await?;
    let id = db::job::insert(&mut change, &row).await?;
    change.commit(format!("job {id}: {}", plan.names.join(", "))).await?;
    context.live.make.notify_one();
    job::get(context, id).await
}

/// The plan of an order, and the order as a job of this token keeps it.
pub async fn ordered(context: &Context, new: &NewMachine, token: &str) -> Result<(MachinePlan, Input)> {
    let (plan, mut order) = checked(context, new).await?;
    token.clone_into(&mut order.token);
    let input = Input { order, key_id: plan.key_id.clone() };
    Ok((plan, input))
}

/// An order as its job keeps it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// The order.
    #[serde(flatten)]
    pub order: MachineOrder,
    /// The key that the machines take.
    #[serde(default)]
    pub key_id: Option<KeyId>,
}

/// The plan of an order, and the order without its token.
async fn checked(context: &Context, new: &NewMachine) -> Result<(MachinePlan, MachineOrder)> {
    require_sane(new)?;
    let row = backend::get(context, &new.backend_id).await?;
    let driver = backend::driver(context, &new.backend_id, Capability::Create).await?;
    let key = login_key(context, new).await?;
    let order = MachineOrder {
        name: new.name.clone(),
        quantity: new.quantity.unwrap_or(1),
        image: new.image.clone(),
        size: new.size.clone(),
        location: new.location.clone(),
        networks: new.networks.clone(),
        public_key: key.as_ref().map(|key| key.public_key.clone()),
        user_data: new.cloud_init.clone(),
        token: String::new(),
        container: container(context, new, driver.provider())?,
        progress: Progress::default(),
    };
    order.check(&driver.limits())?;
    let price = price(&*driver, &order).await?;
    require_offered(&*driver, &order).await?;
    let plan = MachinePlan {
        backend_id: new.backend_id.clone(),
        provider: row.backend.provider,
        names: order.names(),
        image: new.image.clone(),
        size: new.size.clone(),
        location: new.location.clone(),
        networks: new.networks.clone(),
        key_id: key.map(|key| key.id),
        cloud_init: new.cloud_init.is_some(),
        price,
    };
    Ok((plan, order))
}

/// What a container is made with. A path of the host makes whoever mounts it master of that host, so it takes an admin.
fn container(context: &Context, new: &NewMachine, provider: &str) -> Result<ContainerOrder> {
    let Some(NewContainer { command, environment, ports, volumes }) = new.container.clone() else {
        return Ok(ContainerOrder::default());
    };
    if provider != CONTAINERS {
        let message = format!("container is for containers, and the provider {provider} has none.");
        return Err(Error::invalid(message));
    }
    let ports = ports.iter().map(|port| PublishedPort::parse(port)).collect::<Result<_, _>>()?;
    let volumes: Vec<Volume> = volumes.iter().map(|text| Volume::parse(text)).collect::<Result<_, _>>()?;
    if volumes.iter().any(Volume::is_of_host) {
        context.require(Permission::Admin)?;
    }
    let order = ContainerOrder { command, environment, ports, volumes };
    order.check()?;
    Ok(order)
}

fn require_sane(new: &NewMachine) -> Result<()> {
    validate::name("name", &new.name)?;
    validate::name("image", &new.image)?;
    validate::name("size", &new.size)?;
    new.location.iter().try_for_each(|location| validate::name("location", location))?;
    if new.networks.len() > MAX_NETWORKS {
        return Err(Error::invalid(format!("networks takes up to {MAX_NETWORKS}.")));
    }
    new.networks.iter().try_for_each(|network| validate::name("networks", network))?;
    let length = new.cloud_init.as_deref().map_or(0, str::len);
    if length > MAX_CLOUD_INIT {
        return Err(Error::invalid(format!(
            "cloud_init has {length} bytes; it takes up to {MAX_CLOUD_INIT}."
        )));
    }
    Ok(())
}

/// The key that is named, or the account's default.
async fn login_key(context: &Context, new: &NewMachine) -> Result<Option<Key>> {
    match &new.key_id {
        Some(id) => key::get(context, id).await.map(Some),
        None => key::default(context).await,
    }
}

/// What the machines cost in sum; refuses a size that the backend does not have.
async fn price(driver: &dyn Driver, order: &MachineOrder) -> Result<Option<Price>> {
    if !driver.capabilities().contains(Capability::Sizes) {
        return Ok(None);
    }
    let sizes = driver.sizes().await?;
    let unknown = || {
        Error::invalid(format!(
            "The backend has no size {:.100?}; `roadstead sizes list` shows them.",
            order.size
        ))
    };
    let listed = sizes.into_iter().find(|size| size.id == order.size);
    let size = match listed {
        Some(size) => size,
        None => driver.other_size(&order.size)?.ok_or_else(unknown)?,
    };
    let in_sum = |price: Price| Price { per_hour: price.per_hour * f64::from(order.quantity), ..price };
    Ok(size.price.map(in_sum))
}

/// Refuses a location or networks that the backend does not have.
async fn require_offered(driver: &dyn Driver, order: &MachineOrder) -> Result<()> {
    let can = driver.capabilities();
    if let Some(wanted) = order.location.as_ref().filter(|_| can.contains(Capability::Locations))
        && !driver.locations().await?.iter().any(|location| location.id == *wanted)
    {
        let message =
            format!("The backend has no location {wanted:.100?}; `roadstead locations list` shows them.");
        return Err(Error::invalid(message));
    }
    if order.networks.is_empty() || !can.contains(Capability::Networks) {
        return Ok(());
    }
    let networks = driver.networks().await?;
    match order.networks.iter().find(|wanted| !networks.iter().any(|network| network.id == **wanted)) {
        Some(unknown) => Err(Error::invalid(format!(
            "The backend has no network {unknown:.100?}; `roadstead networks list` shows them."
        ))),
        None => Ok(()),
    }
}
