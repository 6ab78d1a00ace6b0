//! `bare_metal` against hosts that misbehave: each fault has its kind of error, and none hangs or fills the memory.

use std::time::Duration;

use roadstead_providers::{ErrorKind, Timeouts, sim::bare_metal::Fault};

use crate::{
    bare_metal::Fake,
    stage::{HASTY, PATIENT, Stage, driver, driver_of, setup},
};

#[tokio::test]
async fn each_fault_has_its_kind() {
    let fake = Fake::start("deploy").await;
    for (fault, timeouts, kind) in [
        (Fault::Silent, HASTY, ErrorKind::Timeout),
        (Fault::Slams, PATIENT, ErrorKind::Unreachable),
        (Fault::Babbles, PATIENT, ErrorKind::Unreachable),
        (Fault::RefusesLogins, PATIENT, ErrorKind::WrongCredentials),
        (Fault::Slow(Duration::from_secs(60)), HASTY, ErrorKind::Timeout),
        (Fault::Truncates, PATIENT, ErrorKind::Malformed),
        (Fault::Floods, PATIENT, ErrorKind::Malformed),
        (Fault::Bare, PATIENT, ErrorKind::Malformed),
    ] {
        fake.host.set_fault(fault);
        let error = driver("bare_metal", &fake.fields(), timeouts).validate().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
    }
    fake.host.set_fault(Fault::Slow(Duration::from_millis(50)));
    driver("bare_metal", &fake.fields(), PATIENT).validate().await.unwrap();
}

#[tokio::test]
async fn a_command_that_never_ends_runs_into_the_limit() {
    let fake = Fake::start("root").await;
    fake.host.set_fault(Fault::Hangs);
    // Time enough to log in on a busy machine, and not for ever.
    let timeouts = Timeouts { call: Duration::from_secs(4), ..PATIENT };
    let driver = driver("bare_metal", &fake.fields(), timeouts);
    assert_eq!(driver.probe("127.0.0.1").await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn reboots_that_do_not_happen_say_why() {
    let fake = Fake::start("deploy").await;
    let driver = driver("bare_metal", &fake.fields(), PATIENT);
    fake.host.set_fault(Fault::SudoWantsPassword);
    let error = driver.reboot("127.0.0.1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRights);
    assert!(error.to_string().contains("a password is required"), "{error}");
    fake.host.set_fault(Fault::Bare);
    assert_eq!(driver.reboot("127.0.0.1").await.unwrap_err().kind(), ErrorKind::Failed);
    assert_eq!(fake.host.reboots(), 0);
    fake.host.set_fault(Fault::DropsOnReboot);
    driver.reboot("127.0.0.1").await.unwrap();
    assert_eq!(fake.host.reboots(), 1);
}

#[tokio::test]
async fn a_changed_host_key_ends_it_before_the_login() {
    let fake = Fake::start("root").await;
    let first = driver("bare_metal", &fake.fields(), PATIENT);
    first.validate().await.unwrap();
    let mut again = setup("bare_metal", &fake.fields(), PATIENT);
    again.pins = first.pins();
    assert!(!again.pins.is_empty());
    driver_of("bare_metal", again.clone()).validate().await.unwrap();

    fake.host.change_host_key().unwrap();
    let logins = fake.host.logins();
    for driver in [first, driver_of("bare_metal", again.clone())] {
        let error = driver.probe("127.0.0.1").await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::HostKeyChanged, false), "{error:?}");
        assert!(error.to_string().contains("SHA256:"), "{error}");
        assert_eq!(driver.reboot("127.0.0.1").await.unwrap_err().kind(), ErrorKind::HostKeyChanged);
        assert_eq!(driver.pins(), again.pins, "a pin gave way");
    }
    assert_eq!((fake.host.logins(), fake.host.reboots()), (logins, 0));

    // Whoever takes the pin out trusts the host once more.
    again.pins.remove("127.0.0.1", fake.host.address().port());
    driver_of("bare_metal", again).validate().await.unwrap();
}
