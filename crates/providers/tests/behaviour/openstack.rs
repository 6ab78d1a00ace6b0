//! `openstack`, `rackspace` and `hpcloud` on their fakes.

use roadstead_api::network::{AddressPool, NewNetwork, NewSubnet};
use roadstead_providers::{
    Capability, ErrorKind, MachineOrder,
    sim::{
        Control, FakeService,
        openstack::{Cloud, Kind, PROJECT, SECRET, USER},
    },
};
use serde_json::{Value, json};

use crate::{
    stage::{Given, Order, PATIENT, Stage, driver, driver_of, order, setup, url},
    suite,
};

struct Fake {
    cloud: FakeService<Cloud>,
    kind: Kind,
}

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        match self.kind {
            Kind::Modern => "openstack",
            Kind::Rackspace => "rackspace",
            Kind::Old => "hpcloud",
        }
    }

    fn region(&self) -> Option<&'static str> {
        (self.kind != Kind::Modern).then_some("iad")
    }

    fn fields(&self) -> Given {
        let address = self.cloud.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        let secret = if self.kind == Kind::Rackspace { "api_key" } else { "password" };
        fields.insert(secret.into(), json!("letmein"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let address = url(host, port);
        let fields = match self.kind {
            Kind::Modern => json!({"auth_url": format!("{address}/identity"), "username": USER,
                "password": SECRET, "tenant_name": "demo"}),
            Kind::Rackspace => {
                json!({"endpoint": format!("{address}/v2.0"), "username": USER, "api_key": SECRET})
            }
            Kind::Old => json!({"endpoint": format!("{address}/v2.0"), "username": USER, "password": SECRET,
                "tenant_name": "demo"}),
        };
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.cloud.service().servers.actions.iter().filter(|action| *action == "reboot").count()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.cloud.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.cloud.control())
    }

    fn whole(&self) -> &'static [Capability] {
        &[Capability::Locations]
    }

    fn order(&self) -> Option<Order> {
        Some(Order { order: order("new", "image-12", "1"), other_size: "2", call: ("POST", "/servers") })
    }
}

async fn fake(kind: Kind) -> Fake {
    Fake { cloud: Cloud::start(kind).await.unwrap(), kind }
}

#[tokio::test]
async fn the_suite_passes_on_openstack() {
    suite::run(&fake(Kind::Modern).await).await;
}

#[tokio::test]
async fn the_suite_passes_on_rackspace() {
    suite::run(&fake(Kind::Rackspace).await).await;
}

#[tokio::test]
async fn the_suite_passes_on_hpcloud() {
    suite::run(&fake(Kind::Old).await).await;
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_a_good_one_is_kept() {
    let fake = fake(Kind::Modern).await;
    let driver = driver("openstack", &fake.fields(), PATIENT);
    driver.machines().await.unwrap();
    driver.machines().await.unwrap();
    assert_eq!(fake.cloud.service().logins.len(), 1);
    fake.cloud.service().expire_tokens();
    driver.machines().await.unwrap();
    assert_eq!(fake.cloud.service().logins.len(), 2);
    // A token that has a minute left is not used for a call any more.
    fake.cloud.service().expires = "2020-01-01T00:00:00.000000Z";
    fake.cloud.service().expire_tokens();
    driver.machines().await.unwrap();
    let before = fake.cloud.service().logins.len();
    driver.start("no-such-machine").await.unwrap_err();
    assert!(fake.cloud.service().logins.len() > before);
}

#[tokio::test]
async fn each_way_to_log_in_is_sent_as_keystone_wants_it() {
    let fake = fake(Kind::Modern).await;
    let login = async |extra: Value| {
        let mut fields = fake.fields();
        fields.extend(serde_json::from_value::<Given>(extra).unwrap());
        driver("openstack", &fields, PATIENT).validate().await.unwrap();
        fake.cloud.service().logins.last().unwrap()["auth"].clone()
    };
    let auth = login(json!({})).await;
    assert_eq!(auth["scope"]["project"], json!({"name": "demo", "domain": {"name": "Default"}}));
    assert_eq!(auth["identity"]["password"]["user"]["domain"]["name"], "Default");
    let auth = login(json!({"tenant_name": null, "project_id": PROJECT, "user_domain": "staff"})).await;
    assert_eq!(auth["scope"]["project"], json!({"id": PROJECT}));
    assert_eq!(auth["identity"]["password"]["user"]["domain"]["name"], "staff");
    let auth =
        login(json!({"application_credential_id": USER, "application_credential_secret": SECRET})).await;
    assert_eq!(auth["identity"]["methods"], json!(["application_credential"]));
    assert!(auth["scope"].is_null());
    let mut fields = fake.fields();
    fields.remove("tenant_name");
    let error = driver("openstack", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.field(), Some("tenant_name"), "{error}");
}

#[tokio::test]
async fn region_and_interface_choose_the_endpoint() {
    let fake = fake(Kind::Rackspace).await;
    let in_region = async |region: Option<&str>| {
        let mut setup = setup("rackspace", &fake.fields(), PATIENT);
        setup.region = region.map(str::to_owned);
        driver_of("rackspace", setup).validate().await
    };
    in_region(Some("IAD")).await.unwrap();
    let error = in_region(None).await.unwrap_err();
    assert_eq!(error.field(), Some("region"));
    assert!(error.to_string().contains("DFW, IAD"), "{error}");
    assert_eq!(in_region(Some("xyz")).await.unwrap_err().kind(), ErrorKind::Unsupported);
    let mut setup = setup("rackspace", &fake.fields(), PATIENT);
    setup.region = Some("rackspace_first_gen:us".into());
    let provider = roadstead_api::id::ProviderId("rackspace".into());
    assert_eq!(roadstead_providers::connect(&provider, setup).unwrap_err().field(), Some("region"));
}

#[tokio::test]
async fn an_order_carries_key_cloud_init_networks_and_zone() {
    let fake = fake(Kind::Modern).await;
    let driver = driver("openstack", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        quantity: 2,
        location: Some("nova".into()),
        networks: vec!["net-1".into(), "net-2".into()],
        public_key: Some("ssh-ed25519 AAAAnewkey me@home".into()),
        user_data: Some("#cloud-config\n".into()),
        ..order("db", "image-12", "1")
    };
    let made = driver.create(&whole).await.unwrap();
    assert_eq!((made[0].name.as_str(), made[1].name.as_str()), ("db-1", "db-2"));
    assert!(!format!("{made:?}").contains("zbiNXXsE5Vbq"), "a password got out");
    let orders = fake.cloud.service().servers.orders.clone();
    assert_eq!(orders[0]["networks"], json!([{"uuid": "net-1"}, {"uuid": "net-2"}]));
    assert_eq!(orders[0]["user_data"], "I2Nsb3VkLWNvbmZpZwo=");
    assert_eq!(orders[0]["availability_zone"], "nova");
    let key = orders[0]["key_name"].as_str().unwrap().to_owned();
    assert!(key.starts_with("roadstead-"), "{key}");

    let again = MachineOrder { public_key: Some("ssh-ed25519 AAAAother".into()), ..whole };
    driver.create(&again).await.unwrap();
    assert_eq!(fake.cloud.service().servers.orders.last().unwrap()["key_name"], "other");
    assert_eq!(
        fake.cloud
            .control()
            .log()
            .iter()
            .filter(|call| *call == &format!("POST /compute/v2.1/{PROJECT}/os-keypairs"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_network_is_made_whole_or_not_at_all() {
    let fake = fake(Kind::Modern).await;
    let driver = driver("openstack", &fake.fields(), PATIENT);
    let subnet = NewSubnet {
        name: Some("inside".into()),
        cidr: "10.7.0.0/24".into(),
        gateway: Some("10.7.0.9".parse().unwrap()),
        dhcp: Some(false),
        pools: vec![AddressPool { first: "10.7.0.20".parse().unwrap(), last: "10.7.0.90".parse().unwrap() }],
    };
    let six = NewSubnet { cidr: "fd00:7::/64".into(), ..NewSubnet::default() };
    let new = NewNetwork { name: "back".into(), shared: true, subnets: vec![subnet.clone(), six] };
    let made = driver.create_network(&new).await.unwrap();
    assert_eq!((made.subnets.len(), made.extra["shared"].clone()), (2, json!(true)));
    let sent: Vec<_> = fake
        .cloud
        .service()
        .subnets
        .iter()
        .filter(|subnet| subnet["network_id"] == *made.id)
        .cloned()
        .collect();
    assert_eq!((&sent[0]["gateway_ip"], &sent[0]["enable_dhcp"]), (&json!("10.7.0.9"), &json!(false)));
    assert_eq!(sent[0]["allocation_pools"], json!([{"start": "10.7.0.20", "end": "10.7.0.90"}]));
    assert_eq!((&sent[1]["ip_version"], &sent[1]["enable_dhcp"]), (&json!(6), &json!(true)));

    let before = fake.cloud.service().networks.len();
    let wrong = NewSubnet { cidr: "everything".into(), ..NewSubnet::default() };
    let half = NewNetwork { name: "half".into(), shared: false, subnets: vec![subnet, wrong] };
    let error = driver.create_network(&half).await.unwrap_err();
    assert!(error.to_string().contains("Invalid input for cidr"), "{error}");
    assert_eq!(fake.cloud.service().networks.len(), before, "the network went with its subnet");
    let error = driver.delete_network("net-1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}
