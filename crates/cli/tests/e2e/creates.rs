//! Creates with an `Idempotency-Key`: however often one is asked for, it is done once.

use std::sync::Mutex;

use roadstead_api::{
    IDEMPOTENCY_KEY,
    user::{NewUser, Role},
};
use serde_json::{Value, json};

use crate::support::{Server, rounds};

const PASSWORD: &str = "correct horse battery";

/// Asks for a create; `None` where no answer came.
fn ask(server: &str, api_key: &str, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method("POST").uri(format!("{server}/api/v1{path}"));
    let request = request.header("authorization", format!("Bearer {api_key}")).header(IDEMPOTENCY_KEY, key);
    let mut answer = agent.run(request.body(body.to_string()).unwrap()).ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).ok()?))
}

fn create(server: &Server, path: &str, key: &str, body: &Value) -> (u16, Value) {
    ask(&server.url, &server.api_key, path, key, body).unwrap()
}

fn fleet(name: &str) -> Value {
    json!({ "name": name, "generate": "ed25519" })
}

#[test]
fn the_same_request_gets_the_same_reply_and_makes_nothing_new() {
    let mut server = Server::start();
    let first = create(&server, "/keys", "one", &fleet("fleet"));
    assert_eq!(first.0, 201, "{first:?}");
    assert_eq!(create(&server, "/keys", "one", &fleet("fleet")), first);
    let (status, problem) = create(&server, "/keys", "one", &fleet("other"));
    assert_eq!((status, &problem["type"]), (422, &json!("idempotency_key_reused")));
    let (status, problem) = create(&server, "/api-keys", "one", &fleet("fleet"));
    assert_eq!((status, &problem["type"]), (422, &json!("idempotency_key_reused")), "another endpoint");
    assert_eq!(
        create(&server, "/keys", "two", &fleet("fleet")).0,
        409,
        "another request, so the name is taken"
    );
    assert_eq!(create(&server, "/keys", "two", &fleet("second")).0, 201, "what failed is not remembered");
    for wrong in ["a b", &"x".repeat(256)] {
        assert_eq!(create(&server, "/keys", wrong, &fleet("third")).0, 400, "{wrong:.9}");
    }
    server
        .client
        .get_key(&roadstead_api::id::KeyId(first.1["id"].as_str().unwrap().into()))
        .unwrap()
        .delete()
        .unwrap();
    server.kill_and_restart();
    assert_eq!(create(&server, "/keys", "one", &fleet("fleet")), first, "what was answered stays the answer");
    assert_eq!(server.client.keys().unwrap().len(), 1);
}

#[test]
fn replies_with_secrets_are_kept_sealed_and_for_their_user_alone() {
    let server = Server::start();
    let wanted = json!({ "name": "ci" });
    let first = create(&server, "/api-keys", "k", &wanted);
    assert_eq!(
        create(&server, "/api-keys", "k", &wanted),
        first,
        "the secret is shown again to who asked for it"
    );
    let secret = first.1["secret"].as_str().unwrap();
    for file in ["roadstead.db", "roadstead.db-wal"] {
        let bytes = std::fs::read(server.folder().join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{file}");
    }
    let new = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    let ann = server.client.create_user(&new).unwrap().id;
    let own = json!({ "username": "bob", "password": PASSWORD, "role": "observer" });
    assert_eq!(create(&server, "/users", "bob", &own).0, 201);
    let basic = roadstead_client::Credentials::Password { username: "ann".into(), password: PASSWORD.into() };
    let anns = roadstead_client::blocking::Client::new(&server.url, basic).unwrap();
    let key = anns.create_api_key("laptop").unwrap().secret;
    let (status, reply) = ask(&server.url, &key, "/api-keys", "k", &wanted).unwrap();
    assert_eq!(status, 201);
    assert_ne!(reply["secret"], first.1["secret"], "each user has keys of their own");
    server.client.delete_user(ann).unwrap();
}

#[test]
fn of_many_at_once_one_makes_it() {
    let server = Server::start();
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let answer = create(&server, "/keys", "same", &fleet("fleet"));
                answers.lock().unwrap().push(answer);
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    assert!(answers.iter().any(|(status, _)| *status == 201), "{answers:?}");
    for (status, reply) in &answers {
        let running = *status == 409 && reply["type"] == "running";
        assert!(running || *status == 201, "{status} {reply}");
    }
    assert_eq!(server.client.keys().unwrap().len(), 1);
}

#[test]
fn a_server_that_dies_makes_nothing_twice() {
    let mut server = Server::start();
    for round in 0..rounds(2, 20) {
        let names: Vec<_> = (0..40).map(|number| format!("key-{round}-{number}")).collect();
        let (url, api_key) = (server.url.clone(), server.api_key.clone());
        let asking: Vec<_> = names
            .chunks(10)
            .map(|names| {
                let (url, api_key, names) = (url.clone(), api_key.clone(), names.to_vec());
                std::thread::spawn(move || {
                    names
                        .iter()
                        .filter(|name| ask(&url, &api_key, "/keys", name, &fleet(name)).is_some())
                        .count()
                })
            })
            .collect();
        crate::support::wait_until("some are made", || server.client.keys().unwrap().len() > round * 40 + 3);
        server.kill_and_restart();
        let answered: usize = asking.into_iter().map(|thread| thread.join().unwrap()).sum();
        eprintln!("{answered} of 40 were answered before or after the crash");
        for name in &names {
            let (status, reply) = create(&server, "/keys", name, &fleet(name));
            assert_eq!((status, &reply["name"]), (201, &json!(name)), "{reply}");
        }
        let keys = server.client.keys().unwrap();
        assert_eq!(keys.len(), (round + 1) * 40, "each once");
    }
}
