//! Bad input: each gets a clear error, none a panic, and nothing is lost.

use roadstead_api::{Method, Problem, declarations};
use serde_json::{Map, Value, json};
use ureq::http::StatusCode;

use crate::support::{Agent, Server, agent::enroll_with, roadstead, tree};

fn ask(server: &Server, method: &str, path: &str, body: &[u8]) -> (StatusCode, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    let request = request.header("authorization", format!("Bearer {}", server.api_key));
    match agent.run(request.header("content-type", "application/json").body(body).unwrap()) {
        Ok(mut response) => (response.status(), response.body_mut().read_to_string().unwrap_or_default()),
        // A server that refuses a body before it has read all of it may close the connection under the sender.
        Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, String::new()),
    }
}

fn assert_problem((status, body): (StatusCode, String), wanted: u16, what: &str) {
    let problem: Problem = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{what}: {status} {body}"));
    assert_eq!((status.as_u16(), problem.status), (wanted, wanted), "{what}: {body}");
    assert!(!problem.detail.is_empty() && !problem.kind.is_empty(), "{what}: {body}");
}

#[test]
fn every_endpoint_answers_bad_input_with_a_problem() {
    let server = Server::start();
    for declaration in declarations() {
        let method = format!("{:?}", declaration.method).to_uppercase();
        let at =
            |id: &str| format!("/api/v1{}", declaration.path.replace("{id}", id).replace("{machine_id}", id));
        if declaration.path.contains("{id}") {
            // Where a body is needed, it is looked at after the id; an empty object may already be refused.
            for id in [
                "999999",
                "-1",
                "",
                "null",
                "1.5",
                "0x10",
                "9223372036854775808",
                "abc",
                "%00",
                "%ff%fe",
                "%20",
                "..%2f..",
                &"9".repeat(40),
                &"x".repeat(3000),
            ] {
                let (status, body) = ask(&server, &method, &at(id), b"{}");
                assert!(status.is_client_error(), "{} {id}: {status} {body}", declaration.name);
                serde_json::from_str::<Problem>(&body).unwrap();
            }
        }
        if declaration.body.is_some() {
            let malformed: [&[u8]; 9] = [
                b"",
                b"{",
                b"[]",
                b"null",
                b"\"x\"",
                b"\xff\xfe",
                b"{\"unknown_field\": 1}",
                b"{} {}",
                &[b'['; 5000],
            ];
            for body in malformed {
                let what = format!("{} {:?}", declaration.name, String::from_utf8_lossy(body));
                assert_problem(ask(&server, &method, &at("1"), body), 400, &what);
            }
            let (status, _) = ask(&server, &method, &at("1"), &vec![b' '; 3 << 20]);
            assert_eq!(status, 413, "{}", declaration.name);
        }
        if declaration.method == Method::Get && declaration.query.is_some() {
            for query in
                ["limit=0", "limit=1001", "limit=-1", "limit=x", "cursor=%00%ff", "limit=99999999999999"]
            {
                // A vault's cursor is any text; what there is not simply ends the list.
                let (status, body) = ask(&server, "GET", &format!("{}?{query}", at("1")), b"");
                assert!(
                    status.is_client_error() || query.starts_with("cursor"),
                    "{}: {status} {body}",
                    declaration.name
                );
                assert!(!status.is_server_error(), "{}: {status} {body}", declaration.name);
            }
        }
    }
    assert_problem(ask(&server, "GET", "/api/v1/nothing", b""), 404, "no such path");
    assert_problem(ask(&server, "PUT", "/api/v1/agents", b""), 405, "no such method");
    assert_eq!(ask(&server, "GET", "/healthz", b"").0, 200);
}

/// The fields of a body, each with what has to stand beside it: the word that says which of several forms it is.
fn fields(schema: &Value) -> Vec<(Map<String, Value>, String)> {
    let forms = schema["oneOf"].as_array().map_or_else(|| vec![schema], |forms| forms.iter().collect());
    let mut found = Vec::new();
    for form in forms {
        let properties = form["properties"].as_object().unwrap();
        let fixed = properties.iter().filter_map(|(name, of)| Some((name.clone(), of.get("const")?.clone())));
        let fixed: Map<String, Value> = fixed.collect();
        found.extend(properties.keys().map(|name| (fixed.clone(), name.clone())));
    }
    found
}

/// Each field of each body with values of every kind, by itself: none of it makes the server fail.
#[test]
fn fields_of_the_wrong_kind_are_the_caller_s_fault() {
    let server = Server::start();
    let document = roadstead_api::openapi::document();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(1e308),
        json!(""),
        json!("a\u{0}b"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[]]),
        json!({}),
        json!({ "a": { "a": 1 } }),
    ];
    for declaration in declarations() {
        if declaration.body.is_none() {
            continue;
        }
        let method = format!("{:?}", declaration.method).to_uppercase();
        let operation = &document["paths"][format!("/api/v1{}", declaration.path)][method.to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let name = schema.as_str().and_then(|reference| reference.rsplit('/').next()).unwrap();
        let schema = &document["components"]["schemas"][name];
        let path = format!("/api/v1{}", declaration.path.replace("{id}", "1").replace("{machine_id}", "1"));
        for (sent, field) in fields(schema) {
            for value in &values {
                let mut sent = sent.clone();
                sent.insert(field.clone(), value.clone());
                let sent = Value::Object(sent);
                let (status, said) = ask(&server, &method, &path, sent.to_string().as_bytes());
                // An empty change, or one that null stands for, may be fine.
                assert!(!status.is_server_error(), "{} {sent:.200}: {status} {said}", declaration.name);
            }
        }
    }
    assert_eq!(ask(&server, "GET", "/healthz", b"").0, 200);
}

/// Each parameter of each query with texts of every kind, where there is something to ask for.
#[test]
fn parameters_of_queries_are_no_reason_to_fail() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);
    let document = roadstead_api::openapi::document();
    let (digits, long) = ("9".repeat(40), "x".repeat(3000));
    let values = [
        "",
        "-1",
        "0",
        "x",
        "null",
        "true",
        "1.5",
        "1e308",
        "%00",
        "%ff%fe",
        "%",
        "%E2%98%82",
        "..%2f..",
        &digits,
        &long,
    ];
    // The stream of events does not end, and its one parameter is looked at by a test of its own.
    let asked = declarations().into_iter().filter(|d| d.method == Method::Get && d.path != "/events");
    for declaration in asked {
        let operation = &document["paths"][format!("/api/v1{}", declaration.path)]["get"];
        let parameters = operation["parameters"].as_array().map_or([].as_slice(), Vec::as_slice);
        let id =
            if declaration.path.starts_with("/vaults") { agent.vault.to_string() } else { "1".to_owned() };
        let path = declaration.path.replace("{id}", &id);
        for name in parameters.iter().filter(|of| of["in"] == "query").map(|of| of["name"].as_str().unwrap())
        {
            for value in values {
                let asked = format!("/api/v1{path}?{name}={value}");
                let (status, said) = ask(&server, "GET", &asked, b"");
                assert!(!status.is_server_error(), "{asked:.200}: {status} {said}");
                if status.is_client_error() {
                    assert_problem((status, said), status.as_u16(), &asked);
                }
            }
        }
    }
    for file in ["content", "archive"] {
        for value in values {
            let (status, said) = ask(&server, "GET", &format!("/api/v1/backups/1/{file}?path={value}"), b"");
            assert!(status.is_client_error(), "{file} {value:.50}: {status} {said}");
        }
    }
}

#[test]
fn configurations_are_looked_at_closely() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let create = |name: &str, inclusion: &str, exclusion: &str| {
        let body = serde_json::json!({
            "name": name, "agent_id": agent.id, "inclusions": [inclusion], "exclusions": [exclusion],
        });
        ask(&server, "POST", "/api/v1/backup-configurations", body.to_string().as_bytes())
    };
    assert_eq!(create("fine ☂", "/etc", "*.tmp").0, 201);
    for (name, inclusion, exclusion) in [
        ("x".repeat(10_000).as_str(), "/etc", "*"),
        ("", "/etc", "*"),
        ("a\u{0}b", "/etc", "*"),
        ("n", "etc", "*"),
        ("n", "/etc/../root", "*"),
        ("n", "/..", "*"),
        ("n", "", "*"),
        ("n", "/a\u{0}b", "*"),
        ("n", "/etc", ""),
        ("n", "/etc", "../*"),
        ("n", &format!("/{}", "x".repeat(10_000)), "*"),
    ] {
        assert_problem(
            create(name, inclusion, exclusion),
            400,
            &format!("{name:.20} {inclusion:.20} {exclusion}"),
        );
    }
    let elsewhere = serde_json::json!({"name": "n", "agent_id": 999, "inclusions": ["/etc"]});
    let answer = ask(&server, "POST", "/api/v1/backup-configurations", elsewhere.to_string().as_bytes());
    assert_problem(answer, 404, "an agent that there is not");
}

#[test]
fn restores_of_what_cannot_be_are_refused() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let restore = |fields: serde_json::Value| {
        let mut body = serde_json::json!({"backup_id": backup});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        ask(&server, "POST", "/api/v1/restores", body.to_string().as_bytes())
    };
    assert_problem(restore(serde_json::json!({"path": "/tmp/../etc"})), 400, "..");
    assert_problem(restore(serde_json::json!({"path": "relative"})), 400, "relative");
    assert_problem(restore(serde_json::json!({"inclusions": ["a/../b"]})), 400, "pattern with ..");
    assert_problem(restore(serde_json::json!({"backup_id": 999})), 404, "no such backup");
    assert_problem(restore(serde_json::json!({"agent_id": 999})), 404, "no such agent");
    assert_problem(restore(serde_json::json!({"password": {"text": "x"}})), 400, "no encrypted password");
    let at = |path: &str| format!("/api/v1/backups/{backup}/{path}");
    assert_problem(ask(&server, "GET", &at("files?path=/nothing/here"), b""), 404, "no such folder");
    assert_problem(ask(&server, "GET", &at("files?path=/a/../b"), b""), 400, "..");
    assert_problem(ask(&server, "GET", &at("content?path=/nothing"), b""), 404, "no such file");
    assert_problem(ask(&server, "GET", &at("content"), b""), 400, "no path");
}

#[test]
fn enrolment_tokens_work_once_and_only_for_their_key() {
    let server = Server::start();
    let token = roadstead()
        .args(["agents", "token", "-o", "json"])
        .env("ROADSTEAD_URL", &server.url)
        .env("ROADSTEAD_API_KEY", &server.api_key)
        .output()
        .unwrap();
    let token: serde_json::Value = serde_json::from_slice(&token.stdout).unwrap();
    let token = token["token"].as_str().unwrap();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let enrolled = enroll_with(&server.url, token, first.path());
    assert!(enrolled.status.success(), "{enrolled:?}");
    let reused = enroll_with(&server.url, token, second.path());
    assert_eq!(reused.status.code(), Some(1), "{reused:?}");
    assert!(String::from_utf8_lossy(&reused.stderr).contains("agents token"), "{reused:?}");
    let again = enroll_with(&server.url, token, first.path());
    assert_eq!(again.status.code(), Some(1), "an enrolled folder stays as it is: {again:?}");
    for wrong in ["", "nonsense", "rse1..plain", "rse1.wrong.plain", "rse1.wrong.ca:00", &"x".repeat(5000)] {
        let refused = enroll_with(&server.url, wrong, second.path());
        assert!(matches!(refused.status.code(), Some(1 | 2)), "{wrong:.50}: {refused:?}");
        assert!(!refused.stderr.is_empty());
    }
    assert_eq!(server.client.agents().unwrap().len(), 1);
}
