//! Who may what: users and their roles, the table of roles and endpoints, and the audit log that tells who did.

use std::fmt::Write;

use roadstead_api::{
    Permission,
    api_key::{ApiKeyCreate, NewApiKey},
    declarations,
    id::UserId,
    user::{NewUser, PasswordChange, Role, UserChange},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};
use ureq::http::StatusCode;

use crate::support::{Server, roadstead};

const PASSWORD: &str = "correct horse battery";

fn make(server: &Server, username: &str, role: Role) -> UserId {
    let new = NewUser { username: username.to_owned(), password: PASSWORD.to_owned(), role };
    server.client.create_user(&new).unwrap().id
}

fn sign_in(server: &Server, username: &str, password: &str) -> Client {
    let (username, password) = (username.to_owned(), password.to_owned());
    Client::new(&server.url, Credentials::Password { username, password }).unwrap()
}

fn status(server: &Server, method: &str, path: &str, key: &str) -> StatusCode {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    agent
        .run(request.header("authorization", format!("Bearer {key}")).body(b"{".as_slice()).unwrap())
        .unwrap()
        .status()
}

/// Every endpoint is tried in every role. The table says who gets past the door; what is behind it does not matter.
#[test]
fn the_table_of_roles_is_the_one_agreed_on() {
    let server = Server::start();
    let keys = [Role::Observer, Role::Creator, Role::Admin].map(|role| {
        let name = format!("an-{role:?}").to_lowercase();
        make(&server, &name, role);
        let own = sign_in(&server, &name, PASSWORD);
        own.call::<ApiKeyCreate>(&(), &(), &NewApiKey { name }).unwrap().secret
    });
    let mut table = String::from("endpoint                         nobody observer creator admin\n");
    let files: [(&str, &str, &str); 6] = [
        ("file_content", "GET", "/api/v1/backups/999/content?path=/x"),
        ("file_archive", "GET", "/api/v1/backups/999/archive?path=/x"),
        ("event_stream", "GET", "/api/v1/events"),
        ("metrics", "GET", "/metrics"),
        ("fleet_metrics", "GET", "/metrics/fleet"),
        ("machine_shell_open", "GET", "/api/v1/machines/999/shell"),
    ];
    let declared = declarations().into_iter().map(|d| {
        let path = format!("/api/v1{}", d.path.replace("{id}", "999").replace("{machine_id}", "999"));
        (d.name, format!("{:?}", d.method).to_uppercase(), path)
    });
    let others = files.map(|(name, method, path)| (name, method.to_owned(), path.to_owned()));
    for (name, method, path) in declared.chain(others) {
        let may = |key: &str| match status(&server, &method, &path, key) {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "-",
            status if status.is_server_error() => panic!("{name}: {status}"),
            _ => "yes",
        };
        let [observer, creator, admin] = keys.each_ref().map(|key| may(key));
        writeln!(table, "{name:32} {:6} {observer:8} {creator:7} {admin}", may("rdk_wrong")).unwrap();
    }
    let golden = include_str!("../golden/roles.txt");
    assert!(table == golden, "if it is meant, change golden/roles.txt to:\n{table}");
    let public = declarations().iter().filter(|d| d.permission == Permission::Public).count();
    assert_eq!(public, 2, "one more endpoint is open to anyone, beside enrolment and signing in");
}

#[test]
fn users_are_made_changed_and_deleted_and_an_admin_is_left() {
    let server = Server::start();
    let admin = &server.client;
    let ann = make(&server, "ann", Role::Observer);
    let taken = NewUser { username: "ann".to_owned(), password: PASSWORD.to_owned(), role: Role::Admin };
    assert_eq!(admin.create_user(&taken).unwrap_err().kind(), ErrorKind::Conflict);
    for (username, password) in
        [("", PASSWORD), ("a b", PASSWORD), ("bob", "short"), ("bob", &"x".repeat(1001))]
    {
        let new =
            NewUser { username: username.to_owned(), password: password.to_owned(), role: Role::Creator };
        assert_eq!(
            admin.create_user(&new).unwrap_err().kind(),
            ErrorKind::Invalid,
            "{username:?} {password:.20?}"
        );
    }

    let own = sign_in(&server, "ann", PASSWORD);
    assert_eq!(own.user().unwrap().role, Role::Observer);
    assert_eq!(own.users().unwrap_err().kind(), ErrorKind::Forbidden);
    let change = |current: &str, new: &str| {
        own.change_password(&PasswordChange { current: current.to_owned(), new: new.to_owned() })
    };
    assert_eq!(change("wrong", "another password").unwrap_err().kind(), ErrorKind::Forbidden);
    change(PASSWORD, "another password").unwrap();
    assert_eq!(own.user().unwrap_err().kind(), ErrorKind::Unauthorized);
    let key = sign_in(&server, "ann", "another password").create_api_key("laptop").unwrap();
    let keyed = Client::new(&server.url, Credentials::ApiKey(key.secret)).unwrap();
    assert_eq!(keyed.user().unwrap().id, ann);

    let own_id = admin.user().unwrap().id;
    let demoted = UserChange { role: Some(Role::Observer), password: None };
    assert_eq!(admin.update_user(own_id, &demoted).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(admin.delete_user(own_id).unwrap_err().kind(), ErrorKind::Conflict);
    let promoted = UserChange { role: Some(Role::Admin), password: None };
    assert_eq!(admin.update_user(ann, &promoted).unwrap().role, Role::Admin);
    assert_eq!(keyed.users().unwrap().len(), 2);
    admin.delete_user(ann).unwrap();
    assert_eq!(keyed.user().unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(admin.get_user(ann).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn guessing_at_a_password_is_stopped() {
    let server = Server::start();
    make(&server, "ann", Role::Observer);
    let guess = sign_in(&server, "ann", "a wrong password");
    let refusals: Vec<_> = (0..12).map(|_| guess.user().unwrap_err()).collect();
    assert!(refusals[..10].iter().all(|error| error.kind() == ErrorKind::Unauthorized), "{refusals:?}");
    assert!(refusals[10..].iter().all(|error| error.to_string().contains("Too many")), "{refusals:?}");
    assert!(sign_in(&server, "ann", PASSWORD).user().is_err(), "the right one waits, too");
    assert!(server.client.user().is_ok(), "API keys do not");
}

#[test]
fn the_operator_resets_a_forgotten_password() {
    let server = Server::start();
    make(&server, "ann", Role::Observer);
    let reset = |username: &str| {
        let mut command = roadstead();
        command.args(["server", "reset-password", username, "-o", "json", "--data-dir"]).arg(server.folder());
        server.on_its_database(&mut command).output().unwrap()
    };
    let output = reset("ann");
    assert!(output.status.success(), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(sign_in(&server, "ann", PASSWORD).user().is_err());
    assert!(sign_in(&server, "ann", told["password"].as_str().unwrap()).user().is_ok());
    let output = reset("nobody");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(server.client.verify_audit().unwrap().broken_at, None);
}

#[test]
fn every_change_is_in_the_audit_log_and_the_log_cannot_be_edited() {
    let mut server = Server::start();
    let ann = make(&server, "ann", Role::Creator);
    let own = sign_in(&server, "ann", PASSWORD);
    let key = own.create_api_key("laptop").unwrap();
    own.delete_api_key(key.id).unwrap();
    assert!(own.delete_user(ann).is_err(), "what is refused changes nothing");
    server.client.delete_user(ann).unwrap();
    let told: Vec<_> = server
        .client
        .audit()
        .unwrap()
        .into_iter()
        .rev()
        .map(|entry| (entry.actor, entry.action, entry.target))
        .collect();
    let entry =
        |actor: &str, action: &str, target: &str| (actor.to_owned(), action.to_owned(), target.to_owned());
    assert_eq!(
        told,
        [
            entry("user admin", "user_create", &ann.to_string()),
            entry("user ann", "api_key_create", &key.id.to_string()),
            entry("user ann", "api_key_delete", &key.id.to_string()),
            entry("user admin", "user_delete", &ann.to_string()),
        ]
    );
    let check = server.client.verify_audit().unwrap();
    assert_eq!((check.entries, check.broken_at), (4, None));
    server.kill_and_restart();
    assert_eq!(server.client.verify_audit().unwrap().entries, 4);
}
