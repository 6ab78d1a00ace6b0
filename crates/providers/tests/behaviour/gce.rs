//! `gce` on its fake.

use roadstead_api::machine::MachineState;
use roadstead_providers::{
    Capability, ErrorKind, MachineOrder, check_fields, registration,
    sim::{
        Control, FakeService, Fault,
        gce::{EMAIL, PROJECT, Project, VIEWER},
    },
};
use serde_json::json;

use crate::{
    life::comes_to,
    stage::{Given, Order, PATIENT, Stage, driver, order, setup, url},
    suite,
};

const IMAGE: &str = "projects/debian-cloud/global/images/debian-12-1";

struct Fake(FakeService<Project>);

impl Stage for Fake {
    fn provider(&self) -> &'static str {
        "gce"
    }

    fn fields(&self) -> Given {
        let address = self.0.address();
        self.moved_to(&address.ip().to_string(), address.port())
    }

    fn wrong_credentials(&self) -> Given {
        self.of("nobody@roads-123.iam.gserviceaccount.com")
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        let endpoint = url(host, port);
        let tokens = format!("{endpoint}/token");
        let key = Project::key_file(EMAIL);
        serde_json::from_value(json!({"private_key": key, "endpoint": endpoint, "token_endpoint": tokens}))
            .unwrap()
    }

    fn reboots(&self) -> usize {
        self.0.service().changes.iter().filter(|change| change.starts_with("reset ")).count()
    }

    fn connections(&self) -> Option<usize> {
        Some(self.0.control().calls())
    }

    fn control(&self) -> Option<&Control> {
        Some(self.0.control())
    }

    fn order(&self) -> Option<Order> {
        Some(Order { order: order("new", IMAGE, "e2-1"), other_size: "e2-2", call: ("POST", "/instances") })
    }
}

impl Fake {
    /// Fields with the key of this account.
    fn of(&self, email: &str) -> Given {
        let mut fields = self.fields();
        fields.insert("private_key".into(), json!(Project::key_file(email)));
        fields
    }
}

async fn fake() -> Fake {
    Fake(Project::start().await.unwrap())
}

#[tokio::test]
async fn the_suite_passes() {
    suite::run(&fake().await).await;
}

#[tokio::test]
async fn an_order_carries_all_that_was_asked_for_and_is_known_again() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let whole = MachineOrder {
        quantity: 2,
        location: Some("us-central1-b".into()),
        networks: vec!["net-3".into()],
        public_key: Some("ssh-ed25519 AAAA me@home".into()),
        user_data: Some("#!/bin/sh\necho hi\n".into()),
        ..order("db", IMAGE, "e2-2")
    };
    let made = driver.create(&whole).await.unwrap();
    assert_eq!((made[0].name.as_str(), made[1].name.as_str()), ("db-1", "db-2"));
    assert!(made.iter().all(|machine| machine.location.as_deref() == Some("us-central1-b")));
    let placed = fake.0.service().orders[0].clone();
    assert_eq!(placed["networkInterfaces"][0]["subnetwork"], "regions/us-central1/subnetworks/sub-3");
    let items = &placed["metadata"]["items"];
    assert_eq!(items[0], json!({"key": "ssh-keys", "value": "roadstead:ssh-ed25519 AAAA me@home"}));
    assert_eq!(items[1]["key"], "startup-script");
    assert!(items[1]["value"].as_str().unwrap().contains("\necho hi\n"));

    let listed = driver.machines().await.unwrap();
    assert_eq!(listed.iter().find(|machine| machine.name == "db-1").unwrap().image.as_deref(), Some(IMAGE));
    let again = driver.create(&whole).await.unwrap();
    assert_eq!(again[0].external_id, made[0].external_id);
    assert_eq!(driver.machines().await.unwrap().len(), listed.len());

    let config = MachineOrder { user_data: Some("#cloud-config\n".into()), ..order("c", IMAGE, "e2-1") };
    driver.create(&config).await.unwrap();
    let placed = fake.0.service().orders.last().unwrap().clone();
    assert_eq!(placed["metadata"]["items"], json!([{"key": "user-data", "value": "#cloud-config\n"}]));
    assert_eq!(placed["networkInterfaces"][0]["network"], "global/networks/default");
    let abroad = MachineOrder { networks: vec!["net-9".into()], ..order("d", IMAGE, "e2-1") };
    let error = driver.create(&abroad).await.unwrap_err();
    assert_eq!(error.field(), Some("networks"));
    assert!(error.to_string().contains("us-central1"), "{error}");
}

#[tokio::test]
async fn what_an_operation_ends_with_is_told() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let id = driver.machines().await.unwrap()[1].external_id.clone();
    for (code, kind) in [
        ("ZONE_RESOURCE_POOL_EXHAUSTED", ErrorKind::Failed),
        ("PERMISSIONS_ERROR", ErrorKind::MissingRights),
        ("RESOURCE_NOT_READY", ErrorKind::Conflict),
    ] {
        fake.0.service().breaks = Some((code, "the zone has\nno room"));
        let error = driver.resize(&id, "e2-3").await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(
            error.to_string().ends_with(&format!("could not do it: the zone has no room ({code})")),
            "{error}"
        );
    }
    fake.0.service().breaks = Some(("QUOTA_EXCEEDED", "Quota 'CPUS' exceeded"));
    let two = MachineOrder { quantity: 2, ..order("two", IMAGE, "e2-1") };
    let error = driver.create(&two).await.unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 machines were made, and the next could not be");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("CPUS"));
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_not_taken_any_more() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let mut lists = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let driver = driver.clone();
        lists.spawn(async move { driver.machines().await.map(drop) });
    }
    while let Some(list) = lists.join_next().await {
        list.unwrap().unwrap();
    }
    assert_eq!(fake.0.service().given_out, 1);
    fake.0.service().revoke_tokens();
    driver.machines().await.unwrap();
    assert_eq!(fake.0.service().given_out, 2);
}

#[tokio::test]
async fn rights_that_are_missing_and_calls_that_are_too_many_are_told_from_wrong_keys() {
    let fake = fake().await;
    let viewer = driver("gce", &fake.of(VIEWER), PATIENT);
    let id = viewer.machines().await.unwrap()[0].external_id.clone();
    let error = viewer.reboot(&id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingRights);
    assert!(error.to_string().contains("compute.instances.reset"), "{error}");
    let error = driver("gce", &fake.wrong_credentials(), PATIENT).validate().await.unwrap_err();
    assert!(error.to_string().contains("account not found"), "{error}");
    fake.0.control().fail_next(1, Fault::Status(429));
    viewer.machines().await.unwrap();
}

#[tokio::test]
async fn what_is_suspended_goes_on_and_what_is_protected_stays() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let machines = driver.machines().await.unwrap();
    assert_eq!(machines[2].state, MachineState::Suspended);
    driver.start(&machines[2].external_id).await.unwrap();
    assert!(fake.0.service().changes.contains(&format!("resume {}", machines[2].external_id)));
    comes_to(&*driver, &machines[2].external_id, |machine| machine.state == MachineState::Running).await;
    assert!(!machines[3].actions.contains(Capability::Destroy));
    let error = driver.destroy(&machines[3].external_id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("protected"), "{error}");
}

#[tokio::test]
async fn labels_that_change_under_ones_hands_are_set_all_the_same() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let id = driver.machines().await.unwrap()[0].external_id.clone();
    fake.0.service().meddles = 2;
    driver.set_tags(&id, &["web".into(), "env=prod".into()]).await.unwrap();
    assert_eq!(driver.machines().await.unwrap()[0].tags, ["env=prod", "web"]);
    fake.0.service().meddles = 9;
    assert_eq!(driver.set_tags(&id, &[]).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(driver.set_tags(&id, &["Web".into()]).await.unwrap_err().field(), Some("tags"));
}

#[tokio::test]
async fn images_are_found_by_their_words_and_old_ones_are_not_shown() {
    let fake = fake().await;
    let driver = driver("gce", &fake.fields(), PATIENT);
    let all = driver.images(None).await.unwrap();
    assert_eq!(all.len(), 17, "one is deprecated");
    assert_eq!(
        driver.images(Some("GOLDEN-3")).await.unwrap()[0].id,
        format!("projects/{PROJECT}/global/images/golden-3")
    );
}

#[test]
fn keys_come_whole_or_in_parts_and_what_is_wrong_with_them_is_said() {
    let connect = registration(&roadstead_api::id::ProviderId("gce".into())).unwrap().connect;
    let file = Project::key_file(EMAIL);
    let pem =
        serde_json::from_str::<serde_json::Value>(&file).unwrap()["private_key"].as_str().unwrap().to_owned();
    let escaped = pem.replace('\n', "\\n");
    for fields in [
        json!({"private_key": file}),
        json!({"private_key": pem, "email": EMAIL, "project_id": PROJECT}),
        json!({"private_key": escaped, "email": EMAIL, "project_id": PROJECT}),
    ] {
        connect(setup("gce", &serde_json::from_value(fields).unwrap(), PATIENT)).unwrap();
    }
    let user = file.replace("service_account", "authorized_user");
    for (fields, field) in [
        (json!({"private_key": pem, "project_id": PROJECT}), "email"),
        (json!({"private_key": pem, "email": EMAIL}), "project_id"),
        (json!({"private_key": user}), "private_key"),
        (json!({"private_key": "{"}), "private_key"),
        (json!({"private_key": "-----", "email": EMAIL, "project_id": PROJECT}), "private_key"),
        (json!({"private_key": file, "zone": "../zones"}), "zone"),
        (json!({"private_key": file, "project_id": ".."}), "project_id"),
    ] {
        let error = connect(setup("gce", &serde_json::from_value(fields).unwrap(), PATIENT)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)), "{error}");
        assert!(!format!("{error:?}").contains(&pem[100..140]));
    }
    let given = serde_json::from_value(json!({"email": EMAIL})).unwrap();
    let error = check_fields(&roadstead_api::id::ProviderId("gce".into()), &given).unwrap_err();
    assert_eq!(error.field(), Some("private_key"));
}
