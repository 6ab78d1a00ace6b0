//! `vcloud` and `indonesian_vcloud` on their fakes.

use roadstead_providers::{
    Capability, MachineOrder,
    sim::{
        Control, FakeService,
        vcloud::{Age, Director, LOGIN, PASSWORD, TEMPLATE},
    },
};
use serde_json::json;

use crate::{
    stage::{Given, Order, PATIENT, Stage, driver, order, url},
    suite,
};

const VDC: &str = "00000000-0000-0000-0000-000000000001";

struct Fake {
    director: FakeService<Director>,
    age: Age,
}

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        if self.age == Age::Today { "vcloud" } else { "indonesian_vcloud" }
    }

    fn fields(&self) -> Given {
        let address = self.director.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("password".into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let [user, organization] = LOGIN;
        let host = format!("{}/tenant/acme", url(host, port));
        let fields =
            json!({"username": user, "password": PASSWORD, "organization": organization, "host": host});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.director.service().reboots
    }

    fn connections(&self) -> Option<usize> {
        Some(self.director.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.director.control())
    }

    fn whole(&self) -> &'static [Capability] {
        &[Capability::Sizes]
    }

    fn order(&self) -> Option<Order> {
        let order = MachineOrder { location: Some(VDC.into()), ..order("new", TEMPLATE, "1x2048") };
        Some(Order { order, other_size: "2x4096", call: ("POST", "/action/composeVApp") })
    }
}

async fn fake(age: Age) -> Fake {
    Fake { director: Director::start(age).await.unwrap(), age }
}

#[tokio::test]
async fn the_suite_passes_on_today_s() {
    suite::run(&fake(Age::Today).await).await;
}

#[tokio::test]
async fn the_suite_passes_on_an_old_one() {
    suite::run(&fake(Age::Old).await).await;
}

#[tokio::test]
async fn an_order_carries_key_script_network_and_place() {
    let fake = fake(Age::Today).await;
    let driver = driver("vcloud", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        name: "db 1".into(),
        networks: vec!["00000000-0000-0000-0000-000000000003".into()],
        public_key: Some("ssh-ed25519 AAAA me@home".into()),
        user_data: Some("#!/bin/sh\necho \"<hi>\"\n".into()),
        size: "template".into(),
        ..fake.order().unwrap().order
    };
    driver.create(&whole).await.unwrap();
    let order = fake.director.service().orders[0].clone();
    for part in [
        "powerOn=\"true\"",
        "name=\"db 1\"",
        "<ComputerName>db1</ComputerName>",
        "networkName=\"thing 3\"",
        "network/00000000-0000-0000-0000-000000000003\"",
        "echo &quot;&lt;hi&gt;&quot;",
        "AAAA me@home",
    ] {
        assert!(order.contains(part), "{part}: {order}");
    }
    for (odd, field) in [
        (MachineOrder { location: None, ..whole.clone() }, "location"),
        (MachineOrder { user_data: Some("#cloud-config\n".into()), ..whole.clone() }, "user_data"),
        (MachineOrder { size: "large".into(), ..whole.clone() }, "size"),
        (MachineOrder { networks: vec!["x".into()], ..whole.clone() }, "networks"),
    ] {
        assert_eq!(driver.create(&odd).await.unwrap_err().field(), Some(field));
    }
    assert_eq!(fake.director.service().orders.len(), 1);
}

#[tokio::test]
async fn a_session_is_kept_and_renewed_and_a_vapp_with_others_stays() {
    let fake = fake(Age::Today).await;
    let driver = driver("vcloud", &fake.fields(), PATIENT);
    let machines = driver.machines().await.unwrap();
    driver.machines().await.unwrap();
    assert_eq!(fake.director.service().logins, 1);
    fake.director.service().expire_sessions();
    driver.machines().await.unwrap();
    assert_eq!(fake.director.service().logins, 2);

    let last = machines.last().unwrap();
    driver.destroy(&last.external_id).await.unwrap();
    let left: Vec<_> = driver.machines().await.unwrap().into_iter().map(|machine| machine.name).collect();
    assert!(left.contains(&"web-9".to_owned()) && !left.contains(&last.name), "{left:?}");
}
