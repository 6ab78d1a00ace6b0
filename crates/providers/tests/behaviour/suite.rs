//! The cases, which every driver has to pass.

use std::{collections::HashSet, net::SocketAddr, sync::Arc};

use roadstead_api::{
    id::ProviderId,
    network::{NewNetwork, NewSubnet},
};
use roadstead_providers::{
    AddressGuard, Capability, Driver, Error, ErrorKind, Program, Result, registration,
};
use tokio::net::TcpListener;

use crate::{
    life, rest,
    stage::{HASTY, PATIENT, Stage, driver_at, driver_of, order, setup},
};

/// Runs every case that fits.
pub async fn run(stage: &impl Stage) {
    let driver = driver_at(stage, &stage.fields(), PATIENT);
    let capabilities = driver.capabilities();
    assert_eq!(driver.provider(), stage.provider());
    assert!(
        capabilities.is_subset_of(registration(&ProviderId(stage.provider().into())).unwrap().capabilities)
    );

    driver.validate().await.unwrap();
    lists_are_stable_and_honest(&*driver).await;
    what_is_not_declared_is_refused_without_a_call(stage, &driver).await;
    unknown_machines_are_not_found(&*driver).await;
    if capabilities.contains(Capability::Reboot) {
        a_reboot_arrives_once(stage, &*driver).await;
    }
    if capabilities.contains(Capability::Probe) {
        a_probe_tells_something(&*driver).await;
    }
    if capabilities.contains(Capability::CreateNetwork) {
        a_network_comes_and_goes(&*driver).await;
    }
    if let Some(order) = stage.order() {
        life::run(&*driver, order).await;
    }
    if let Some(control) = stage.control() {
        rest::run(stage, control).await;
    }
    wrong_credentials_are_told_from_no_route(stage).await;
    a_closed_port_and_a_silent_one(stage).await;
    forbidden_addresses_are_not_called(stage).await;
}

async fn lists_are_stable_and_honest(driver: &dyn Driver) {
    let (first, second) = (driver.machines().await.unwrap(), driver.machines().await.unwrap());
    assert!(!first.is_empty());
    let ids = |machines: &[roadstead_providers::SeenMachine]| -> HashSet<String> {
        machines.iter().map(|machine| machine.external_id.clone()).collect()
    };
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(ids(&first).len(), first.len(), "an id stands for two machines");
    for machine in first {
        assert!(!machine.external_id.is_empty() && !machine.name.is_empty());
        assert!(machine.actions.is_subset_of(driver.capabilities()), "{machine:?} promises too much");
    }
}

/// Calls what a capability stands for.
async fn call(driver: &dyn Driver, capability: Capability, id: &str) -> Result<()> {
    match capability {
        Capability::Images => driver.images(None).await.map(drop),
        Capability::Sizes => driver.sizes().await.map(drop),
        Capability::Locations => driver.locations().await.map(drop),
        Capability::Networks => driver.networks().await.map(drop),
        Capability::Create => driver.create(&order("new", "image", "size")).await.map(drop),
        Capability::Start => driver.start(id).await,
        Capability::Stop => driver.stop(id).await,
        Capability::Reboot => driver.reboot(id).await,
        Capability::Destroy => driver.destroy(id).await,
        Capability::Rename => driver.rename(id, "other").await,
        Capability::Resize => driver.resize(id, "other").await,
        Capability::Tag => driver.set_tags(id, &["other".into()]).await,
        Capability::ConsoleOutput => driver.console_output(id).await.map(drop),
        Capability::Probe => driver.probe(id).await.map(drop),
        Capability::Exec => driver.open(id, Program::Commands).await.map(drop),
        Capability::CreateNetwork => driver.create_network(&network("new")).await.map(drop),
        Capability::DeleteNetwork => driver.delete_network("network").await,
    }
}

async fn what_is_not_declared_is_refused_without_a_call(stage: &impl Stage, driver: &Arc<dyn Driver>) {
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    let before = stage.connections();
    for capability in Capability::ALL {
        if !driver.capabilities().contains(capability) {
            let error = call(&**driver, capability, &id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{capability}");
            assert!(error.to_string().contains(stage.provider()), "{error}");
        }
    }
    assert_eq!(stage.connections(), before);
}

/// A network with one subnet.
fn network(name: &str) -> NewNetwork {
    let subnet = NewSubnet { cidr: "10.99.0.0/24".into(), ..NewSubnet::default() };
    NewNetwork { name: name.into(), shared: false, subnets: vec![subnet] }
}

/// A network is made, shown, and deleted.
async fn a_network_comes_and_goes(driver: &dyn Driver) {
    let made = driver.create_network(&network("behaviour")).await.unwrap();
    assert_eq!((made.name.as_str(), made.subnets.len()), ("behaviour", 1), "{made:?}");
    assert_eq!(made.subnets[0].cidr, "10.99.0.0/24");
    let listed = driver.networks().await.unwrap();
    assert_eq!(listed.iter().find(|network| network.id == made.id), Some(&made));
    driver.delete_network(&made.id).await.unwrap();
    assert!(driver.networks().await.unwrap().iter().all(|network| network.id != made.id));
    for id in [made.id.as_str(), "", "../..", "no-such-network"] {
        assert_eq!(driver.delete_network(id).await.unwrap_err().kind(), ErrorKind::NotFound, "{id}");
    }
}

async fn unknown_machines_are_not_found(driver: &dyn Driver) {
    for capability in [
        Capability::Start,
        Capability::Stop,
        Capability::Reboot,
        Capability::Probe,
        Capability::Exec,
        Capability::Destroy,
    ] {
        if driver.capabilities().contains(capability) {
            for id in ["no-such-machine", "", "../..", "$(reboot)", "-h"] {
                assert_eq!(
                    call(driver, capability, id).await.unwrap_err().kind(),
                    ErrorKind::NotFound,
                    "{id}"
                );
            }
        }
    }
}

async fn a_reboot_arrives_once(stage: &impl Stage, driver: &dyn Driver) {
    let before = stage.reboots();
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    driver.reboot(&id).await.unwrap();
    assert_eq!(stage.reboots(), before + 1);
}

async fn a_probe_tells_something(driver: &dyn Driver) {
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    let probe = driver.probe(&id).await.unwrap();
    assert!(probe.uptime_seconds.is_some_and(|seconds| seconds > 0), "{probe:?}");
    assert!(probe.cores.is_some_and(|cores| cores > 0), "{probe:?}");
    assert!(probe.load.is_some() && probe.kernel.is_some() && !probe.disks.is_empty(), "{probe:?}");
    assert!(probe.addresses.iter().all(|address| !address.is_loopback()), "{probe:?}");
}

/// Makes sure that nothing is answered but by an error, and returns it.
async fn failure(driver: Arc<dyn Driver>) -> Error {
    driver.validate().await.unwrap_err()
}

async fn wrong_credentials_are_told_from_no_route(stage: &impl Stage) {
    let error = failure(driver_at(stage, &stage.wrong_credentials(), PATIENT)).await;
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::WrongCredentials, false), "{error:?}");
}

async fn a_closed_port_and_a_silent_one(stage: &impl Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { unreachable!() };
    let moved = stage.moved_to(&address.ip().to_string(), address.port());
    let error = failure(driver_at(stage, &moved, HASTY)).await;
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Timeout, true), "{error:?}");
    drop(listener);
    let error = failure(driver_at(stage, &moved, PATIENT)).await;
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unreachable, true), "{error:?}");
}

async fn forbidden_addresses_are_not_called(stage: &impl Stage) {
    for host in ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1"] {
        let error = failure(driver_at(stage, &stage.moved_to(host, 80), PATIENT)).await;
        assert_eq!(error.kind(), ErrorKind::ForbiddenAddress, "{host}: {error:?}");
    }
    let before = stage.connections();
    let mut strict = setup(stage.provider(), &stage.fields(), PATIENT);
    strict.region = stage.region().map(str::to_owned);
    strict.guard = AddressGuard { deny_private: true };
    let error = failure(driver_of(stage.provider(), strict)).await;
    assert_eq!(error.kind(), ErrorKind::ForbiddenAddress, "{error:?}");
    assert_eq!(stage.connections(), before);
}
