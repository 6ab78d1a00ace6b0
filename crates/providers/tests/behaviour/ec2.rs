//! `ec2` on its fake.

use std::{fs, sync::Arc};

use roadstead_api::id::ProviderId;
use roadstead_providers::{
    Capability, Driver, ErrorKind, LocalAccess, LocalAws, MachineOrder, registration,
    sim::{
        Control, FakeService,
        ec2::{Account, KEY, READ_ONLY, SECRET, metadata::Metadata},
    },
};
use serde_json::{Value, json};

use crate::{
    stage::{Given, Order, PATIENT, Stage, driver, driver_of, order, setup, url},
    suite,
};

const IMAGE: &str = "ami-0000000000000001";
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIaqu2cXT4kWbCbBYJNSDaAvkKgR4EBXbsRLzMBBVhOi me@home";

struct Fake(FakeService<Account>);

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "ec2"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        let mut fields = self.fields();
        fields.insert("api_secret".into(), json!("somebody else's secret"));
        fields
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        serde_json::from_value(json!({"api_key": KEY, "api_secret": SECRET, "endpoint": url(host, port)}))
            .unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.service().changes.iter().filter(|change| change.starts_with("RebootInstances ")).count()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.0.control())
    }

    fn whole(&self) -> &'static [Capability] {
        &[Capability::Locations]
    }

    fn order(&self) -> Option<Order> {
        Some(Order {
            order: order("new", IMAGE, "t3.1large"),
            other_size: "t3.2large",
            call: ("POST", "RunInstances"),
        })
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
async fn an_order_carries_all_that_was_asked_for() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        quantity: 3,
        location: Some("us-east-1a".into()),
        networks: vec!["vpc-2".into()],
        public_key: Some(PUBLIC_KEY.into()),
        user_data: Some("#cloud-config\n".into()),
        ..order("db", IMAGE, "t3.1large")
    };
    let made = driver.create(&whole).await.unwrap();
    let names: Vec<_> = made.iter().map(|machine| machine.name.as_str()).collect();
    assert_eq!(names, ["db-1", "db-2", "db-3"]);
    let listed = driver.machines().await.unwrap();
    assert_eq!(listed.iter().filter(|machine| machine.name.starts_with("db-")).count(), 3);
    let placed = fake.0.service().orders[0].clone();
    for (name, value) in [
        ("MinCount", "3"),
        ("SubnetId", "subnet-2"),
        ("Placement.AvailabilityZone", "us-east-1a"),
        ("UserData", "I2Nsb3VkLWNvbmZpZwo="),
        ("ClientToken", "token-of-db"),
    ] {
        assert_eq!(placed[name], value, "{name}");
    }
    assert!(placed["KeyName"].starts_with("roadstead SHA256:"), "{placed:?}");

    // The same order again makes nothing: it is known by its token.
    let again = driver.create(&whole).await.unwrap();
    assert_eq!(again.len(), 3);
    assert_eq!(again[0].external_id, made[0].external_id);
    assert_eq!(driver.machines().await.unwrap().len(), listed.len());
}

#[tokio::test]
async fn rights_that_are_missing_are_told_from_wrong_keys() {
    let fake = fake().await;
    let mut fields = fake.fields();
    fields.insert("api_key".into(), json!(READ_ONLY));
    let driver = driver("ec2", &fields, PATIENT);
    let machines = driver.machines().await.unwrap();
    let error = driver.reboot(&machines[0].external_id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRights);
    assert!(error.to_string().contains("(UnauthorizedOperation)"), "{error}");
}

#[tokio::test]
async fn what_a_state_does_not_allow_is_a_conflict() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    let machines = driver.machines().await.unwrap();
    let running = &machines[0].external_id;
    assert_eq!(driver.start(running).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(driver.resize(running, "t3.2large").await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn tags_are_values_or_pairs_and_the_name_is_none_of_them() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    driver.set_tags(&id, &["web".into(), "env=prod=eu".into()]).await.unwrap();
    let tagged = driver.machines().await.unwrap().remove(0);
    assert_eq!((tagged.name.as_str(), tagged.tags), ("web-1", vec!["env=prod=eu".to_owned(), "web".into()]));
    for odd in ["", "Name=x", "aws:x", "=x"] {
        assert_eq!(driver.set_tags(&id, &[odd.into()]).await.unwrap_err().field(), Some("tags"), "{odd}");
    }
}

#[tokio::test]
async fn images_are_searched_by_the_service() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    let found = driver.images(Some("20260103")).await.unwrap();
    assert_eq!((found.len(), found[0].name.as_str()), (1, "debian-12-amd64-20260103"));
    assert_eq!(driver.images(Some(IMAGE)).await.unwrap()[0].id, IMAGE);
}

#[tokio::test]
async fn orders_and_regions_that_cannot_be_right_are_refused_before_any_call() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    let two = MachineOrder { networks: vec!["a".into(), "b".into()], ..order("n", IMAGE, "t3.1large") };
    assert_eq!(driver.create(&two).await.unwrap_err().field(), Some("networks"));
    let odd = MachineOrder { public_key: Some("not a key".into()), ..order("n", IMAGE, "t3.1large") };
    assert_eq!(driver.create(&odd).await.unwrap_err().field(), Some("key"));
    let long = MachineOrder { user_data: Some("x".repeat(20_000)), ..order("n", IMAGE, "t3.1large") };
    assert_eq!(driver.create(&long).await.unwrap_err().field(), Some("user_data"));
    assert_eq!(fake.0.control().calls(), 0);
    let mut elsewhere = setup("ec2", &fake.fields(), PATIENT);
    elsewhere.region = Some("evil.example/".into());
    let connect = registration(&ProviderId("ec2".into())).unwrap().connect;
    assert_eq!(connect(elsewhere).unwrap_err().field(), Some("region"));
    let mut abroad = setup("ec2", &fake.fields(), PATIENT);
    abroad.region = Some("ec2_eu_west".into());
    // The fake takes signatures for another region only: the region is part of them.
    let error = driver_of("ec2", abroad).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredentials);
}

/// A driver that was given nothing secret, on a server whose operator lists this.
fn without_keys(fake: &Fake, given: &Value, aws: LocalAws) -> Arc<dyn Driver> {
    let mut fields: Given = serde_json::from_value(given.clone()).unwrap();
    fields.insert("endpoint".into(), fake.fields()["endpoint"].clone());
    let mut setup = setup("ec2", &fields, PATIENT);
    setup.local = LocalAccess { aws, ..LocalAccess::default() };
    driver_of("ec2", setup)
}

#[tokio::test]
async fn a_profile_s_keys_are_read_anew_each_time() {
    let (fake, folder) = (fake().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("credentials");
    let aws = LocalAws {
        profiles: vec!["harbour".into(), "empty".into()],
        credentials_file: Some(file.clone()),
        ..LocalAws::default()
    };
    let driver = without_keys(&fake, &json!({"profile": "harbour"}), aws.clone());
    let error = driver.validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    for (secret, works) in [("somebody else's", false), (SECRET, true)] {
        let keys = format!("aws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n");
        fs::write(&file, format!("[default]\nregion = x\n[harbour]\n{keys}[empty]\n")).unwrap();
        let outcome = driver.validate().await;
        assert_eq!(
            outcome.as_ref().map_err(|error| error.kind()),
            if works { Ok(&()) } else { Err(ErrorKind::WrongCredentials) }
        );
    }
    assert_eq!(driver.machines().await.unwrap().len(), 10);
    let before = fake.0.control().calls();
    let error = without_keys(&fake, &json!({"profile": "empty"}), aws).validate().await.unwrap_err();
    assert!(error.to_string().contains("the profile empty of this server has no access key"), "{error}");
    fs::write(&file, "#".repeat(300_000)).unwrap();
    assert!(driver.validate().await.unwrap_err().to_string().contains("longer than"));
    assert_eq!(fake.0.control().calls(), before, "nothing is sent unsigned");
}

#[tokio::test]
async fn the_role_of_the_instance_is_asked_for_once_and_again_when_its_keys_expired() {
    let (fake, metadata) = (fake().await, Metadata::start().await.unwrap());
    let address = metadata.address();
    let aws =
        LocalAws { metadata: Some(url(&address.ip().to_string(), address.port())), ..LocalAws::default() };
    let driver = without_keys(&fake, &json!({"instance_role": true}), aws.clone());
    for _ in 0..2 {
        assert_eq!(driver.machines().await.unwrap().len(), 10);
    }
    assert_eq!(metadata.service().given, 1);
    fake.0.service().session = 2;
    let error = driver.validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredentials, "the service still gives the old ones: {error}");
    metadata.service().session = 2;
    driver.validate().await.unwrap();
    assert_eq!(metadata.service().given, 3);
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    driver.reboot(&id).await.unwrap();

    metadata.service().has_role = false;
    let calls = fake.0.control().calls();
    let error =
        without_keys(&fake, &json!({"instance_role": true}), aws.clone()).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCredentials, "{error}");
    assert_eq!(fake.0.control().calls(), calls, "nothing is sent unsigned");
    drop(metadata);
    let error = without_keys(&fake, &json!({"instance_role": true}), aws).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn no_metadata_service_is_an_endpoint() {
    let fake = fake().await;
    let mut fields = fake.fields();
    fields.insert("endpoint".into(), json!("http://169.254.169.254"));
    let error = driver("ec2", &fields, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForbiddenAddress, "what the operator allows is no user's to call");
}

#[tokio::test]
async fn calls_are_signed_by_the_service_s_clock_where_ours_is_wrong() {
    let fake = fake().await;
    let driver = driver("ec2", &fake.fields(), PATIENT);
    for ahead in [3600, -7200] {
        fake.0.service().ahead = ahead;
        let before = fake.0.control().calls();
        driver.validate().await.unwrap();
        driver.validate().await.unwrap();
        assert_eq!(fake.0.control().calls() - before, 3, "one is refused, and that is remembered");
    }
}
