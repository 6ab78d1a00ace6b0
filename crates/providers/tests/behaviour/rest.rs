//! What every driver that speaks REST owes to a far side that misbehaves: each fault has its kind of error, reads are
//! made again where that may help, orders never are, and no more than eight calls go out at once.

use std::time::Duration;

use roadstead_api::id::ProviderId;
use roadstead_providers::{
    Capability, ErrorKind, registration,
    sim::{Control, Fault},
};

use crate::stage::{HASTY, PATIENT, Stage, driver_at};

/// Runs every case.
pub async fn run(stage: &impl Stage, control: &Control) {
    lists_come_in_pages(stage, control).await;
    each_fault_has_its_kind(stage, control).await;
    bursts_pass(stage, control).await;
    patience_ends_where_it_is_asked_for_too_long(stage, control).await;
    an_order_goes_out_once(stage, control).await;
    few_calls_at_once(stage, control).await;
}

async fn lists_come_in_pages(stage: &impl Stage, control: &Control) {
    let driver = driver_at(stage, &stage.fields(), PATIENT);
    driver.validate().await.unwrap();
    for capability in [Capability::Images, Capability::Sizes, Capability::Locations, Capability::Networks] {
        if !driver.capabilities().contains(capability) {
            continue;
        }
        let before = control.calls();
        let found = match capability {
            Capability::Images => ids(driver.images(None).await.unwrap(), |image| image.id),
            Capability::Sizes => ids(driver.sizes().await.unwrap(), |size| size.id),
            Capability::Locations => ids(driver.locations().await.unwrap(), |location| location.id),
            _ => ids(driver.networks().await.unwrap(), |network| network.id),
        };
        let unique: std::collections::HashSet<_> = found.iter().collect();
        assert_eq!(unique.len(), found.len(), "{capability}: an id stands for two");
        assert!(!found.is_empty(), "{capability}");
        if !stage.whole().contains(&capability) {
            assert!(control.calls() - before >= 3, "{capability}: {:?}", control.log().split_off(before));
        }
    }
    let before = control.calls();
    assert!(driver.machines().await.unwrap().len() > 6);
    assert!(control.calls() - before >= 3 || !stage.has_pages());
    assert!(driver.images(Some("no such image")).await.unwrap().is_empty());
}

fn ids<T>(items: Vec<T>, id: impl Fn(T) -> String) -> Vec<String> {
    items.into_iter().map(id).collect()
}

async fn each_fault_has_its_kind(stage: &impl Stage, control: &Control) {
    let fields = registration(&ProviderId(stage.provider().into())).unwrap().fields;
    for (fault, timeouts, kind) in [
        (Fault::Silent, HASTY, ErrorKind::Timeout),
        (Fault::Slow(Duration::from_secs(60)), HASTY, ErrorKind::Timeout),
        (Fault::Slams, PATIENT, ErrorKind::Unreachable),
        (Fault::BreaksOff, PATIENT, ErrorKind::Unreachable),
        (Fault::Truncates, PATIENT, ErrorKind::Malformed),
        (Fault::Babbles, PATIENT, ErrorKind::Malformed),
        (Fault::Floods, PATIENT, ErrorKind::Malformed),
        (Fault::Redirects, PATIENT, ErrorKind::Malformed),
        (Fault::Status(401), PATIENT, ErrorKind::WrongCredentials),
        (Fault::Status(403), PATIENT, ErrorKind::MissingRights),
        (Fault::Status(404), PATIENT, ErrorKind::NotFound),
        (Fault::Status(500), PATIENT, ErrorKind::Failed),
        (Fault::Status(503), PATIENT, ErrorKind::Unreachable),
    ] {
        control.set_fault(fault);
        let error = driver_at(stage, &stage.fields(), timeouts).machines().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
        assert!(error.to_string().len() < 600, "{error}");
        for (name, value) in stage.fields() {
            let secret = fields.get(&name).is_some_and(|field| field.kind.is_secret());
            let shown = value.as_str().is_some_and(|value| format!("{error:?}").contains(value));
            assert!(!secret || !shown, "{error:?}");
        }
    }
    control.set_fault(Fault::None);
}

async fn bursts_pass(stage: &impl Stage, control: &Control) {
    for fault in
        [Fault::Status(500), Fault::Status(503), Fault::Busy(None), Fault::Busy(Some(0)), Fault::Slams]
    {
        let driver = driver_at(stage, &stage.fields(), PATIENT);
        let whole = driver.machines().await.unwrap().len();
        control.fail_next(2, fault);
        assert_eq!(driver.machines().await.unwrap().len(), whole, "{fault:?}");
    }
}

async fn patience_ends_where_it_is_asked_for_too_long(stage: &impl Stage, control: &Control) {
    let driver = driver_at(stage, &stage.fields(), PATIENT);
    driver.validate().await.unwrap();
    control.fail_next(1, Fault::Busy(Some(3600)));
    let error = driver.machines().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::RateLimited, Some(Duration::from_secs(3600)))
    );
    assert!(error.is_temporary());
}

async fn an_order_goes_out_once(stage: &impl Stage, control: &Control) {
    let Some(mut order) = stage.order() else { return };
    order.order.token = "token-of-a-broken-order".into();
    let driver = driver_at(stage, &stage.fields(), PATIENT);
    let machines = driver.machines().await.unwrap().len();
    let (method, path) = order.call;
    let made =
        || control.log().iter().filter(|call| call.starts_with(method) && call.ends_with(path)).count();
    for fault in [Fault::Status(500), Fault::Slams, Fault::BreaksOff, Fault::Busy(None)] {
        control.set_fault(fault);
        control.only(method, path);
        let before = made();
        assert!(driver.create(&order.order).await.is_err(), "{fault:?}");
        assert_eq!(made(), before + 1, "{fault:?}: the order was sent again");
    }
    control.set_fault(Fault::None);
    // The one of which the answer broke off is there; nobody may have made two of it.
    assert_eq!(driver.machines().await.unwrap().len(), machines + 1);
}

async fn few_calls_at_once(stage: &impl Stage, control: &Control) {
    let driver = driver_at(stage, &stage.fields(), PATIENT);
    driver.validate().await.unwrap();
    control.set_fault(Fault::Slow(Duration::from_millis(20)));
    let mut lists = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let driver = driver.clone();
        lists.spawn(async move { driver.machines().await.map(drop) });
    }
    while let Some(list) = lists.join_next().await {
        list.unwrap().unwrap();
    }
    control.set_fault(Fault::None);
    assert!((2..=8).contains(&control.most_at_once()), "{}", control.most_at_once());
}
