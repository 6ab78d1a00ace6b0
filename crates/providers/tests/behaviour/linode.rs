//! `linode` on its fake.

use roadstead_providers::{
    ErrorKind, MachineOrder,
    sim::{
        Control, FakeService,
        linode::{Account, READ_ONLY, TOKEN},
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
        "linode"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("api_key".into(), json!("somebody else's token"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        serde_json::from_value(json!({"api_key": TOKEN, "endpoint": url(host, port)})).unwrap()
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

    fn order(&self) -> Option<Order> {
        let order = order("new", "linode/debian12", "g6-nanode-1");
        let order = MachineOrder { location: Some("eu-central".into()), ..order };
        Some(Order { order, other_size: "g6-standard-2", call: ("POST", "/v4/linode/instances") })
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
async fn an_order_carries_key_cloud_init_and_network_and_no_known_password() {
    let fake = fake().await;
    let driver = driver("linode", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        quantity: 2,
        networks: vec!["3".into()],
        public_key: Some("ssh-ed25519 AAAA me@home".into()),
        user_data: Some("#cloud-config\n".into()),
        ..fake.order().unwrap().order
    };
    let made = driver.create(&whole).await.unwrap();
    assert_eq!((made[0].name.as_str(), made[1].name.as_str()), ("new-1", "new-2"));
    let orders = fake.0.service().orders.clone();
    assert_eq!(orders[0]["authorized_keys"], json!(["ssh-ed25519 AAAA me@home"]));
    assert_eq!(orders[0]["metadata"]["user_data"], "I2Nsb3VkLWNvbmZpZwo=");
    assert_eq!(orders[0]["interfaces"][1], json!({"purpose": "vpc", "subnet_id": 103}));
    assert_ne!(orders[0]["root_pass"], orders[1]["root_pass"]);
    assert!(!format!("{made:?}").contains(orders[0]["root_pass"].as_str().unwrap()));
}

#[tokio::test]
async fn what_the_api_does_not_take_is_refused_before_any_call() {
    let fake = fake().await;
    let driver = driver("linode", &fake.fields(), PATIENT);
    let nowhere = order("new", "linode/debian12", "g6-nanode-1");
    assert_eq!(driver.create(&nowhere).await.unwrap_err().field(), Some("location"));
    let placed = MachineOrder { location: Some("eu-central".into()), ..nowhere };
    for name in ["ab", "-abc", "abc.", "a b c"] {
        let odd = MachineOrder { name: name.into(), ..placed.clone() };
        assert_eq!(driver.create(&odd).await.unwrap_err().field(), Some("name"), "{name}");
    }
    assert_eq!(driver.set_tags("5001", &["ab".into()]).await.unwrap_err().field(), Some("tags"));
    assert_eq!(fake.0.control().calls(), 0);
    let odd = MachineOrder { networks: vec!["77".into()], ..placed };
    assert_eq!(driver.create(&odd).await.unwrap_err().field(), Some("networks"));
}

#[tokio::test]
async fn rights_that_are_missing_are_told_from_a_wrong_token() {
    let fake = fake().await;
    let mut fields = fake.fields();
    fields.insert("api_key".into(), json!(READ_ONLY));
    let driver = driver("linode", &fields, PATIENT);
    let machines = driver.machines().await.unwrap();
    assert_eq!(driver.destroy(&machines[0].external_id).await.unwrap_err().kind(), ErrorKind::MissingRights);
}
