//! What changes a machine: refused where it cannot be done, told to the audit log, and then ordered from the backend.
//!
//! The order goes to a far side that no transaction reaches. So the audit log is told first, and what the machine is
//! doing now is a guess until its backend has been asked again, which is done soon and often until it comes to rest.

use std::sync::Arc;

use roadstead_api::{
    Endpoint,
    id::MachineId,
    machine::{
        Machine, MachineDestroy, MachineReboot, MachineRename, MachineResize, MachineStart, MachineState,
        MachineStop, MachineTag, NewMachineName, NewMachineSize, TagChange,
    },
    machine_history::HappenedTo,
};
use roadstead_providers::{Capability, Driver, Error as ProviderError};

use super::{backend, connection, get, not_found};
use crate::{
    Error, Result,
    db::{self, backend::BackendRow, machine::MachineRow, machine_history::Happened},
    ops::{Context, refresh, validate},
};

/// How many tags a machine may be given.
const MAX_TAGS: usize = 100;

/// An order to a backend.
enum Order {
    Start,
    Stop,
    Reboot,
    Destroy,
    Rename(String),
    Resize(String),
    Tags(Vec<String>),
}

impl Order {
    fn capability(&self) -> Capability {
        match self {
            Self::Start => Capability::Start,
            Self::Stop => Capability::Stop,
            Self::Reboot => Capability::Reboot,
            Self::Destroy => Capability::Destroy,
            Self::Rename(_) => Capability::Rename,
            Self::Resize(_) => Capability::Resize,
            Self::Tags(_) => Capability::Tag,
        }
    }

    async fn send(&self, driver: &dyn Driver, id: &str) -> Result<(), ProviderError> {
        match self {
            Self::Start => driver.start(id).await,
            Self::Stop => driver.stop(id).await,
            Self::Reboot => driver.reboot(id).await,
            Self::Destroy => driver.destroy(id).await,
            Self::Rename(name) => driver.rename(id, name).await,
            Self::Resize(size) => driver.resize(id, size).await,
            Self::Tags(tags) => driver.set_tags(id, tags).await,
        }
    }

    /// What the machine is until its backend says.
    fn expect(self, machine: &mut Machine) {
        match self {
            Self::Start | Self::Stop | Self::Destroy | Self::Resize(_) => {
                machine.state = MachineState::Pending
            }
            Self::Reboot => machine.state = MachineState::Rebooting,
            Self::Rename(name) => machine.name = name,
            Self::Tags(tags) => machine.tags = tags,
        }
    }
}

/// A machine and the way to it.
pub struct Target {
    /// The machine.
    pub machine: Machine,
    /// Its backend.
    pub row: BackendRow,
    /// The way to it.
    pub driver: Arc<dyn Driver>,
}

/// A machine of which its backend can do this, at least at times.
pub async fn target(context: &Context, id: &MachineId, capability: Capability) -> Result<Target> {
    let machine = get(context, id).await?;
    let row = backend::get(context, &machine.backend_id).await?;
    backend::require_enabled(&row)?;
    let driver = connection::driver(context, &row).await?;
    if !driver.capabilities().contains(capability) {
        return Err(ProviderError::unsupported(driver.provider(), capability).into());
    }
    Ok(Target { machine, row, driver })
}

/// Starts a machine.
pub async fn start(context: &Context, id: &MachineId) -> Result<Machine> {
    order::<MachineStart>(context, id, Order::Start).await
}

/// Stops a machine.
pub async fn stop(context: &Context, id: &MachineId) -> Result<Machine> {
    order::<MachineStop>(context, id, Order::Stop).await
}

/// Restarts a machine.
pub async fn reboot(context: &Context, id: &MachineId) -> Result<Machine> {
    order::<MachineReboot>(context, id, Order::Reboot).await
}

/// Destroys a machine.
pub async fn destroy(context: &Context, id: &MachineId) -> Result<Machine> {
    order::<MachineDestroy>(context, id, Order::Destroy).await
}

/// Gives a machine another name.
pub async fn rename(context: &Context, id: &MachineId, new: NewMachineName) -> Result<Machine> {
    context.authorize::<MachineRename>()?;
    validate::name("name", &new.name)?;
    order::<MachineRename>(context, id, Order::Rename(new.name)).await
}

/// Gives a machine another size.
pub async fn resize(context: &Context, id: &MachineId, new: NewMachineSize) -> Result<Machine> {
    context.authorize::<MachineResize>()?;
    validate::name("size", &new.size)?;
    order::<MachineResize>(context, id, Order::Resize(new.size)).await
}

/// Sets, adds and takes away tags.
pub async fn tag(context: &Context, id: &MachineId, change: TagChange) -> Result<Machine> {
    context.authorize::<MachineTag>()?;
    change.set.iter().flatten().chain(&change.remove).chain(&change.add).try_for_each(|tag| {
        let word = if tag.contains('\n') { "" } else { tag.as_str() };
        validate::name("a tag", word)
    })?;
    let tags = tags_after(get(context, id).await?.tags, change);
    if tags.len() > MAX_TAGS {
        return Err(Error::invalid(format!("A machine takes up to {MAX_TAGS} tags.")));
    }
    order::<MachineTag>(context, id, Order::Tags(tags)).await
}

/// The tags of a machine after a change. Of each key there is one value.
fn tags_after(now: Vec<String>, change: TagChange) -> Vec<String> {
    fn key(tag: &str) -> &str {
        tag.split_once('=').map_or(tag, |(key, _)| key)
    }
    let mut tags = change.set.unwrap_or(now);
    tags.retain(|tag| !change.remove.iter().any(|gone| gone == tag || gone == key(tag)));
    for tag in change.add {
        tags.retain(|other| {
            *other != tag && !(tag.contains('=') && other.contains('=') && key(other) == key(&tag))
        });
        tags.push(tag);
    }
    tags
}

async fn order<E: Endpoint>(context: &Context, id: &MachineId, order: Order) -> Result<Machine> {
    context.authorize::<E>()?;
    let Target { machine, row, driver } = target(context, id, order.capability()).await?;
    if !can(&machine, order.capability()) {
        return Err(not_now(&machine, &row, order.capability()));
    }
    context.change::<E>().await?.commit(id).await?;
    let outcome = order.send(&*driver, &machine.external_id).await;
    connection::keep_pins(context, &row, &*driver).await?;
    // Even what failed may have been carried out: the backend is asked in any case.
    refresh::soon(context, &row.backend.id).await?;
    outcome?;
    expect(context, id, order).await
}

/// Whether a machine says that this can be done with it now.
fn can(machine: &Machine, capability: Capability) -> bool {
    match capability {
        Capability::Start => machine.can_start,
        Capability::Stop => machine.can_stop,
        Capability::Reboot => machine.can_reboot,
        Capability::Destroy => machine.can_destroy,
        Capability::Rename => machine.can_rename,
        Capability::Resize => machine.can_resize,
        Capability::Tag => machine.can_tag,
        _ => true,
    }
}

fn not_now(machine: &Machine, row: &BackendRow, capability: Capability) -> Error {
    Error::conflict(format!(
        "The provider {} cannot {capability} that are as {} is now: {}.",
        row.backend.provider, machine.name, machine.state
    ))
}

/// Writes down what is to be expected of a machine.
async fn expect(context: &Context, id: &MachineId, order: Order) -> Result<Machine> {
    let mut write = context.db.write().await?;
    let found = db::machine::get(&mut write, context.account(), id).await?;
    let mut machine = found.ok_or_else(|| not_found(id))?;
    let before = machine.state;
    order.expect(&mut machine);
    if machine.state != before {
        let (what, name, state) = (HappenedTo::State, machine.name.as_str(), machine.state.as_str());
        let place = (context.account(), &machine.backend_id);
        let happened = Happened { what, machine: id, name, state };
        db::machine_history::insert(&mut write, place, &[happened], context.now_ms()).await?;
    }
    let row = MachineRow::of(&machine)?;
    db::machine::put(&mut write, context.account(), &[(&machine, &row)], context.now_ms()).await?;
    write.commit().await?;
    Ok(machine)
}

#[cfg(test)]
mod tests {
    use roadstead_api::machine::TagChange;

    use super::tags_after;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn tags_are_set_then_taken_away_then_added() {
        let cases = [
            ("a b", None, "b", "c", "a c"),
            ("a", None, "", "a", "a"),
            ("env=dev role=web", None, "", "env=prod", "role=web env=prod"),
            ("env env=dev", None, "env", "", ""),
            ("env=dev env2=x", None, "env=dev", "", "env2=x"),
            ("a b", Some("c"), "", "d", "c d"),
            ("env", None, "", "env=prod", "env env=prod"),
        ];
        for (now, set, remove, add, after) in cases {
            let change = TagChange { set: set.map(words), remove: words(remove), add: words(add) };
            assert_eq!(tags_after(words(now), change), words(after), "{now} {set:?} -{remove} +{add}");
        }
    }
}
