//! `libvirt` on its fake.

use std::sync::Arc;

use roadstead_api::machine::MachineState;
use roadstead_providers::{
    Capability, ContainerOrder, Driver, ErrorKind, MachineOrder, SeenMachine, Timeouts,
    sim::libvirt::{Fault, SimHypervisor},
};
use serde_json::json;

use crate::{
    life::comes_to,
    stage::{Given, HASTY, PATIENT, Stage, driver, order},
    suite,
};

struct Fake(SimHypervisor);

impl Fake {
    async fn start(machines: usize) -> Self {
        Self(SimHypervisor::start("127.0.0.1", machines).await.unwrap())
    }

    fn with(&self, more: serde_json::Value) -> Arc<dyn Driver> {
        let mut fields = self.fields();
        fields.extend(serde_json::from_value::<Given>(more).unwrap());
        driver("libvirt", &fields, PATIENT)
    }
}

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "libvirt"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.remove("machine_key");
        fields.insert("machine_password".into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let fields =
            json!({"machine_hostname": host, "ssh_port": port, "machine_key": self.0.host().client_key()});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.host().reboots()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.host().connections())
    }
}

fn machine(name: &str) -> MachineOrder {
    order(name, "images/debian 12.qcow2", "2x4096x40")
}

async fn seen(driver: &dyn Driver, id: &str) -> Option<SeenMachine> {
    driver.machines().await.unwrap().into_iter().find(|machine| machine.external_id == id)
}

#[tokio::test]
async fn the_suite_passes() {
    suite::run(&Fake::start(100).await).await;
}

#[tokio::test]
async fn a_list_takes_few_calls_and_tells_all() {
    let fake = Fake::start(100).await;
    let driver = fake.with(json!({}));
    let machines = driver.machines().await.unwrap();
    assert_eq!(
        (machines.len(), fake.0.calls()),
        (101, 4),
        "one call for the ids, three for a hundred machines"
    );
    assert_eq!(
        (&machines[0].name, &machines[0].tags),
        (&"sim-hypervisor".to_owned(), &vec!["hypervisor".to_owned()])
    );
    assert_eq!(machines[0].extra["cpus"], "16");
    let (on, off) = (&machines[1], &machines[3]);
    assert_eq!((on.state, off.state), (MachineState::Running, MachineState::Stopped));
    assert_eq!((on.private_ips.len(), off.private_ips.len(), on.size.as_deref()), (1, 0, Some("1x1024")));
    assert!(off.actions.contains(Capability::Start) && !off.actions.contains(Capability::Stop));
    let hypervisor = machines[0].external_id.as_str();
    assert_eq!(driver.destroy(hypervisor).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(driver.stop(hypervisor).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(driver.probe(&on.external_id).await.unwrap_err().kind(), ErrorKind::Unsupported);
}

/// What is taken for gone leaves the list, and whoever watches is told so.
#[tokio::test]
async fn what_is_not_told_of_is_not_gone() {
    let fake = Fake::start(9).await;
    let driver = fake.with(json!({}));
    let machines = driver.machines().await.unwrap();
    fake.0.break_off(true);
    assert_eq!(driver.machines().await.unwrap_err().kind(), ErrorKind::Unreachable);
    fake.0.break_off(false);
    assert_eq!(driver.machines().await.unwrap().len(), machines.len());
    fake.0.mute(&machines[4].external_id);
    assert_eq!(driver.machines().await.unwrap_err().kind(), ErrorKind::Unreachable);
    fake.0.mute("list");
    assert_eq!(driver.machines().await.unwrap_err().kind(), ErrorKind::Failed);
}

#[tokio::test]
async fn a_machine_lives_its_whole_life() {
    let fake = Fake::start(2).await;
    let driver = fake.with(json!({"remove_storage": true}));
    let whole = MachineOrder {
        public_key: Some("ssh-ed25519 AAAA".into()),
        user_data: Some("#cloud-config\npackages: [restic]\n".into()),
        networks: vec!["default".into(), "lab".into()],
        ..machine("web")
    };
    let made = driver.create(&whole).await.unwrap().remove(0);
    let id = made.external_id.as_str();
    assert_eq!((made.name.as_str(), made.state), ("web", MachineState::Running));
    assert_eq!(
        (made.image.as_deref(), made.size.as_deref()),
        (Some("images/debian 12.qcow2"), Some("2x4096"))
    );
    let disk = String::from_utf8(fake.0.content("images", "web.qcow2").unwrap()).unwrap();
    assert!(
        disk.contains("/pools/images/debian 12.qcow2") && disk.contains(&(40u64 << 30).to_string()),
        "{disk}"
    );
    let seed = String::from_utf8_lossy(&fake.0.content("images", "web.seed.iso").unwrap()).into_owned();
    assert!(
        seed.contains("packages: [restic]") && seed.contains("ssh-ed25519 AAAA") && seed.contains("CIDATA")
    );

    // The same order again makes nothing; another one of the same name is refused, and takes nothing away.
    assert_eq!(driver.create(&whole).await.unwrap()[0].external_id, id);
    let other = MachineOrder { token: "another".into(), ..whole };
    assert_eq!(driver.create(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(fake.0.content("images", "web.qcow2").is_some());

    driver.set_tags(id, &["it's <blue>!".into(), "web".into()]).await.unwrap();
    assert_eq!(seen(&*driver, id).await.unwrap().tags, ["it's <blue>!", "web"]);
    assert_eq!(driver.rename(id, "new").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(driver.resize(id, "1x512").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(driver.console_output(id).await.unwrap().contains("web.console.log"));
    driver.reboot(id).await.unwrap();
    driver.stop(id).await.unwrap();
    comes_to(&*driver, id, |machine| machine.state == MachineState::Stopped).await;
    assert_eq!(driver.stop(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    driver.resize(id, "1x512").await.unwrap();
    assert_eq!(driver.resize(id, "large").await.unwrap_err().field(), Some("size"));
    driver.rename(id, "new").await.unwrap();
    assert_eq!(driver.rename(id, "-x").await.unwrap_err().field(), Some("name"));
    let machine = seen(&*driver, id).await.unwrap();
    assert_eq!(
        (machine.name.as_str(), machine.size.as_deref(), machine.tags.len()),
        ("new", Some("1x512"), 2)
    );
    driver.start(id).await.unwrap();
    fake.0.set_state(id, "paused");
    driver.start(id).await.unwrap();
    driver.destroy(id).await.unwrap();
    assert!(seen(&*driver, id).await.is_none());
    for volume in ["web.qcow2", "web.seed.iso"] {
        assert_eq!(fake.0.content("images", volume), None, "{volume}");
    }
    assert_eq!(driver.destroy(id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn disks_stay_unless_their_removal_was_asked_for() {
    let fake = Fake::start(0).await;
    let driver = fake.with(json!({}));
    let id = driver.create(&machine("db")).await.unwrap().remove(0).external_id;
    assert_eq!(fake.0.content("images", "db.seed.iso"), None, "nothing to seed");
    driver.destroy(&id).await.unwrap();
    assert!(fake.0.content("images", "db.qcow2").is_some());
}

#[tokio::test]
async fn the_plug_is_pulled_only_where_that_was_asked_for() {
    let fake = Fake::start(1).await;
    fake.0.make_stubborn();
    let patient = fake.with(json!({}));
    let id = patient.machines().await.unwrap()[1].external_id.clone();
    patient.stop(&id).await.unwrap();
    assert_eq!(seen(&*patient, &id).await.unwrap().state, MachineState::Running);
    fake.with(json!({"force_stop_after": 1})).stop(&id).await.unwrap();
    assert_eq!(seen(&*patient, &id).await.unwrap().state, MachineState::Stopped);
}

#[tokio::test]
async fn there_is_something_to_choose_from() {
    let fake = Fake::start(1).await;
    let driver = fake.with(json!({}));
    let ids = |images: Vec<roadstead_api::image::Image>| {
        images.into_iter().map(|image| image.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(driver.images(None).await.unwrap()), ["images/debian 12.qcow2", "images/tiny.img"]);
    driver.create(&machine("web")).await.unwrap();
    assert_eq!(ids(driver.images(Some("DEB")).await.unwrap()), ["images/debian 12.qcow2"]);
    assert_eq!(ids(driver.images(Some("web")).await.unwrap()).len(), 0, "a machine's disk is no image");
    assert_eq!(driver.locations().await.unwrap().len(), 1, "a pool of no files holds no such disks");
    let networks = driver.networks().await.unwrap();
    assert_eq!(
        (networks[0].subnets[0].cidr.as_str(), &networks[1].extra["active"]),
        ("192.168.122.0/24", &json!(false))
    );
    assert!(driver.sizes().await.unwrap().iter().any(|size| size.id == "2x4096"));
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_by_name() {
    let fake = Fake::start(0).await;
    let driver = fake.with(json!({}));
    let good = machine("web");
    let container = ContainerOrder { command: vec!["sh".into()], ..ContainerOrder::default() };
    for (bad, field) in [
        (MachineOrder { name: "a/b".into(), ..good.clone() }, "name"),
        (MachineOrder { size: "large".into(), ..good.clone() }, "size"),
        (MachineOrder { image: "debian".into(), ..good.clone() }, "image"),
        (MachineOrder { image: "images/it's".into(), ..good.clone() }, "image"),
        (MachineOrder { location: Some("a\nb".into()), ..good.clone() }, "location"),
        (MachineOrder { location: Some("lvm".into()), ..good.clone() }, "location"),
        (MachineOrder { networks: vec!["'".into()], ..good.clone() }, "networks"),
        (MachineOrder { container, ..good.clone() }, "command"),
    ] {
        assert_eq!(driver.create(&bad).await.unwrap_err().field(), Some(field), "{bad:?}");
    }
    let missing = MachineOrder { image: "images/none".into(), ..good.clone() };
    let error = driver.create(&missing).await.unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().contains("images/none"), "{error}");
    let three = MachineOrder { quantity: 3, ..good };
    let names: Vec<String> =
        driver.create(&three).await.unwrap().into_iter().map(|machine| machine.name).collect();
    assert_eq!(names, ["web-1", "web-2", "web-3"]);
}

#[tokio::test]
async fn each_fault_has_its_kind() {
    let fake = Fake::start(1).await;
    for (fault, timeouts, kind) in [
        (Fault::Silent, HASTY, ErrorKind::Timeout),
        (Fault::Slams, PATIENT, ErrorKind::Unreachable),
        (Fault::RefusesLogins, PATIENT, ErrorKind::WrongCredentials),
        (Fault::Floods, PATIENT, ErrorKind::Malformed),
        (Fault::Bare, PATIENT, ErrorKind::Failed),
        (Fault::Hangs, Timeouts { call: HASTY.call, ..PATIENT }, ErrorKind::Timeout),
    ] {
        fake.0.host().set_fault(fault);
        let error = driver("libvirt", &fake.fields(), timeouts).validate().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
    }
    fake.0.host().set_fault(Fault::None);
    for (complaint, kind) in [
        (
            "failed to connect to the hypervisor\nerror: authentication unavailable: no polkit agent",
            ErrorKind::MissingRights,
        ),
        (
            "failed to connect to the hypervisor\nerror: Failed to connect socket to '/x': No such file",
            ErrorKind::Unreachable,
        ),
        ("internal error: something burst", ErrorKind::Failed),
    ] {
        fake.0.complain(Some(complaint));
        let driver = fake.with(json!({}));
        for error in [driver.validate().await.unwrap_err(), driver.machines().await.unwrap_err()] {
            assert_eq!(error.kind(), kind, "{complaint}: {error:?}");
        }
    }
}
