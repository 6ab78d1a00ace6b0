//! `nephoscale` on its fake.

use roadstead_providers::{
    Capability, MachineOrder,
    sim::{
        Control, FakeService,
        nephoscale::{Account, PASSWORD, USER},
    },
};
use serde_json::json;

use crate::{
    stage::{Given, Order, PATIENT, Stage, driver, order, url},
    suite,
};

struct Fake(FakeService<Account>);

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "nephoscale"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("password".into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let fields = json!({"username": USER, "password": PASSWORD, "endpoint": url(host, port)});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.service().reboots
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.0.control())
    }

    fn has_pages(&self) -> bool {
        false
    }

    fn whole(&self) -> &'static [Capability] {
        &[Capability::Images, Capability::Sizes, Capability::Locations]
    }

    fn order(&self) -> Option<Order> {
        let order =
            MachineOrder { public_key: Some("ssh-rsa AAAA me@home".into()), ..order("new", "49", "27") };
        Some(Order { order, other_size: "28", call: ("POST", "/server/cloud") })
    }
}

async fn fake() -> Fake {
    Fake(Account::start().await.unwrap())
}

#[tokio::test]
async fn the_suite_passes() {
    suite::run(&fake().await).await;
}

#[tokio::test]
async fn an_order_needs_a_key_and_makes_up_one_for_the_console() {
    let fake = fake().await;
    let driver = driver("nephoscale", &fake.fields(), PATIENT);
    let whole = fake.order().unwrap().order;
    let bare = MachineOrder { public_key: None, ..whole.clone() };
    assert_eq!(driver.create(&bare).await.unwrap_err().field(), Some("key"));
    let scripted = MachineOrder { user_data: Some("#!/bin/sh\n".into()), ..whole.clone() };
    assert_eq!(driver.create(&scripted).await.unwrap_err().field(), Some("user_data"));
    assert_eq!(fake.0.control().calls(), 0);
    driver.create(&whole).await.unwrap();
    let order = fake.0.service().orders[0].clone();
    let text = |name: &str| order.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!((text("server_key"), text("console_key")), (Some("71000"), Some("71001")));
    assert_eq!((text("name"), text("hostname"), text("zone")), (Some("new"), Some("new"), None));
}
