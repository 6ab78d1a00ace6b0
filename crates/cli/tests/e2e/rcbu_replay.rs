//! What Rackspace's backup library asks while it tells its story (`clients`), asked again without it: the requests stand in
//! `rcbu_requests.json`, each with what the library reads of the answer.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::support::{Agent, Server, tree, wait_until};

const REQUESTS: &str = include_str!("rcbu_requests.json");

/// What stands in requests in place of what another run has: the words in capitals.
type Known = BTreeMap<String, Value>;

struct Client {
    url: String,
    token: String,
}

impl Client {
    fn sign_in(server: &Server) -> Self {
        let key = json!({ "username": "admin", "apiKey": server.api_key });
        let auth = json!({ "auth": { "RAX-KSKEY:apiKeyCredentials": key } });
        let client = Self { url: server.url.clone(), token: String::new() };
        let (status, answer) = client.ask("POST", "/v2.0/tokens", &auth);
        assert_eq!(status, 200, "{answer}");
        let access = &answer["access"];
        let offered = access["serviceCatalog"].as_array().unwrap();
        let backup = offered.iter().find(|service| service["type"] == "rax:backup").unwrap();
        let region = backup["endpoints"].as_array().unwrap().iter().find(|known| known["region"] == "DFW");
        // The library cuts the tenant off.
        let address = region.unwrap()["publicURL"].as_str().unwrap();
        let (url, _) = address.rsplit_once('/').unwrap();
        Self { url: url.to_owned(), token: access["token"]["id"].as_str().unwrap().to_owned() }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = request.header("x-auth-token", &self.token).header("content-type", "application/json");
        let request = request.header("user-agent", "python-cloudbackup-sdk");
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut response = agent.run(request.body(text.into_bytes()).unwrap()).unwrap();
        let (status, text) = (response.status().as_u16(), response.body_mut().read_to_string().unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// A body with what is known in it.
fn filled(body: &Value, known: &Known) -> Value {
    match body {
        Value::String(word) => known.get(word).unwrap_or(body).clone(),
        Value::Array(items) => items.iter().map(|item| filled(item, known)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), filled(value, known))).collect())
        }
        other => other.clone(),
    }
}

fn path(template: &str, known: &Known) -> String {
    let part = |part: &str| known.get(part).map_or_else(|| part.to_owned(), ToString::to_string);
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn matches(answer: &Value, wanted: &Value) -> bool {
    wanted.as_object().unwrap().iter().all(|(name, value)| answer[name] == *value)
}

fn replay(client: &Client, request: &Value, known: &mut Known) {
    let (method, path) =
        (request["method"].as_str().unwrap(), path(request["path"].as_str().unwrap(), known));
    let body = filled(&request["body"], known);
    let what = format!("{method} {path}");
    let mut last = client.ask(method, &path, &body);
    if !request["until"].is_null() {
        wait_until(&what, || {
            last = client.ask(method, &path, &body);
            matches(&last.1, &request["until"])
        });
    }
    let (status, answer) = last;
    assert_eq!(u64::from(status), request["status"].as_u64().unwrap(), "{what}: {answer}");
    let read = if request["list"] == true { &answer[0] } else { &answer };
    for need in request["needs"].as_array().into_iter().flatten() {
        assert!(read.get(need.as_str().unwrap()).is_some(), "{what}: {need} is missing in {read}");
    }
    if !request["is"].is_null() {
        assert!(matches(read, &request["is"]), "{what}: {read}");
    }
    for (word, field) in request["keep"].as_object().into_iter().flatten() {
        let field = field.as_str().unwrap();
        let value = if field.is_empty() { answer.clone() } else { answer[field].clone() };
        assert!(value.is_i64(), "{what}: {answer}");
        known.insert(word.clone(), value);
    }
}

#[test]
fn what_the_library_asks_is_answered_as_it_reads_it() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    tree::fill(&source, 4, 50_000);
    fs::create_dir(&target).unwrap();
    let mut known = Known::from([
        ("AGENT".to_owned(), json!(agent.id)),
        ("SOURCE".to_owned(), json!(source)),
        ("EXCLUDED".to_owned(), json!(source.join("noise-0"))),
        ("TARGET".to_owned(), json!(target)),
    ]);
    let client = Client::sign_in(&server);
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    for request in &requests {
        replay(&client, request, &mut known);
    }
    let restored = target.join(source.strip_prefix("/").unwrap());
    assert_eq!(fs::read_dir(restored).unwrap().count(), 3, "all but the excluded one");
}
