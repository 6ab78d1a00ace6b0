//! `azure` on its fake.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, PKCS_RSA_SHA256};
use roadstead_api::id::ProviderId;
use roadstead_providers::{
    ErrorKind, MachineOrder, registration,
    sim::{
        Control, FakeService, KeyPair,
        azure::{CLIENT, READER, SECRET, SUBSCRIPTION, Subscription, TENANT},
    },
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    stage::{Given, Order, PATIENT, Stage, driver, order, setup, url},
    suite,
};

const IMAGE: &str = "Debian:debian-12:12-gen2:latest";
const PUBLIC_KEY: &str = "ssh-ed25519 AAAA me@home";

struct Fake(FakeService<Subscription>);

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "azure"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        with(self.fields(), "client_secret", json!("somebody~else's-secret"))
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let endpoint = url(host, port);
        let fields = json!({"subscription_id": SUBSCRIPTION, "tenant_id": TENANT, "client_id": CLIENT,
            "client_secret": SECRET, "endpoint": endpoint, "login_endpoint": endpoint});
        serde_json::from_value(fields).unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.service().changes.iter().filter(|change| change.starts_with("restart ")).count()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.0.control())
    }

    fn whole(&self) -> &'static [roadstead_providers::Capability] {
        &[roadstead_providers::Capability::Locations]
    }

    fn order(&self) -> Option<Order> {
        Some(Order {
            order: placed("new"),
            other_size: "Standard_B2s",
            call: ("PUT", "/virtualMachines/new"),
        })
    }
}

fn with(mut fields: Given, name: &str, value: Value) -> Given {
    fields.insert(name.into(), value);
    fields
}

fn placed(name: &str) -> MachineOrder {
    MachineOrder { public_key: Some(PUBLIC_KEY.into()), ..order(name, IMAGE, "Standard_B1s") }
}

async fn fake() -> Fake {
    Fake(Subscription::start().await.unwrap())
}

#[tokio::test]
async fn the_suite_passes() {
    suite::run(&fake().await).await;
}

#[tokio::test]
async fn an_order_stands_on_what_it_needs_and_is_known_again() {
    let fake = fake().await;
    let driver = driver("azure", &fake.fields(), PATIENT);
    let network = fake.0.service().networks[0]["id"].as_str().unwrap().to_owned();
    let whole = MachineOrder {
        quantity: 2,
        networks: vec![network.to_uppercase()],
        user_data: Some("#cloud-config\n".into()),
        ..placed("db")
    };
    let made = driver.create(&whole).await.unwrap();
    assert_eq!((made[0].name.as_str(), made[1].name.as_str()), ("db-1", "db-2"));
    let body = fake.0.service().orders[0].clone();
    let os = &body["properties"]["osProfile"];
    assert_eq!(
        (&os["adminUsername"], &os["customData"]),
        (&json!("azureuser"), &json!("I2Nsb3VkLWNvbmZpZwo="))
    );
    assert_eq!(os["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"], PUBLIC_KEY);
    let nic = &body["properties"]["networkProfile"]["networkInterfaceConfigurations"][0]["properties"];
    let ip = &nic["ipConfigurations"][0]["properties"];
    assert_eq!(ip["subnet"]["id"], format!("{network}/subnets/default"));
    assert_eq!(ip["publicIPAddressConfiguration"]["sku"]["name"], "Standard");
    let rules = fake.0.service().security_groups[0]["properties"]["securityRules"].clone();
    assert_eq!(
        (rules.as_array().unwrap().len(), &rules[0]["properties"]["destinationPortRange"]),
        (1, &json!("22"))
    );

    // The same order again makes nothing; another one by the same name is refused.
    let again = driver.create(&whole).await.unwrap();
    assert_eq!(again[0].external_id, made[0].external_id);
    let other = MachineOrder { token: "another".into(), ..whole };
    assert_eq!(driver.create(&other).await.unwrap_err().kind(), ErrorKind::Conflict);
    let machines = driver.machines().await.unwrap();
    assert_eq!(machines.len(), 12);
    let first = machines.iter().find(|machine| machine.name == "db-1").unwrap();
    assert_eq!(
        (first.image.as_deref(), first.tags.len()),
        (Some(IMAGE), 0),
        "the mark of the order is no tag"
    );
    assert_eq!((first.public_ips.len(), first.private_ips.len()), (1, 1));
    driver.set_tags(&first.external_id, &["web".into()]).await.unwrap();
    assert!(
        driver.create(&MachineOrder { token: "token-of-db".into(), ..other }).await.is_ok(),
        "nor lost with them"
    );
    assert_eq!(fake.0.service().security_groups.len(), 1);
}

#[tokio::test]
async fn a_network_is_made_where_there_is_none_and_named_where_there_are_several() {
    let fake = fake().await;
    let driver = driver("azure", &fake.fields(), PATIENT);
    fake.0.service().networks.clear();
    driver.create(&placed("first")).await.unwrap();
    driver.create(&placed("second")).await.unwrap();
    let made = fake.0.service().networks.clone();
    assert_eq!((made.len(), &made[0]["name"]), (1, &json!("roadstead-eastus")));
    let abroad = MachineOrder { location: Some("westeurope".into()), ..placed("abroad") };
    driver.create(&abroad).await.unwrap();
    let mut another = made[0].clone();
    another["name"] = json!("other");
    fake.0.service().networks.push(another);
    let error = driver.create(&placed("third")).await.unwrap_err();
    assert_eq!(error.field(), Some("networks"));
    assert!(error.to_string().contains("roadstead-eastus, other"), "{error}");
    let strange = MachineOrder { networks: vec!["/subscriptions/x".into()], ..placed("fourth") };
    assert_eq!(driver.create(&strange).await.unwrap_err().field(), Some("networks"));
}

#[tokio::test]
async fn what_work_ends_with_is_told() {
    let fake = fake().await;
    let driver = driver("azure", &fake.fields(), PATIENT);
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    for (code, kind) in [
        ("AllocationFailed", ErrorKind::Failed),
        ("Conflict", ErrorKind::Conflict),
        ("AuthorizationFailed", ErrorKind::MissingRights),
    ] {
        fake.0.service().breaks = Some((code, "no\nroom"));
        let error = driver.resize(&id, "Standard_B3s").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (kind, format!("Azure could not do it: no room ({code})"))
        );
    }
}

#[tokio::test]
async fn an_application_proves_itself_by_a_certificate_as_well() {
    let fake = fake().await;
    let pair = rcgen::KeyPair::from_pkcs8_pem_and_sign_algo(&pkcs8(), &PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(["app".to_owned()]).unwrap().self_signed(&pair).unwrap();
    let mut fields =
        with(fake.fields(), "certificate", json!(format!("{}{}", KeyPair::get().pem, certificate.pem())));
    fields.remove("client_secret");
    let error = driver("azure", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredentials, "the directory does not know the certificate");
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der()));
    fake.0.service().thumbprint = Some(thumbprint);
    let driver = driver("azure", &fields, PATIENT);
    assert_eq!(driver.machines().await.unwrap().len(), 10);
    fake.0.service().revoke_tokens();
    driver.validate().await.unwrap();
}

/// The fakes' key in the form that certificates are made with.
fn pkcs8() -> String {
    use rsa::{pkcs1::DecodeRsaPrivateKey, pkcs8::EncodePrivateKey};
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(&KeyPair::get().pem).unwrap();
    key.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF).unwrap().to_string()
}

#[tokio::test]
async fn a_reader_may_look_and_is_told_what_it_lacks() {
    let fake = fake().await;
    let reader = driver("azure", &with(fake.fields(), "client_id", json!(READER)), PATIENT);
    let id = reader.machines().await.unwrap()[0].external_id.clone();
    let error = reader.reboot(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRights);
    assert!(error.to_string().contains("(AuthorizationFailed)"), "{error}");
    for (field, words) in [("client_id", "AADSTS700016"), ("tenant_id", "AADSTS90002")] {
        let fields = with(fake.fields(), field, json!("33333333-89ab-cdef-0123-456789abcdef"));
        let error = driver("azure", &fields, PATIENT).validate().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongCredentials, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let fields = with(fake.fields(), "subscription_id", json!("33333333-89ab-cdef-0123-456789abcdef"));
    let error = driver("azure", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn images_of_any_offer_are_found_by_its_name() {
    let fake = fake().await;
    let driver = driver("azure", &fake.fields(), PATIENT);
    let own = driver.images(Some("golden")).await.unwrap();
    assert_eq!(own.len(), 10, "nine that stand alone and one of a gallery");
    let offered = driver.images(Some("Debian:debian-12")).await.unwrap();
    assert_eq!(offered.len(), 3);
    assert_eq!(driver.images(Some("Debian:debian-12:12-gen2")).await.unwrap()[0].id, IMAGE);
    assert!(driver.images(Some("Nobody:nothing")).await.unwrap().is_empty());
    assert_eq!(driver.sizes().await.unwrap().len(), 8, "one is closed to this subscription");
}

#[test]
fn what_the_first_api_took_is_answered_with_what_is_needed_now() {
    let connect = registration(&ProviderId("azure".into())).unwrap().connect;
    let pem = format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", KeyPair::get().pem);
    let whole = json!({"subscription_id": SUBSCRIPTION, "tenant_id": TENANT, "client_id": CLIENT});
    let whole: Given = serde_json::from_value(whole).unwrap();
    let secret = with(whole.clone(), "client_secret", json!("s3cr3t"));
    let both = with(secret.clone(), "certificate", json!(pem));
    for (fields, field, words) in [
        (
            json!({"subscription_id": SUBSCRIPTION, "certificate": pem}),
            "tenant_id",
            "register an application",
        ),
        (
            json!({"subscription_id": SUBSCRIPTION, "tenant_id": TENANT}),
            "client_id",
            "register an application",
        ),
        (
            json!({"subscription_id": "x/y", "tenant_id": TENANT, "client_id": CLIENT}),
            "subscription_id",
            "is none",
        ),
        (json!(whole), "client_secret", "is missing"),
        (json!(both), "certificate", "one of them"),
        (json!(with(whole.clone(), "certificate", json!("nonsense"))), "certificate", "no certificate"),
        (json!(with(secret, "location", json!("East US"))), "location", "westeurope"),
    ] {
        let given: Given = serde_json::from_value(fields).unwrap();
        let error = connect(setup("azure", &given, PATIENT)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
