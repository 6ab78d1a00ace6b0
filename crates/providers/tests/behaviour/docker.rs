//! `docker` on its fake.

use std::sync::{Arc, Mutex};

use roadstead_api::machine::MachineState;
use roadstead_providers::{
    Capability, ContainerOrder, Driver, ErrorKind, MachineOrder, Progress, PublishedPort, Volume,
    sim::docker::{Fault, PASSWORD, SimEngine, USER},
};
use serde_json::json;

use crate::{
    stage::{self, Given, HASTY, PATIENT, Stage, driver},
    suite,
};

/// A fake engine.
pub struct Fake(pub SimEngine);

impl Fake {
    pub async fn start(containers: usize) -> Self {
        Self(SimEngine::start(containers).await.unwrap())
    }

    fn driver(&self) -> Arc<dyn Driver> {
        driver("docker", &self.fields(), PATIENT)
    }
}

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "docker"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("auth_password".into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let fields =
            json!({"docker_host": host, "docker_port": port, "auth_user": USER, "auth_password": PASSWORD});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.restarts()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.connections())
    }
}

/// An order of one container.
pub fn order(name: &str, image: &str) -> MachineOrder {
    stage::order(name, image, "default")
}

#[tokio::test]
async fn the_suite_passes() {
    suite::run(&Fake::start(700).await).await;
}

#[tokio::test]
async fn a_container_lives_its_whole_life() {
    let fake = Fake::start(3).await;
    let driver = fake.driver();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let whole = MachineOrder {
        networks: vec!["apps".into(), "bridge".into()],
        public_key: Some("ssh-ed25519 AAAA".into()),
        container: ContainerOrder {
            command: vec!["web".into(), "--port=80".into()],
            environment: [("MODE".to_owned(), "fast".to_owned())].into(),
            ports: vec![PublishedPort { container: 80, host: Some(8080), udp: false }],
            volumes: vec![Volume::parse("data:/srv").unwrap(), Volume::parse("/etc:/host:ro").unwrap()],
        },
        progress: Progress::to(move |line| ear.lock().unwrap().push(line.to_owned())),
        ..order("web", "registry.example/web:2")
    };
    let made = driver.create(&whole).await.unwrap().remove(0);
    assert_eq!((made.name.as_str(), made.state, fake.0.pulls()), ("web", MachineState::Running, 1));
    assert!(heard.lock().unwrap().iter().any(|line| line.contains("layers")), "{heard:?}");
    let sent = fake.0.ordered(&made.external_id).unwrap();
    assert_eq!(sent["Env"], json!(["MODE=fast", "PUBLIC_KEY=ssh-ed25519 AAAA"]));
    assert_eq!(sent["Cmd"], json!(["web", "--port=80"]));
    assert_eq!(sent["HostConfig"]["PortBindings"], json!({"80/tcp": [{"HostPort": "8080"}]}));
    assert_eq!(sent["HostConfig"]["Binds"], json!(["data:/srv:rw", "/etc:/host:ro"]));
    assert_eq!(
        (&sent["HostConfig"]["NetworkMode"], &sent["HostConfig"]["PublishAllPorts"]),
        (&json!("apps"), &json!(false))
    );

    // The same order again makes nothing; another one of the same name is refused.
    assert_eq!(driver.create(&whole).await.unwrap()[0].external_id, made.external_id);
    let other = MachineOrder { token: "another".into(), ..whole };
    assert_eq!(driver.create(&other).await.unwrap_err().kind(), ErrorKind::Conflict);

    let id = made.external_id.as_str();
    driver.stop(id).await.unwrap();
    assert_eq!(driver.stop(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(driver.rename(id, "").await.unwrap_err().kind(), ErrorKind::Invalid);
    driver.rename(id, "old-web").await.unwrap();
    assert_eq!(driver.rename(id, "machine-0").await.unwrap_err().kind(), ErrorKind::Conflict);
    let machines = driver.machines().await.unwrap();
    let seen = machines.iter().find(|machine| machine.external_id == id).unwrap();
    assert_eq!((seen.name.as_str(), seen.state), ("old-web", MachineState::Stopped));
    assert!(seen.actions.contains(Capability::Start) && seen.public_ips.is_empty());
    driver.start(id).await.unwrap();
    assert_eq!(driver.start(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    fake.0.set_state(id, "paused");
    driver.start(id).await.unwrap();
    assert_eq!(driver.console_output(id).await.unwrap(), "up and running\na warning\n");
    driver.destroy(id).await.unwrap();
    assert_eq!(driver.destroy(id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(driver.machines().await.unwrap().len(), 3);
}

#[tokio::test]
async fn several_are_numbered_and_an_order_cut_short_says_so() {
    let fake = Fake::start(0).await;
    let driver = fake.driver();
    let three = MachineOrder { quantity: 3, ..order("db", "alpine:3") };
    let names: Vec<String> =
        driver.create(&three).await.unwrap().into_iter().map(|machine| machine.name).collect();
    assert_eq!(names, ["db-1", "db-2", "db-3"]);
    driver.create(&order("qu-2", "alpine:3")).await.unwrap();
    let error = driver.create(&MachineOrder { quantity: 3, ..order("qu", "alpine:3") }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().starts_with("1 of 3"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_by_name() {
    let fake = Fake::start(0).await;
    let driver = fake.driver();
    let before = fake.0.connections();
    let good = order("web", "alpine:3");
    for (bad, field) in [
        (MachineOrder { name: "../x".into(), ..good.clone() }, "name"),
        (MachineOrder { name: "-x".into(), ..good.clone() }, "name"),
        (MachineOrder { size: "large".into(), ..good.clone() }, "size"),
        (MachineOrder { location: Some("moon".into()), ..good.clone() }, "location"),
        (MachineOrder { user_data: Some("#cloud-config".into()), ..good.clone() }, "cloud_init"),
        (MachineOrder { image: "a b".into(), ..good.clone() }, "image"),
    ] {
        assert_eq!(driver.create(&bad).await.unwrap_err().field(), Some(field));
    }
    assert_eq!(fake.0.connections(), before);

    let error = driver.create(&order("web", "no-such/image")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("no-such/image"), "{error}");
    fake.0.set_fault(Fault::CannotStart);
    let error = driver.create(&good).await.unwrap_err();
    assert!(error.to_string().contains("already allocated"), "{error}");
    assert_eq!(driver.machines().await.unwrap().len(), 0, "what could not be started stayed");
}

#[tokio::test]
async fn images_are_searched_here_and_in_the_registry() {
    let fake = Fake::start(0).await;
    let driver = fake.driver();
    let ids = |images: Vec<roadstead_api::image::Image>| {
        images.into_iter().map(|image| image.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(driver.images(None).await.unwrap()), ["alpine:3", "nginx:1"]);
    assert_eq!(ids(driver.images(Some("B")).await.unwrap()).len(), 0);
    assert_eq!(ids(driver.images(Some("b")).await.unwrap()), ["registry.example/web:2", "busybox:latest"]);
    fake.0.set_fault(Fault::Offline);
    assert_eq!(ids(driver.images(Some("ng")).await.unwrap()), ["nginx:1"]);
    assert_eq!(driver.networks().await.unwrap()[1].subnets[0].cidr, "172.18.0.0/16");
    assert_eq!(driver.sizes().await.unwrap()[0].id, "default");
}

#[tokio::test]
async fn containers_without_a_terminal_have_their_console_unwrapped() {
    let fake = Fake::start(2).await;
    let driver = fake.driver();
    for machine in driver.machines().await.unwrap() {
        assert_eq!(driver.console_output(&machine.external_id).await.unwrap(), "up and running\na warning\n");
        assert_eq!(machine.extra["ssh_port"], 49_153);
        assert_eq!(machine.private_ips.len(), 2, "its own address and that of its host");
    }
}

#[tokio::test]
async fn each_fault_has_its_kind() {
    let fake = Fake::start(1).await;
    for (fault, timeouts, kind) in [
        (Fault::Silent, HASTY, ErrorKind::Timeout),
        (Fault::Slams, PATIENT, ErrorKind::Unreachable),
        (Fault::Babbles, PATIENT, ErrorKind::Malformed),
        (Fault::Slow(std::time::Duration::from_secs(60)), HASTY, ErrorKind::Timeout),
        (Fault::Truncates, PATIENT, ErrorKind::Unreachable),
        (Fault::Floods, PATIENT, ErrorKind::Malformed),
        (Fault::Scribbles, PATIENT, ErrorKind::Malformed),
        (Fault::Status(401), PATIENT, ErrorKind::WrongCredentials),
        (Fault::Status(403), PATIENT, ErrorKind::MissingRights),
        (Fault::Status(429), PATIENT, ErrorKind::RateLimited),
        (Fault::Status(500), PATIENT, ErrorKind::Failed),
        (Fault::Status(503), PATIENT, ErrorKind::Failed),
    ] {
        fake.0.set_fault(Fault::None);
        let driver = driver("docker", &fake.fields(), timeouts);
        // The version is known by then, so it is the list that fails.
        let known = timeouts == PATIENT && driver.machines().await.is_ok();
        fake.0.set_fault(fault);
        let error = match known {
            true => driver.machines().await.unwrap_err(),
            false => driver.validate().await.unwrap_err(),
        };
        assert_eq!(error.kind(), kind, "{fault:?}: {error:?}");
    }
}
