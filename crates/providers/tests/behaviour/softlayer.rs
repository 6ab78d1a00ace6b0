//! `softlayer` on its fake.

use roadstead_providers::{
    Capability, ErrorKind, MachineOrder,
    sim::{
        Control, FakeService, Fault,
        softlayer::{Account, KEY, USER},
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
        "softlayer"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("api_key".into(), json!("somebody else's key"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let fields = json!({"username": USER, "api_key": KEY, "endpoint": url(host, port)});
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

    fn whole(&self) -> &'static [Capability] {
        &[Capability::Sizes]
    }

    fn order(&self) -> Option<Order> {
        let order =
            MachineOrder { location: Some("dal13".into()), ..order("new", "DEBIAN_12_64", "B1_1X2X25") };
        Some(Order { order, other_size: "B1_2X2X25", call: ("POST", "/createObjects.json") })
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
async fn an_order_carries_key_cloud_init_networks_and_template() {
    let fake = fake().await;
    let driver = driver("softlayer", &fake.fields(), PATIENT);
    let template = "22220000-0000-0000-0000-000000000003";
    let whole = MachineOrder {
        name: "db.example.org".into(),
        image: template.into(),
        networks: vec!["3".into(), "4".into()],
        public_key: Some("ssh-ed25519 AAAAnew me@home".into()),
        user_data: Some("#cloud-config\n".into()),
        ..fake.order().unwrap().order
    };
    let made = driver.create(&whole).await.unwrap();
    assert_eq!(made[0].name, "db.example.org");
    let order = fake.0.service().orders[0].clone();
    assert_eq!((&order["hostname"], &order["domain"]), (&json!("db"), &json!("example.org")));
    assert_eq!(order["blockDeviceTemplateGroup"]["globalIdentifier"], template);
    assert_eq!(order["primaryNetworkComponent"]["networkVlan"]["id"], 3);
    assert_eq!(order["primaryBackendNetworkComponent"]["networkVlan"]["id"], 4);
    assert_eq!(order["userData"], json!([{"value": "#cloud-config\n"}]));
    assert_eq!(order["sshKeys"], json!([{"id": 101}]));
    let two_public = MachineOrder { networks: vec!["3".into(), "5".into()], ..whole };
    assert_eq!(driver.create(&two_public).await.unwrap_err().field(), Some("networks"));
}

#[tokio::test]
async fn a_power_order_goes_out_once_although_it_is_a_get() {
    let fake = fake().await;
    let driver = driver("softlayer", &fake.fields(), PATIENT);
    fake.0.control().set_fault(Fault::Slams);
    let error = driver.reboot("101").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(fake.0.control().calls(), 1);
}

#[tokio::test]
async fn rights_that_are_missing_are_told_whatever_the_status() {
    let fake = fake().await;
    let driver = driver("softlayer", &fake.fields(), PATIENT);
    fake.0.control().set_fault(Fault::Status(403));
    assert_eq!(driver.machines().await.unwrap_err().kind(), ErrorKind::MissingRights);
    assert_eq!(fake.0.control().calls(), 1, "a refusal for good was tried again");
}
