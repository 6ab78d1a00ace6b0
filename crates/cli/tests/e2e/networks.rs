//! Networks that are made and deleted on a fake OpenStack cloud: by the SDK, the command line, and as Mist.io's clients did.

use std::process::Output;

use roadstead_api::{
    backend::NewBackend,
    id::ProviderId,
    network::{NewNetwork, NewSubnet},
    user::{NewUser, Role},
};
use roadstead_client::{
    Credentials, ErrorKind,
    blocking::{Backend, Client},
};
use roadstead_providers::sim::{
    FakeService,
    openstack::{Cloud, Kind, SECRET, USER},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    machines,
    mist::Mist,
    support::{Server, roadstead},
};

const PASSWORD: &str = "correct horse battery";

/// The fake, and what keeps it running.
struct Stack {
    cloud: FakeService<Cloud>,
    _runtime: Runtime,
}

impl Stack {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let cloud = runtime.block_on(Cloud::start(Kind::Modern)).unwrap();
        Self { cloud, _runtime: runtime }
    }

    fn add_to(&self, server: &Server) -> Backend {
        let fields = json!({
            "auth_url": format!("http://{}/identity", self.cloud.address()), "username": USER, "password": SECRET,
            "tenant_name": "demo",
        });
        let new = NewBackend {
            provider: ProviderId("openstack".into()),
            title: "stack".into(),
            region: None,
            fields: serde_json::from_value(fields).unwrap(),
        };
        server.client.add_backend(&new).unwrap()
    }
}

fn networks(server: &Server, arguments: &[&str]) -> Output {
    let mut command = roadstead();
    command.arg("networks").args(arguments).args(["--backend", "stack", "-o", "json", "--url", &server.url]);
    command.env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
}

fn new(cidr: &str) -> NewNetwork {
    let subnets = vec![NewSubnet { cidr: cidr.into(), ..NewSubnet::default() }];
    NewNetwork { name: "back".into(), shared: false, subnets }
}

#[test]
fn a_network_is_made_and_deleted_and_the_audit_log_knows() {
    let (server, stack) = (Server::start(), Stack::start());
    let backend = stack.add_to(&server);
    let before = backend.networks().unwrap().len();
    let made = backend.create_network(&new("10.7.0.0/24")).unwrap();
    assert_eq!((made.name.as_str(), made.subnets[0].cidr.as_str()), ("back", "10.7.0.0/24"));
    assert_eq!(backend.create_network(&new("10.7.0.0")).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(backend.networks().unwrap().len(), before + 1);
    let in_use = backend.delete_network("net-1").unwrap_err();
    assert_eq!(in_use.kind(), ErrorKind::Conflict, "{in_use}");

    let user = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&user).unwrap();
    let ann = Credentials::Password { username: "ann".into(), password: PASSWORD.into() };
    let anns = Client::new(&server.url, ann).unwrap().get_backend(&backend.id).unwrap();
    assert_eq!(anns.delete_network(&made.id).unwrap_err().kind(), ErrorKind::Forbidden);
    backend.delete_network(&made.id).unwrap();
    assert_eq!(backend.delete_network(&made.id).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(backend.networks().unwrap().len(), before);
    let audit = server.client.audit().unwrap();
    let told = |action: &str| audit.iter().filter(|entry| entry.action == action).count();
    assert_eq!(told("network_create"), 1);
    assert!(audit.iter().any(|entry| entry.target == format!("{}/{}", backend.id, made.id)));
}

#[test]
fn the_command_line_makes_and_deletes_them() {
    let (server, stack) = (Server::start(), Stack::start());
    stack.add_to(&server);
    let words = ["create", "back", "--cidr", "10.7.0.0/24", "--gateway", "10.7.0.9", "--no-dhcp"];
    let made = networks(&server, &[&words[..], &["--pool", "10.7.0.20-10.7.0.90"]].concat());
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let sent = stack.cloud.service().subnets.last().cloned().unwrap();
    assert_eq!(sent["allocation_pools"], json!([{"start": "10.7.0.20", "end": "10.7.0.90"}]));
    assert_eq!(networks(&server, &["create", "back", "--pool", "x"]).status.code(), Some(2));
    assert_eq!(networks(&server, &["delete", "back"]).status.code(), Some(2), "it needs --yes");
    assert!(networks(&server, &["delete", "back", "--dry-run"]).status.success());
    let none = networks(&server, &["delete", "none", "--yes"]);
    assert!(
        !none.status.success() && String::from_utf8_lossy(&none.stderr).contains("no network"),
        "{none:?}"
    );
    assert!(networks(&server, &["delete", made["id"].as_str().unwrap(), "--yes"]).status.success());
}

#[test]
fn what_mist_s_clients_asked_for_is_done() {
    let (server, stack) = (Server::start(), Stack::start());
    let mist = Mist::sign_in(&server);
    let at = format!("/backends/{}/networks", stack.add_to(&server).id);
    let order = json!({
        "network": {"name": "old", "admin_state_up": true, "shared": false},
        "subnet": {"name": "in", "cidr": "10.8.0.0/24", "gateway_ip": "10.8.0.1", "ip_version": 4, "enable_dhcp": true,
            "allocation_pools": [{"start": "10.8.0.2", "end": "10.8.0.9"}]},
    });
    let made = mist.json("POST", &at, &order.to_string());
    assert_eq!((&made["name"], &made["subnets"][0]["cidr"]), (&json!("old"), &json!("10.8.0.0/24")));
    assert_eq!(mist.json("GET", &at, "").as_array().unwrap().last().unwrap()["id"], made["id"]);
    for wrong in
        [json!({}), json!({"network": {}}), json!({"network": {"name": "x"}, "subnet": {"cidr": "x"}})]
    {
        assert_eq!(mist.refused("POST", &at, &wrong.to_string()).0, 400, "{wrong}");
    }
    let one = format!("{at}/{}", made["id"].as_str().unwrap());
    mist.done("DELETE", &one, "");
    assert_eq!(mist.refused("DELETE", &one, "").0, 404);
    assert_eq!(mist.refused("PUT", &one, "").0, 405);

    // A provider that makes none says so.
    let ocean = machines::Cloud::start();
    let backend = ocean.add_to(&server);
    assert_eq!(
        mist.refused("POST", &format!("/backends/{}/networks", backend.id), &order.to_string()).0,
        400
    );
    let refused = backend.create_network(&new("10.7.0.0/24")).unwrap_err();
    assert!(refused.to_string().contains("digitalocean"), "{refused}");
}
