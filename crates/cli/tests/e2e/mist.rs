//! Mist.io's API of 2015, as `mistclient` 1.2.1 asks it: the same paths, bodies without a content type, and what it reads of
//! the answers.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{
    machines::Cloud,
    support::{Agent, Server, Sshd, sshd, wait_until},
};

/// A client that behaves like `mistclient`.
pub struct Mist<'a> {
    server: &'a Server,
    authorization: Option<String>,
}

impl<'a> Mist<'a> {
    fn anonymous(server: &'a Server) -> Self {
        Self { server, authorization: None }
    }

    /// What the library's constructor does.
    pub fn sign_in(server: &'a Server) -> Self {
        let admin = server.admin();
        let email = admin["username"].as_str().unwrap();
        let credentials = json!({"email": email, "password": admin["password"]});
        let answer = Self::anonymous(server).json("POST", "/auth", &credentials.to_string());
        let token = answer["mist_api_token"].as_str().unwrap();
        assert!(answer["user_details"].is_object() && answer["current_plan"]["started"].is_number());
        Self { server, authorization: Some(format!("mist_1 {email}:{token}")) }
    }

    /// Sends a request as the library's does it: a body with any method, and no content type. Written out, since no decent
    /// client sends a body with GET.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let host = self.server.url.strip_prefix("http://").unwrap();
        let authorization = self
            .authorization
            .as_ref()
            .map_or_else(String::new, |shown| format!("Authorization: {shown}\r\n"));
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} /mist{path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub fn json(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, text) = self.ask(method, path, body);
        assert!(status == 200, "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {text}"))
    }

    pub fn done(&self, method: &str, path: &str, body: &str) {
        assert_eq!(self.ask(method, path, body), (200, "OK".to_owned()), "{method} {path}");
    }

    pub fn refused(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let (status, text) = self.ask(method, path, body);
        assert!(!text.contains('{'), "{text}");
        (status, text)
    }
}

#[test]
fn the_story_of_the_client_guide() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let host = Sshd::start("127.0.0.31");
    let mist = Mist::sign_in(&server);

    let providers = mist.json("GET", "/providers", "");
    let providers = providers["supported_providers"].as_array().unwrap();
    assert_eq!(providers.len(), 15);
    assert_eq!(providers[0], json!({"title": "Other Server", "provider": "bare_metal", "regions": []}));
    let ec2 = providers.iter().find(|provider| provider["provider"] == "ec2").unwrap();
    assert_eq!(ec2["regions"][3], json!({"id": "ec2_eu_west", "location": "Ireland"}));

    // A key: uploaded under a name, which is its id.
    let private = host.key();
    let added = mist.json("PUT", "/keys", &json!({"id": "my key", "priv": private}).to_string());
    assert_eq!(added, json!({"id": "my key", "isDefault": true, "machines": []}));
    assert_eq!(mist.json("GET", "/keys", "")[0]["id"], "my key");
    assert!(mist.json("GET", "/keys/my%20key/public", "").as_str().unwrap().starts_with("ssh-"));

    // A backend by the key's name, with the port as text, and nulls for what is of no matter.
    let backend = json!({
        "title": "web", "provider": "bare_metal", "machine_ip": host.address().ip(), "machine_key": "my key",
        "machine_user": sshd::user(), "machine_port": host.address().port().to_string(), "api_key": null, "region": "",
    });
    mist.json("POST", "/backends", &backend.to_string());
    assert_eq!(mist.refused("POST", "/backends", &backend.to_string()).0, 409);
    let listed = mist.json("GET", "/backends", "");
    let shown = &listed[0];
    assert_eq!((&shown["title"], &shown["provider"]), (&json!("web"), &json!("bare_metal")));
    assert_eq!((&shown["enabled"], &shown["state"]), (&json!(true), &json!("online")));
    let at = format!("/backends/{}", shown["id"].as_str().unwrap());

    mist.done("PUT", &at, r#"{"new_name": "Web"}"#);
    assert_eq!(mist.json("GET", "/backends", "")[0]["title"], "Web");
    mist.done("POST", &at, r#"{"new_state": "0"}"#);
    assert_eq!(mist.json("GET", "/backends", "")[0]["enabled"], false);
    mist.done("POST", &at, r#"{"new_state": "1"}"#);

    let machines = mist.json("GET", &format!("{at}/machines"), "");
    let machine = &machines[0];
    assert_eq!((&machine["state"], &machine["can_reboot"]), (&json!("running"), &json!(true)));
    assert!(machine["extra"].is_object() && machine["tags"].is_array());
    assert_eq!(machine["public_ips"], json!(["127.0.0.31"]));
    let machine = format!("{at}/machines/{}", machine["id"].as_str().unwrap());
    let host_given = r#"{"host": "127.0.0.31", "key": null, "ssh_user": null}"#;
    let probe = mist.json("POST", &format!("{machine}/probe"), host_given);
    assert!(probe["uptime"].as_str().is_some_and(|uptime| uptime.contains('.')), "{probe}");
    assert_eq!(probe["loadavg"].as_array().unwrap().len(), 3);
    assert_eq!((&probe["packets_rx"], &probe["packets_loss"]), (&json!(1), &json!(0)));
    assert!(probe["rtt_min"].is_number(), "{probe}");
    assert!(probe["df"].as_str().unwrap().lines().count() > 1);
    let after = mist.json("POST", &machine, r#"{"action": "reboot"}"#);
    assert_eq!((after.as_array().unwrap().len(), host.reboots()), (1, 1));
    assert_eq!(mist.refused("POST", &machine, r#"{"action": "destroy"}"#).0, 400);
    assert_eq!(mist.refused("POST", &format!("{machine}/metadata"), r#"{"tag": "x"}"#).0, 405);
    for list in ["sizes", "locations", "networks", "images"] {
        assert_eq!(
            mist.json("GET", &format!("{at}/{list}"), r#"{"search_term": "debian"}"#),
            json!([]),
            "{list}"
        );
    }

    assert_eq!(
        mist.ask("GET", &format!("{machine}/rdp?host=127.0.0.31&rdp_port=4000"), ""),
        (200, "full address:s:127.0.0.31:4000\r\nprompt for credentials:i:1\r\n".to_owned())
    );
    assert_eq!(mist.refused("GET", &format!("{machine}/rdp?host=a%0ab"), "").0, 400);

    let login =
        |user: &str, port: u16| json!({"ssh_user": user, "host": "127.0.0.31", "ssh_port": port}).to_string();
    let (user, port) = (sshd::user(), host.address().port());
    let shown = mist.json("PUT", &format!("{machine}/keys/my%20key"), &login(&user, port));
    let (backend, id) = (at.rsplit('/').next().unwrap(), machine.rsplit('/').next().unwrap());
    assert_eq!(
        (&shown[0][0], &shown[0][1], &shown[0][3], &shown[0][5]),
        (&json!(backend), &json!(id), &json!(user), &json!(port))
    );
    // Where nobody gets in, all stays as it was.
    let closed = mist.refused("PUT", &format!("{machine}/keys/my%20key"), &login("me", 1));
    assert_eq!(closed.0, 401, "{closed:?}");
    assert_eq!(mist.json("GET", "/keys", "")[0]["machines"][0][5], json!(port));
    // Another key is put there over the one that works, and taken away again.
    let private = mist.json("POST", "/keys", "")["priv"].clone();
    mist.json("PUT", "/keys", &json!({"id": "other", "priv": private}).to_string());
    mist.json("PUT", &format!("{machine}/keys/other"), &login(&user, port));
    assert_eq!(host.deployed_keys().lines().count(), 1, "{}", host.deployed_keys());
    assert_eq!(mist.json("DELETE", &format!("{machine}/keys/other"), r#"{"host": "127.0.0.31"}"#), json!([]));
    assert_eq!(host.deployed_keys(), "");
    assert_eq!(mist.json("DELETE", &format!("{machine}/keys/my%20key"), ""), json!([]));

    mist.done("DELETE", &at, "");
    assert_eq!(mist.json("GET", "/backends", ""), json!([]));
    assert_eq!(mist.refused("GET", &format!("{at}/machines"), "").0, 404);
}

#[test]
fn keys_go_by_their_names() {
    let server = Server::start();
    let mist = Mist::sign_in(&server);
    let made = mist.json("POST", "/keys", "");
    let private = made["priv"].as_str().unwrap();
    assert!(private.starts_with("-----BEGIN RSA PRIVATE KEY-----"), "{private}");
    assert_eq!(mist.json("GET", "/keys", ""), json!([]), "generating keeps nothing");
    for name in ["one", "two"] {
        mist.json("PUT", "/keys", &json!({"id": name, "priv": private}).to_string());
    }
    assert_eq!(mist.json("GET", "/keys/one/private", ""), json!(private));
    mist.done("POST", "/keys/two", "");
    assert_eq!(mist.json("PUT", "/keys/one", r#"{"new_id": "uno"}"#), json!({"new_id": "uno"}));
    let defaults = |keys: &Value| {
        keys.as_array().unwrap().iter().map(|key| key["isDefault"] == true).collect::<Vec<_>>()
    };
    assert_eq!(defaults(&mist.json("GET", "/keys", "")), [false, true]);
    let left = mist.json("DELETE", "/keys/two", "");
    assert_eq!(left, json!([{"id": "uno", "isDefault": true, "machines": []}]));
    assert_eq!(
        mist.refused("GET", "/keys/two/public", ""),
        (404, "Not Found: There is no key \"two\".".into())
    );
    assert_eq!(mist.refused("PUT", "/keys", r#"{"id": "x", "priv": "nonsense"}"#).0, 400);
}

#[test]
fn nobody_gets_in_without_a_token_and_nonsense_is_refused_in_plain_text() {
    let server = Server::start();
    let mut mist = Mist::anonymous(&server);
    assert_eq!(mist.refused("GET", "/backends", "").0, 401);
    let name = server.admin()["username"].clone();
    let wrong = json!({"email": name, "password": "guess"}).to_string();
    assert_eq!(mist.refused("POST", "/auth", &wrong).0, 401);
    assert_eq!(mist.refused("POST", "/auth", "{}").0, 400);
    let key = json!({"email": name, "password": server.api_key}).to_string();
    assert_eq!(mist.json("POST", "/auth", &key)["mist_api_token"], json!(server.api_key));
    for shown in ["mist_1 nobody:KEY", "mist_1 KEY", "Bearer KEY", "mist_1 :", "mist_1 admin+x:KEY"] {
        mist.authorization = Some(shown.replace("KEY", &server.api_key));
        assert_eq!(mist.refused("GET", "/backends", "").0, 401, "{shown}");
    }
    let mist = Mist::sign_in(&server);
    assert_eq!(mist.json("GET", "/check_token", "")["hello"], name);
    for (method, path, body, status) in [
        ("GET", "/nothing", "", 404),
        ("GET", "/backends/none/machines", "", 404),
        ("PATCH", "/backends", "", 405),
        ("POST", "/backends", "{", 400),
        ("POST", "/backends", "[]", 400),
        ("POST", "/backends", r#"{"provider": "abacus"}"#, 400),
        ("POST", "/backends", r#"{"provider": "bare_metal"}"#, 400),
        ("PUT", "/backends/none", r#"{"new_name": 5}"#, 404),
        ("POST", "/backends/none", r#"{"new_state": "2"}"#, 400),
        ("GET", "/backends/%ff", "", 404),
    ] {
        assert_eq!(mist.refused(method, path, body).0, status, "{method} {path} {body}");
    }
}

/// A cloud as the guide adds it, and its path.
fn add_cloud(mist: &Mist<'_>, cloud: &Cloud) -> String {
    let backend = json!({
        "title": "ocean", "provider": "digitalocean", "token": roadstead_providers::sim::digitalocean::TOKEN,
        "endpoint": cloud.endpoint(),
    });
    let added = mist.json("POST", "/backends", &backend.to_string());
    format!("/backends/{}", added["id"].as_str().unwrap())
}

#[test]
fn machines_are_made_and_waited_for() {
    let server = Server::start();
    let (mist, cloud) = (Mist::sign_in(&server), Cloud::start());
    let at = add_cloud(&mist, &cloud);
    let private = mist.json("POST", "/keys", "")["priv"].clone();
    mist.json("PUT", "/keys", &json!({"id": "mine", "priv": private}).to_string());
    let mut order = json!({
        "name": "new", "key": "mine", "image": "debian-12-x64", "location": "fra1", "size": "s-1vcpu-1gb",
        "image_extra": "", "disk": "", "script": "echo hello", "monitoring": false, "ips": [], "networks": [],
        "location_name": "", "docker_command": "", "async": false, "quantity": 1, "persist": false,
        "script_id": null, "script_params": null,
    });
    let made = mist.json("POST", &format!("{at}/machines"), &order.to_string());
    assert_eq!(made["name"], "new");
    assert!(made["id"].is_string() && made["extra"].is_object() && made["public_ips"].is_array(), "{made}");
    let key = &mist.json("GET", "/keys", "")[0];
    assert_eq!((&key["machines"][0][1], &key["machines"][0][3]), (&made["id"], &json!("root")), "{key}");
    let listed = mist.json("GET", &format!("{at}/machines"), "");
    assert!(listed.as_array().unwrap().iter().any(|machine| machine["id"] == made["id"]));
    assert_eq!(cloud.service.service().orders[0]["user_data"], "#!/bin/sh\necho hello\n");

    order["async"] = true.into();
    order["quantity"] = 2.into();
    let job = mist.json("POST", &format!("{at}/machines"), &order.to_string());
    assert_eq!(job.as_object().unwrap().len(), 1, "{job}");
    let path = format!("/jobs/{}", job["job_id"].as_str().unwrap());
    wait_until("the job has ended", || mist.json("GET", &path, "")["finished_at"] != 0);
    let ended = mist.json("GET", &path, "");
    assert_eq!(
        (&ended["error"], &ended["summary"]["create"]["success"]),
        (&Value::Null, &json!(2)),
        "{ended}"
    );
    assert!(ended["logs"].as_array().is_some_and(|logs| !logs.is_empty()));

    order["size"] = "huge".into();
    assert_eq!(mist.refused("POST", &format!("{at}/machines"), &order.to_string()).0, 400);
    order["docker_command"] = "sh".into();
    assert_eq!(mist.refused("POST", &format!("{at}/machines"), &order.to_string()).0, 400);
    assert_eq!(mist.refused("GET", "/jobs/none", "").0, 404);
    assert_eq!(mist.refused("GET", "/jobs/999", "").0, 404);
}

#[test]
fn images_are_starred_and_unstarred() {
    let server = Server::start();
    let (mist, cloud) = (Mist::sign_in(&server), Cloud::start());
    let at = add_cloud(&mist, &cloud);
    let star = |image: &str| {
        let images = mist.json("GET", &format!("{at}/images"), "");
        images.as_array().unwrap().iter().find(|found| found["id"] == image).unwrap()["star"].clone()
    };
    assert_eq!(star("debian-12-x64"), true);
    assert_eq!(mist.json("POST", &format!("{at}/images/debian-12-x64"), ""), json!(false));
    assert_eq!(star("debian-12-x64"), false);
    assert_eq!(mist.json("POST", &format!("{at}/images/debian-12-x64"), ""), json!(true));
    assert_eq!(star("debian-12-x64"), true);
    assert_eq!(
        mist.json("POST", &format!("{at}/images/library/debian"), ""),
        json!(false),
        "ids have slashes"
    );
    let backend = server.client.backends().unwrap().remove(0);
    let said: Vec<_> =
        backend.image_stars().unwrap().into_iter().map(|star| (star.image, star.starred)).collect();
    assert_eq!(said, [("debian-12-x64".to_owned(), true), ("library/debian".to_owned(), false)]);
    assert_eq!(mist.refused("POST", "/backends/none/images/x", "").0, 404);
}

#[test]
fn monitoring_is_answered_from_what_the_agent_measures() {
    let server = Server::start();
    let (mist, cloud) = (Mist::sign_in(&server), Cloud::start());
    let at = add_cloud(&mist, &cloud);
    let external = mist.json("GET", &format!("{at}/machines"), "")[0]["id"].as_str().unwrap().to_owned();
    let machine = format!("{at}/machines/{external}");
    let switch =
        json!({"action": "enable", "name": "web-1", "no_ssh": false, "public_ips": [], "dns_name": "n/a"});
    assert_eq!(
        mist.refused("POST", &format!("{machine}/monitoring"), &switch.to_string()).0,
        409,
        "no agent"
    );
    assert_eq!(mist.json("GET", "/monitoring", "")["machines"], json!([]));

    let agent = Agent::start(&server);
    let id =
        server.client.machines().unwrap().into_iter().find(|m| m.external_id == external).unwrap().id.clone();
    server.client.get_agent(agent.id).unwrap().attach(&id).unwrap();
    assert_eq!(mist.json("POST", &format!("{machine}/monitoring"), &switch.to_string())["monitoring"], true);
    assert_eq!(mist.json("GET", "/monitoring", "")["machines"][0][1], external.as_str());
    let metrics = mist.json("GET", &format!("{machine}/metrics"), "");
    assert!(metrics.as_object().unwrap().values().all(|metric| metric["name"].is_string()), "{metrics}");
    let stats = || {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let asked = json!({"v": 2, "start": now, "stop": now + 10, "step": 10});
        mist.json("GET", &format!("{machine}/stats"), &asked.to_string())
    };
    wait_until("the agent has measured", || {
        stats()["load.shortterm"]["datapoints"].as_array().is_some_and(|points| !points.is_empty())
    });
    let point = &stats()["memory.total"]["datapoints"][0];
    assert!(point[0].as_f64().is_some_and(|bytes| bytes > 0.0) && point[1].is_number(), "{point}");
    mist.done("PUT", &format!("{machine}/metrics"), r#"{"metric_id": "load.shortterm"}"#);
    assert_eq!(mist.refused("DELETE", &format!("{machine}/metrics"), r#"{"metric_id": "x"}"#).0, 404);
    mist.done("POST", &format!("{machine}/monitoring"), r#"{"action": "disable"}"#);
}
