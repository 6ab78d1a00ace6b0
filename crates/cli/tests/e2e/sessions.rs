//! Browsers that are signed in: the cookie, from where it may be used, and what ends it.

use roadstead_api::{
    session::{COOKIE, Session},
    user::{NewUser, PasswordChange, Role, UserChange},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};
use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};

use crate::support::{Server, roadstead};

const PASSWORD: &str = "correct horse battery";

/// A browser: what it sends is on it to say.
struct Browser<'a> {
    server: &'a Server,
    cookie: String,
    origin: Option<String>,
}

impl<'a> Browser<'a> {
    /// A browser without a cookie, on a page of the server.
    fn open(server: &'a Server) -> Self {
        Self { server, cookie: String::new(), origin: Some(server.url.clone()) }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Response<ureq::Body> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder().method(method);
        let mut request =
            request.uri(format!("{}/api/v1{path}", self.server.url)).header("user-agent", "a browser");
        if !self.cookie.is_empty() {
            request = request.header("cookie", format!("theme=dark; {}", self.cookie));
        }
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        agent.run(request.body(body.to_string()).unwrap()).unwrap()
    }

    fn status(&self, method: &str, path: &str, body: &Value) -> u16 {
        self.ask(method, path, body).status().as_u16()
    }

    fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let text = self.ask("GET", path, &Value::Null).body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"))
    }

    /// Signs in, and returns what the answer sets.
    fn sign_in(&mut self, username: &str, password: &str) -> String {
        let mut answer =
            self.ask("POST", "/sessions", &json!({ "username": username, "password": password }));
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.body_mut().read_to_string().unwrap());
        let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        self.cookie = set.split(';').next().unwrap().to_owned();
        set
    }
}

fn ann(server: &Server) -> roadstead_api::id::UserId {
    let new = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&new).unwrap().id
}

fn client(server: &Server, password: &str) -> Client {
    let (username, password) = ("ann".to_owned(), password.to_owned());
    Client::new(&server.url, Credentials::Password { username, password }).unwrap()
}

#[test]
fn a_browser_signs_in_looks_around_and_signs_out() {
    let server = Server::start();
    ann(&server);
    let mut browser = Browser::open(&server);
    assert_eq!(browser.status("GET", "/users/me", &Value::Null), 401);
    let wrong = browser.ask("POST", "/sessions", &json!({ "username": "ann", "password": "wrong" }));
    assert_eq!((wrong.status().as_u16(), wrong.headers().get("set-cookie")), (401, None));
    let set = browser.sign_in("ann", PASSWORD);
    assert!(set.starts_with(&format!("{COOKIE}=rds_")), "{set}");
    for word in ["; Path=/;", "; HttpOnly;", "; SameSite=Strict", "; Max-Age=2592000;"] {
        assert!(set.contains(word), "{word} in {set}");
    }
    assert!(!set.contains("Secure"), "the server speaks plain HTTP: {set}");
    let me: Value = browser.read("/users/me");
    assert_eq!(me["username"], "ann");
    let current: Session = browser.read("/sessions/current");
    assert!(
        current.current && current.user_agent == "a browser" && current.source == "127.0.0.1",
        "{current:?}"
    );
    assert_eq!(browser.status("POST", "/keys", &json!({ "name": "k", "generate": "ed25519" })), 201);
    assert_eq!(browser.status("GET", "/users", &Value::Null), 403, "a cookie gives no more than the role");

    let secret = browser.cookie.split_once('=').unwrap().1;
    let log = server.log();
    assert!(!log.contains(secret) && !log.contains(PASSWORD));
    let file = std::fs::read(server.folder().join("roadstead.db")).unwrap_or_default();
    assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "secrets are stored hashed");
    let bearer = Client::new(&server.url, Credentials::ApiKey(secret.to_owned())).unwrap();
    assert_eq!(bearer.user().unwrap_err().kind(), ErrorKind::Unauthorized, "a cookie is no API key");

    let out = browser.ask("DELETE", "/sessions/current", &Value::Null);
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.status("GET", "/users/me", &Value::Null), 401);
    let actions: Vec<_> = server.client.audit().unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["session_delete_current", "key_create", "session_create", "user_create"]);
    let own = server.client.call::<roadstead_api::session::SessionShowCurrent>(&(), &(), &()).unwrap_err();
    assert_eq!(own.kind(), ErrorKind::NotFound, "an API key has no session");
}

#[test]
fn pages_of_other_servers_ride_on_no_cookie() {
    let server = Server::start();
    ann(&server);
    let mut browser = Browser::open(&server);
    browser.sign_in("ann", PASSWORD);
    let key = |name: &str| json!({ "name": name, "generate": "ed25519" });
    let port = server.url.rsplit_once(':').unwrap().1.to_owned();
    for origin in [
        None,
        Some("null".to_owned()),
        Some("https://evil.example".to_owned()),
        Some("http://127.0.0.1:1".to_owned()),
        Some(format!("https://127.0.0.1:{port}")),
        Some(format!("http://127.0.0.1.evil.example:{port}")),
    ] {
        browser.origin.clone_from(&origin);
        assert_eq!(browser.status("POST", "/keys", &key("foreign")), 403, "{origin:?}");
        assert_eq!(browser.status("DELETE", "/sessions/current", &Value::Null), 403, "{origin:?}");
        assert_eq!(browser.status("GET", "/users/me", &Value::Null), 200, "reading changes nothing");
    }
    browser.origin = Some("https://evil.example".to_owned());
    let body = json!({ "username": "ann", "password": PASSWORD });
    assert_eq!(browser.status("POST", "/sessions", &body), 403, "nobody is signed in by another page");
    browser.origin = Some(format!("http://localhost:{port}"));
    assert_eq!(browser.status("POST", "/keys", &key("own")), 201, "another name of this machine");
    let names: Vec<_> = server.client.keys().unwrap().iter().map(|key| key.name.clone()).collect();
    assert_eq!(names, ["own"]);
}

#[test]
fn sessions_are_listed_and_ended_and_other_users_have_their_own() {
    let server = Server::start();
    ann(&server);
    let mut browsers = [Browser::open(&server), Browser::open(&server)];
    for browser in &mut browsers {
        browser.sign_in("ann", PASSWORD);
    }
    let own = client(&server, PASSWORD);
    let sessions = own.sessions().unwrap();
    assert_eq!(sessions.len(), 2);
    assert!(server.client.sessions().unwrap().is_empty());
    assert_eq!(server.client.end_session(sessions[0].id).unwrap_err().kind(), ErrorKind::NotFound);
    let listed: Value = browsers[1].read("/sessions");
    let current: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [false, true]);
    own.end_session(sessions[0].id).unwrap();
    assert_eq!(browsers[0].status("GET", "/users/me", &Value::Null), 401);
    assert_eq!(browsers[1].status("GET", "/users/me", &Value::Null), 200);
    let key = own.create_api_key("cli").unwrap();
    let mut command = roadstead();
    command
        .args(["sessions", "list", "-o", "json", "--url", &server.url])
        .env("ROADSTEAD_API_KEY", key.secret);
    let listed: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(listed["items"][0]["id"], json!(sessions[1].id));
}

#[test]
fn a_new_password_signs_other_browsers_out_and_a_deleted_user_all() {
    let server = Server::start();
    let id = ann(&server);
    let mut browsers = [Browser::open(&server), Browser::open(&server)];
    let alive =
        |browsers: &[Browser; 2]| browsers.each_ref().map(|b| b.status("GET", "/users/me", &Value::Null));
    let [first, second] = &mut browsers;
    first.sign_in("ann", PASSWORD);
    second.sign_in("ann", PASSWORD);
    let change = json!({ "current": PASSWORD, "new": "another password" });
    assert_eq!(first.status("POST", "/users/me/password", &change), 204);
    assert_eq!(alive(&browsers), [200, 401], "who changed it stays");
    browsers[1].sign_in("ann", "another password");
    let new = UserChange { password: Some("a third password".into()), role: None };
    server.client.update_user(id, &new).unwrap();
    assert_eq!(alive(&browsers), [401, 401]);
    browsers[0].sign_in("ann", "a third password");
    let output = server
        .on_its_database(
            roadstead().args(["server", "reset-password", "ann", "--data-dir"]).arg(server.folder()),
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(alive(&browsers), [401, 401]);
    server.client.update_user(id, &UserChange { password: Some(PASSWORD.into()), role: None }).unwrap();
    browsers[0].sign_in("ann", PASSWORD);
    server.client.delete_user(id).unwrap();
    assert_eq!(alive(&browsers), [401, 401]);
}

#[test]
fn guesses_are_counted_by_name_and_by_network_and_told_when_to_come_back() {
    let server = Server::start();
    ann(&server);
    let browser = Browser::open(&server);
    let guess = |name: &str| {
        browser.ask("POST", "/sessions", &json!({ "username": name, "password": "a wrong password" }))
    };
    for _ in 0..10 {
        assert_eq!(guess("ann").status(), 401);
    }
    let refused = guess("ann");
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let mut allowed = 10;
    while guess(&format!("user {allowed}")).status() == 401 {
        allowed += 1;
        assert!(allowed < 1000, "one network may guess for ever");
    }
    assert_eq!(allowed, 50, "tries of one network in a minute");
    let refused = client(&server, PASSWORD).user().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Limited, "Basic is the same door: {refused}");
    assert!(server.client.user().is_ok(), "API keys are not guessed at");
}

#[test]
fn the_old_password_is_not_guessed_at_from_within() {
    let server = Server::start();
    ann(&server);
    let key = client(&server, PASSWORD).create_api_key("k").unwrap();
    let own = Client::new(&server.url, Credentials::ApiKey(key.secret)).unwrap();
    let change = |current: &str| {
        own.change_password(&PasswordChange { current: current.into(), new: "another password".into() })
    };
    for _ in 0..10 {
        assert_eq!(change("a wrong password").unwrap_err().kind(), ErrorKind::Forbidden);
    }
    assert_eq!(change(PASSWORD).unwrap_err().kind(), ErrorKind::Limited);
}
