//! `bare_metal` on its fake.

use roadstead_api::machine::MachineProbe;
use roadstead_providers::{
    Capability, ErrorKind,
    sim::bare_metal::{Fault, PASSWORD, SimHost},
};
use serde_json::json;

use crate::{
    stage::{self, Given, PATIENT, Stage, driver},
    suite,
};

/// A fake host, and the user to be on it.
pub struct Fake {
    pub host: SimHost,
    pub user: &'static str,
}

impl Fake {
    pub async fn start(user: &'static str) -> Self {
        Self { host: SimHost::start("127.0.0.1").await.unwrap(), user }
    }
}

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "bare_metal"
    }

    fn fields(&self) -> Given {
        let address = self.host.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.remove("machine_key");
        fields.insert("machine_password".into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let fields = json!({"machine_ip": host, "machine_port": port, "machine_user": self.user,
            "machine_key": self.host.client_key()});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.host.reboots()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.host.connections())
    }
}

#[tokio::test]
async fn the_suite_passes_as_root_and_by_sudo() {
    suite::run(&Fake::start("root").await).await;
    suite::run(&Fake::start("deploy").await).await;
}

#[tokio::test]
async fn a_password_does_where_it_is_given() {
    let fake = Fake::start("root").await;
    let mut fields = fake.wrong_credentials();
    fields.insert("machine_password".into(), json!(PASSWORD));
    for way in [Fault::None, Fault::AsksForPassword] {
        fake.host.set_fault(way);
        driver("bare_metal", &fields, PATIENT).validate().await.unwrap();
    }
    fake.host.set_fault(Fault::AsksForSecondFactor);
    let error = driver("bare_metal", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredentials, "{error:?}");
}

#[tokio::test]
async fn a_host_is_powered_off_as_root_by_sudo_and_by_sudo_with_the_password() {
    for (user, password) in [("root", None), ("deploy", None), ("deploy", Some(PASSWORD))] {
        let fake = Fake::start(user).await;
        let mut fields = fake.fields();
        fields.insert("machine_password".into(), json!(password));
        let driver = driver("bare_metal", &fields, PATIENT);
        let machine = driver.machines().await.unwrap().remove(0);
        assert!(machine.actions.contains(Capability::Stop));
        driver.stop(&machine.external_id).await.unwrap();
        assert_eq!((fake.host.stops(), fake.host.reboots()), (1, 0), "{user} {password:?}");
        assert_eq!(driver.stop("another").await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_host_without_a_login_is_listed_and_probed_by_tcp() {
    let fake = Fake::start("root").await;
    for extra in [json!({"machine_key": null}), json!({"windows": true})] {
        let mut fields = fake.fields();
        fields.extend(serde_json::from_value::<Given>(extra).unwrap());
        let driver = driver("bare_metal", &fields, PATIENT);
        driver.validate().await.unwrap();
        let machines = driver.machines().await.unwrap();
        assert_eq!(
            (machines.len(), machines[0].name.as_str(), machines[0].state.as_str()),
            (1, "web 1", "running")
        );
        let id = machines[0].external_id.as_str();
        assert_eq!(machines[0].actions.iter().collect::<Vec<_>>(), [Capability::Probe]);
        for refused in [driver.reboot(id).await, driver.stop(id).await] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        // Nothing is known of it but that it is there.
        let probe = driver.probe(id).await.unwrap();
        assert_eq!(MachineProbe { round_trip_ms: 0, ..probe }, MachineProbe::default());
    }
    assert_eq!(fake.host.logins(), 0);
}

#[tokio::test]
async fn the_way_may_lead_through_another_host() {
    let (jump, fake) = (Fake::start("root").await, Fake::start("root").await);
    let mut fields = fake.fields();
    let way = json!({"jump_host": "127.0.0.1", "jump_port": jump.host.address().port(), "jump_user": "hop",
        "jump_key": jump.host.client_key()});
    fields.extend(serde_json::from_value::<Given>(way).unwrap());
    let driver = driver("bare_metal", &fields, PATIENT);
    driver.validate().await.unwrap();
    let machine = driver.machines().await.unwrap().remove(0);
    assert_eq!(machine.state.as_str(), "running");
    driver.reboot(&machine.external_id).await.unwrap();
    assert_eq!((fake.host.reboots(), jump.host.reboots()), (1, 0));
    for host in [&jump.host, &fake.host] {
        assert!(driver.pins().get("127.0.0.1", host.address().port()).is_some());
    }

    // The guard holds behind the other host, too, and a host that is gone there is told from one that refuses us.
    fields.insert("machine_ip".into(), json!("169.254.169.254"));
    let error = stage::driver("bare_metal", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForbiddenAddress, "{error:?}");
    fields.extend(Fake::start("root").await.fields());
    let error = stage::driver("bare_metal", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
}
