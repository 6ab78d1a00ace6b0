//! What a stolen agent credential can do: read its own vault and add to it. Nothing else.

use roadstead_api::{Permission, declarations};
use sha2::{Digest, Sha256};
use ureq::http::StatusCode;

use crate::support::{Agent, Server, restic, restic::Repository, tree};

/// A request with a credential; returns status and body.
fn ask(method: &str, url: &str, credential: &str, body: &[u8]) -> (StatusCode, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("authorization", format!("Bearer {credential}")).body(body).unwrap();
    let mut response = agent.run(request).unwrap();
    (response.status(), response.body_mut().read_to_string().unwrap_or_default())
}

fn names(vault: &str, credential: &str, kind: &str) -> Vec<String> {
    let (status, body) = ask("GET", &format!("{vault}{kind}/"), credential, b"");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[test]
fn a_stolen_agent_credential_deletes_nothing_and_overwrites_nothing() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let stored = || {
        let mut files = tree::read(&server.vault(&agent.vault));
        files.retain(|path, _| !path.starts_with("tmp"));
        files
    };
    let before = stored();

    let credential = agent.credential();
    let vault = format!("{}/vaults/{}/", server.url, agent.vault);
    assert_eq!(ask("DELETE", &vault, &credential, b"").0, 403);
    assert_eq!(ask("POST", &format!("{vault}config"), &credential, b"another config").0, 403);
    assert_eq!(ask("DELETE", &format!("{vault}config"), &credential, b"").0, 403);
    let junk = hex::encode(Sha256::digest(b"junk"));
    assert_eq!(ask("POST", &format!("{vault}keys/{junk}"), &credential, b"junk").0, 403);
    for kind in ["data", "index", "snapshots", "keys"] {
        let names = names(&vault, &credential, kind);
        assert!(!names.is_empty(), "{kind}");
        for name in names {
            let file = format!("{vault}{kind}/{name}");
            assert_eq!(ask("DELETE", &file, &credential, b"").0, 403, "{file}");
            assert!(ask("POST", &file, &credential, b"something else").0.is_client_error(), "{file}");
            assert!(ask("PUT", &file, &credential, b"something else").0.is_client_error(), "{file}");
        }
    }
    assert_eq!(before, stored());
    Repository::of(&server, &agent).assert_sound();
}

#[test]
fn uploads_are_kept_only_under_their_own_name() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let credential = agent.credential();
    let vault = format!("{}/vaults/{}/", server.url, agent.vault);
    let name = hex::encode(Sha256::digest(b"a pack"));
    let file = format!("{vault}data/{name}");
    assert_eq!(ask("POST", &file, &credential, b"not that pack").0, 400);
    assert_eq!(ask("HEAD", &file, &credential, b"").0, 404);
    assert_eq!(ask("POST", &file, &credential, b"a pack").0, 200);
    assert_eq!(ask("POST", &file, &credential, b"a pack").0, 200);
    assert_eq!(ask("GET", &file, &credential, b""), (StatusCode::OK, "a pack".to_owned()));
    for path in ["data/..%2f..%2fmaster.key", "data/../../../master.key", "data/abc", "nonsense/", "%2e%2e/"]
    {
        assert!(ask("GET", &format!("{vault}{path}"), &credential, b"").0.is_client_error(), "{path}");
        assert!(ask("POST", &format!("{vault}{path}"), &credential, b"x").0.is_client_error(), "{path}");
    }
}

#[test]
fn locks_are_removed_by_their_makers_alone() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let (own, credential) = (server.api_key.clone(), agent.credential());
    let vault = format!("{}/vaults/{}/", server.url, agent.vault);
    let lock = |content: &[u8]| format!("{vault}locks/{}", hex::encode(Sha256::digest(content)));
    assert_eq!(ask("POST", &lock(b"admin's"), &own, b"admin's").0, 200);
    assert_eq!(ask("POST", &lock(b"agent's"), &credential, b"agent's").0, 200);
    assert_eq!(ask("DELETE", &lock(b"admin's"), &credential, b"").0, 403);
    assert_eq!(ask("DELETE", &lock(b"agent's"), &own, b"").0, 403);
    assert_eq!(ask("DELETE", &lock(b"agent's"), &credential, b"").0, 200);
    assert_eq!(ask("DELETE", &lock(b"admin's"), &own, b"").0, 200);
    assert_eq!(ask("DELETE", &lock(b"admin's"), &own, b"").0, 404);
}

#[test]
fn other_agents_vaults_do_not_exist_and_the_api_is_closed_to_agents() {
    let server = Server::start();
    let (agent, other) = (Agent::start(&server), Agent::start(&server));
    let credential = agent.credential();
    let theirs = format!("{}/vaults/{}/", server.url, other.vault);
    for (method, path) in [("GET", "config"), ("GET", "data/"), ("POST", "?create=true"), ("DELETE", "")] {
        let (status, body) = ask(method, &format!("{theirs}{path}"), &credential, b"");
        assert_eq!(status, 404, "{method} {path}");
        let (nowhere, same) =
            ask(method, &format!("{}/vaults/{}/{path}", server.url, "0".repeat(20)), &credential, b"");
        assert_eq!((nowhere, same), (status, body), "an id that there is not must answer the same");
    }
    for declaration in declarations().iter().filter(|d| d.permission != Permission::Public) {
        let path = declaration.path.replace("{id}", "1").replace("{machine_id}", "1");
        let method = format!("{:?}", declaration.method).to_uppercase();
        let url = format!("{}/api/v1{path}", server.url);
        assert_eq!(ask(&method, &url, &credential, b"{}").0, 403, "{}", declaration.name);
        assert_eq!(ask(&method, &url, "rdk_wrong", b"{}").0, 401, "{}", declaration.name);
    }
}

#[test]
fn restic_itself_works_over_http() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let key = server.call::<roadstead_api::vault::VaultKeyExport>(&agent.vault, &());
    let host = server.url.strip_prefix("http://").unwrap();
    let address = format!("rest:http://admin:{}@{host}/vaults/{}/", server.api_key, agent.vault);
    for program in restic::all() {
        for arguments in [
            &["check", "--read-data"][..],
            &["backup", source.path().to_str().unwrap()],
            &["snapshots"],
            &["check"],
        ] {
            let (ok, text) = restic::run(&program, &address, &key.password, arguments);
            assert!(ok, "{arguments:?}: {text}");
        }
        let (ok, text) =
            restic::run(&program, &address, &key.password, &["forget", "--prune", "--keep-last", "1"]);
        assert!(!ok, "nothing is deleted through this door, not even by an admin: {text}");
    }
    Repository::of(&server, &agent).assert_sound();
}
