//! `digitalocean` on its fake.

use roadstead_providers::{
    ErrorKind, MachineOrder,
    sim::{
        Control, FakeService,
        digitalocean::{Account, READ_ONLY, TOKEN},
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
        "digitalocean"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("token".into(), json!("dop_v1_somebody_else"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        serde_json::from_value(json!({"token": TOKEN, "endpoint": url(host, port)})).unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.service().actions.iter().filter(|action| action.starts_with("reboot ")).count()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.0.control())
    }

    fn order(&self) -> Option<Order> {
        let order = order("new", "debian-12-x64", "s-1vcpu-1gb");
        Some(Order { order, other_size: "s-2vcpu-2gb", call: ("POST", "/v2/droplets") })
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
async fn an_order_carries_key_cloud_init_network_and_place() {
    let fake = fake().await;
    let driver = driver("digitalocean", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        quantity: 12,
        location: Some("fra1".into()),
        networks: vec!["5a4981aa-9653-4bd1-bef5-d6bff52042e2".into()],
        public_key: Some("ssh-ed25519 AAAAnew me@home".into()),
        user_data: Some("#cloud-config\n".into()),
        ..order("db", "77", "s-1vcpu-1gb")
    };
    let made = driver.create(&whole).await.unwrap();
    let names: Vec<_> = made.iter().map(|machine| machine.name.as_str()).collect();
    assert_eq!((names.len(), names[0], names[11]), (12, "db-1", "db-12"));
    assert!(made.iter().all(|machine| machine.location.as_deref() == Some("fra1")));
    let orders = fake.0.service().orders.clone();
    assert_eq!((orders.len(), orders[1]["names"].as_array().unwrap().len()), (2, 2));
    assert_eq!(orders[0]["image"], 77);
    assert_eq!(orders[0]["user_data"], "#cloud-config\n");
    assert_eq!(orders[0]["vpc_uuid"], "5a4981aa-9653-4bd1-bef5-d6bff52042e2");
    assert_eq!(orders[0]["ssh_keys"], json!([10]));

    // The key is known by now, whatever it is called.
    let again = MachineOrder { public_key: Some("ssh-ed25519 AAAAnew".into()), ..whole };
    driver.create(&again).await.unwrap();
    assert_eq!(fake.0.control().calls_like("POST /v2/account/keys"), 1);
    assert_eq!(fake.0.service().orders.last().unwrap()["ssh_keys"], json!([10]));
}

#[tokio::test]
async fn an_order_that_is_cut_short_says_what_was_made() {
    let fake = fake().await;
    let driver = driver("digitalocean", &fake.fields(), PATIENT);
    let many = MachineOrder { quantity: 11, ..order("db", "debian-12-x64", "s-1vcpu-1gb") };
    let control = fake.0.control();
    control.only("POST", "/v2/droplets");
    control.fail_next(1, roadstead_providers::sim::Fault::None);
    control.fail_next(1, roadstead_providers::sim::Fault::Status(500));
    let error = driver.create(&many).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.to_string(), "10 of 11 machines were made, and the next could not be");
}

#[tokio::test]
async fn rights_that_are_missing_are_told_from_a_wrong_token() {
    let fake = fake().await;
    let mut fields = fake.fields();
    fields.insert("token".into(), json!(READ_ONLY));
    let driver = driver("digitalocean", &fields, PATIENT);
    let machines = driver.machines().await.unwrap();
    let error = driver.reboot(&machines[0].external_id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRights);
    assert!(error.to_string().contains("You are not authorized"), "{error}");
}

#[tokio::test]
async fn names_and_tags_that_the_api_does_not_take_are_refused_before_any_call() {
    let fake = fake().await;
    let driver = driver("digitalocean", &fake.fields(), PATIENT);
    let error = driver.create(&order("my_name", "debian-12-x64", "s-1vcpu-1gb")).await.unwrap_err();
    assert_eq!(error.field(), Some("name"));
    assert_eq!(driver.set_tags("1001", &["a b".into()]).await.unwrap_err().field(), Some("tags"));
    let two = MachineOrder { networks: vec!["a".into(), "b".into()], ..order("n", "debian-12-x64", "s") };
    assert_eq!(driver.create(&two).await.unwrap_err().field(), Some("networks"));
    assert_eq!(fake.0.control().calls(), 0);
}
