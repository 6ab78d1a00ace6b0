//! A machine's life: made, looked at until it runs, stopped, started, renamed, resized, tagged and destroyed; each step
//! where the driver can.

use roadstead_api::machine::MachineState;
use roadstead_providers::{Capability, Driver, ErrorKind, SeenMachine};

use crate::stage::Order;

/// Looks after which a far side that gets nowhere has failed. Fakes take a few.
const LOOKS: usize = 40;

/// Lives a machine's life, and leaves nothing behind.
pub async fn run(driver: &dyn Driver, order: Order) {
    let can = |capability| driver.capabilities().contains(capability);
    let id = is_made(driver, &order).await;
    if can(Capability::Stop) {
        stops_and_starts(driver, &id).await;
    }
    if can(Capability::Rename) {
        is_renamed(driver, &id).await;
    }
    if can(Capability::Resize) {
        is_resized(driver, &id, order.other_size).await;
    }
    if can(Capability::Tag) {
        is_tagged(driver, &id).await;
    }
    if can(Capability::ConsoleOutput) {
        assert!(!driver.console_output(&id).await.unwrap().is_empty());
    }
    several_are_told_apart(driver, &order).await;
    is_destroyed(driver, &id).await;
}

/// The machine, once it is like this.
pub async fn comes_to(driver: &dyn Driver, id: &str, like: impl Fn(&SeenMachine) -> bool) -> SeenMachine {
    let mut last = None;
    for _ in 0..LOOKS {
        let machine = driver.machines().await.unwrap().into_iter().find(|machine| machine.external_id == id);
        if machine.as_ref().is_some_and(&like) {
            return machine.unwrap();
        }
        last = machine;
    }
    panic!("it never came to that: {last:?}")
}

async fn is(driver: &dyn Driver, id: &str, state: MachineState) -> SeenMachine {
    comes_to(driver, id, |machine| machine.state == state).await
}

async fn is_made(driver: &dyn Driver, order: &Order) -> String {
    let before = driver.machines().await.unwrap().len();
    let made = driver.create(&order.order).await.unwrap();
    assert_eq!(made.len(), 1);
    let id = made[0].external_id.clone();
    assert_eq!(made[0].state, MachineState::Pending, "{made:?}");
    let machine = is(driver, &id, MachineState::Running).await;
    assert_eq!(driver.machines().await.unwrap().len(), before + 1);
    assert!(machine.name.starts_with(&order.order.name), "{machine:?}");
    assert!(machine.image.is_some() || machine.extra.contains_key("image_name"), "{machine:?}");
    assert_eq!(machine.size.as_deref(), Some(order.order.size.as_str()));
    assert!(!machine.public_ips.is_empty() || !machine.private_ips.is_empty(), "{machine:?}");
    assert!(machine.extra.contains_key("created_at"), "{machine:?}");
    id
}

async fn stops_and_starts(driver: &dyn Driver, id: &str) {
    let running = is(driver, id, MachineState::Running).await;
    assert!(running.actions.contains(Capability::Stop) && !running.actions.contains(Capability::Start));
    assert_eq!(driver.start(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    driver.stop(id).await.unwrap();
    let stopped = is(driver, id, MachineState::Stopped).await;
    assert!(stopped.actions.contains(Capability::Start) && !stopped.actions.contains(Capability::Stop));
    assert_eq!(driver.stop(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    driver.start(id).await.unwrap();
    is(driver, id, MachineState::Running).await;
}

/// Some take a change only while they are stopped; what a machine says of itself holds. Whether it had to be stopped.
async fn is_stopped_for(driver: &dyn Driver, id: &str, capability: Capability) -> bool {
    let running = is(driver, id, MachineState::Running).await;
    if running.actions.contains(capability) {
        return false;
    }
    driver.stop(id).await.unwrap();
    let stopped = is(driver, id, MachineState::Stopped).await;
    assert!(stopped.actions.contains(capability), "{stopped:?}");
    true
}

async fn goes_on(driver: &dyn Driver, id: &str, was_stopped: bool) {
    if was_stopped {
        driver.start(id).await.unwrap();
    }
    is(driver, id, MachineState::Running).await;
}

async fn is_renamed(driver: &dyn Driver, id: &str) {
    let stopped = is_stopped_for(driver, id, Capability::Rename).await;
    driver.rename(id, "renamed").await.unwrap();
    let renamed = comes_to(driver, id, |machine| machine.name.starts_with("renamed")).await;
    assert_eq!(renamed.external_id, id);
    assert_eq!(driver.rename(id, "").await.unwrap_err().kind(), ErrorKind::Invalid);
    goes_on(driver, id, stopped).await;
}

async fn is_resized(driver: &dyn Driver, id: &str, size: &str) {
    if !is(driver, id, MachineState::Running).await.actions.contains(Capability::Resize) {
        assert!(driver.resize(id, size).await.is_err());
    }
    let stopped = is_stopped_for(driver, id, Capability::Resize).await;
    driver.resize(id, size).await.unwrap();
    comes_to(driver, id, |machine| machine.size.as_deref() == Some(size)).await;
    assert!(driver.resize(id, "no-such-size").await.is_err());
    goes_on(driver, id, stopped).await;
}

async fn is_tagged(driver: &dyn Driver, id: &str) {
    for tags in [&["web", "blue"][..], &["blue", "new"], &[]] {
        let mut wanted: Vec<String> = tags.iter().map(|&tag| tag.into()).collect();
        driver.set_tags(id, &wanted).await.unwrap();
        wanted.sort();
        comes_to(driver, id, |machine| {
            let mut tags = machine.tags.clone();
            tags.sort();
            tags == wanted
        })
        .await;
    }
}

async fn several_are_told_apart(driver: &dyn Driver, order: &Order) {
    let mut several = order.order.clone();
    several.quantity = 2;
    several.token = "token-of-two".into();
    several.name = "several".into();
    let made = driver.create(&several).await.unwrap();
    assert_eq!(made.len(), 2);
    assert_ne!((&made[0].external_id, &made[0].name), (&made[1].external_id, &made[1].name));
    for machine in made {
        is_destroyed(driver, &machine.external_id).await;
    }
    several.quantity = 0;
    assert_eq!(driver.create(&several).await.unwrap_err().field(), Some("quantity"));
    let mut odd = order.order.clone();
    (odd.image, odd.token) = ("no-such-image".into(), "token-of-nothing".into());
    assert!(driver.create(&odd).await.is_err());
}

/// Destroying takes its time, and some far sides list what is gone a little longer.
async fn is_destroyed(driver: &dyn Driver, id: &str) {
    comes_to(driver, id, |machine| machine.actions.contains(Capability::Destroy)).await;
    driver.destroy(id).await.unwrap();
    for _ in 0..LOOKS {
        let machine = driver.machines().await.unwrap().into_iter().find(|machine| machine.external_id == id);
        let Some(machine) = machine else { return };
        if machine.state == MachineState::Terminated {
            assert_eq!(machine.actions.iter().count(), 0, "{machine:?}");
            return;
        }
    }
    panic!("it never went");
}
