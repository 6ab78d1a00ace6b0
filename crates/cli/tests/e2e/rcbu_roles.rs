//! Who may what in the RCBU facade: each operation in each role, as the service had it.

use std::fmt::Write;

use roadstead_api::user::{NewUser, Role};
use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::support::{Agent, Server, tree};

const PASSWORD: &str = "correct horse battery";

fn send(server: &Server, method: &str, path: &str, token: &str, body: &Value) -> (StatusCode, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    let request = request.header("content-type", "application/json").header("x-auth-token", token);
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = agent.run(request.body(text.into_bytes()).unwrap()).unwrap();
    (response.status(), response.body_mut().read_to_string().unwrap_or_default())
}

/// A new user of this role, signed in.
fn token(server: &Server, role: Role) -> String {
    let username = format!("an-{role:?}").to_lowercase();
    let new = NewUser { username: username.clone(), password: PASSWORD.to_owned(), role };
    server.client.create_user(&new).unwrap();
    let auth = json!({ "auth": { "passwordCredentials": { "username": username, "password": PASSWORD } } });
    let (status, text) = send(server, "POST", "/v2.0/tokens", "", &auth);
    assert_eq!(status, 200, "{text}");
    let access: Value = serde_json::from_str(&text).unwrap();
    access["access"]["token"]["id"].as_str().unwrap().to_owned()
}

/// The numbers of what there is.
struct Ids {
    agent: i64,
    configuration: i64,
    backup: i64,
    restore: i64,
}

/// Every operation, with its name, its path and a body that would do. What takes something away comes last.
fn operations(ids: &Ids) -> Vec<(&'static str, &'static str, String, Value)> {
    let Ids { agent, configuration, backup, restore } = ids;
    let none = Value::Null;
    let enable =
        json!({ "MachineAgentId": agent, "Enable": true, "UseServiceNet": false, "LoggingLevelId": 4 });
    let passwords = json!({
        "MachineAgentId": agent, "EncryptedPasswordHex": "00", "OldEncryptedPasswordHex": "00",
        "NewEncryptedPasswordHex": "00",
    });
    // To an agent that there is not: what stands against a migration is a 403, too.
    let migrate = json!({ "SourceMachineAgentId": agent, "DestinationMachineAgentId": 999 });
    let new = json!({
        "BackupConfigurationName": "n", "MachineAgentId": agent, "Frequency": "Manually",
        "Inclusions": [{ "FilePath": "/etc", "FileItemType": "Folder" }],
    });
    let aside = json!({ "RestoreId": restore, "BackupId": backup, "DestinationPath": "/tmp/x" });
    let file = json!({ "ParentId": restore, "FilePath": "/etc", "Filter": 1 });
    let stop = |id: &i64| json!({ "Action": "StopManual", "Id": id });
    let rename = json!({ "BackupConfigurationName": "other" });
    vec![
        ("GET", "/agent/ID", format!("agent/{agent}"), none.clone()),
        (
            "GET",
            "/agent/server/ID",
            format!("agent/server/00000000-0000-4000-8000-{agent:012x}"),
            none.clone(),
        ),
        ("GET", "/agent/configuration/ID", format!("agent/configuration/{agent}"), none.clone()),
        ("GET", "/agent/events/ID", format!("agent/events/{agent}"), none.clone()),
        ("GET", "/agent/logging/ID", format!("agent/logging/{agent}"), none.clone()),
        ("GET", "/agent/logfiles/ID", format!("agent/logfiles/{agent}"), none.clone()),
        ("POST", "/agent/requestlog/ID", format!("agent/requestlog/{agent}"), none.clone()),
        ("POST", "/agent/ID", format!("agent/{agent}"), enable.clone()),
        ("POST", "/agent/enable", "agent/enable".into(), enable.clone()),
        ("PUT", "/agent/logging", "agent/logging".into(), enable.clone()),
        ("GET", "/user/agents", "user/agents".into(), none.clone()),
        ("POST", "/user/wakeupagents", "user/wakeupagents".into(), none.clone()),
        ("GET", "/backup-configuration", "backup-configuration".into(), none.clone()),
        ("GET", "/backup-configuration/ID", format!("backup-configuration/{configuration}"), none.clone()),
        (
            "GET",
            "/backup-configuration/system/ID",
            format!("backup-configuration/system/{agent}"),
            none.clone(),
        ),
        ("POST", "/backup-configuration", "backup-configuration".into(), new),
        ("PUT", "/backup-configuration/ID", format!("backup-configuration/{configuration}"), rename),
        (
            "POST",
            "/backup-configuration/enable/ID",
            format!("backup-configuration/enable/{configuration}"),
            enable,
        ),
        ("GET", "/backup/ID", format!("backup/{backup}"), none.clone()),
        ("GET", "/backup/report/ID", format!("backup/report/{backup}"), none.clone()),
        ("GET", "/backup/completed/ID", format!("backup/completed/{configuration}"), none.clone()),
        ("GET", "/backup/availableforrestore", "backup/availableforrestore".into(), none.clone()),
        ("POST", "/backup/action-requested", "backup/action-requested".into(), stop(backup)),
        ("GET", "/restore/ID", format!("restore/{restore}"), none.clone()),
        ("GET", "/restore/report/ID", format!("restore/report/{restore}"), none.clone()),
        ("GET", "/restore/files/ID", format!("restore/files/{restore}"), none.clone()),
        ("PUT", "/restore", "restore".into(), aside.clone()),
        ("POST", "/restore", "restore".into(), aside),
        ("PUT", "/restore/files", "restore/files".into(), file),
        ("POST", "/restore/action-requested", "restore/action-requested".into(), stop(restore)),
        ("GET", "/activity", "activity".into(), none.clone()),
        ("GET", "/system/activity/ID", format!("system/activity/{agent}"), none.clone()),
        ("GET", "/cleanup/report/ID", "cleanup/report/999".into(), none.clone()),
        ("PUT", "/agent/migratevault", "agent/migratevault".into(), migrate),
        ("POST", "/agent/encrypt", "agent/encrypt".into(), passwords.clone()),
        ("POST", "/agent/changeencryption", "agent/changeencryption".into(), passwords.clone()),
        ("DELETE", "/restore/files/ID", format!("restore/files/{restore}"), none.clone()),
        ("DELETE", "/backup-configuration/ID", format!("backup-configuration/{configuration}"), none),
        ("POST", "/agent/delete", "agent/delete".into(), passwords),
    ]
}

#[test]
fn the_table_of_roles_is_the_one_of_the_service() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 1000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    // What is asked of the agent fails; by whom is looked at before.
    assert!(agent.end());
    let tokens = [Role::Observer, Role::Creator, Role::Admin].map(|role| token(&server, role));
    let made = json!({ "BackupId": backup, "DestinationPath": "/tmp/x" });
    let (status, restore) = send(&server, "PUT", "/v1.0/restore", &tokens[2], &made);
    assert_eq!(status, 200, "{restore}");
    let restore = serde_json::from_str::<Value>(&restore).unwrap()["RestoreId"].as_i64().unwrap();
    let ids = Ids { agent: agent.id.0, configuration: configuration.0, backup: backup.0, restore };
    let operations = operations(&ids);
    let column = |token: &str| -> Vec<&str> {
        let may = |(method, _, path, body): &(&str, &str, String, Value)| {
            let (status, said) = send(&server, method, &format!("/v1.0/{path}"), token, body);
            match status.as_u16() {
                401 | 403 => "-",
                // The agent is away.
                status if status < 500 || status == 503 => "yes",
                status => panic!("{method} {path}: {status} {said}"),
            }
        };
        operations.iter().map(may).collect()
    };
    let nobody = column("wrong");
    let [observer, creator, admin] = tokens.each_ref().map(|token| column(token));
    let mut table = String::from("operation                            nobody observer creator admin\n");
    for (row, (method, name, ..)) in operations.iter().enumerate() {
        let name = format!("{method} {name}");
        let (nobody, observer, creator, admin) = (nobody[row], observer[row], creator[row], admin[row]);
        writeln!(table, "{name:36} {nobody:6} {observer:8} {creator:7} {admin}").unwrap();
    }
    let golden = include_str!("../golden/roles-rcbu.txt");
    assert!(table == golden, "if it is meant, change golden/roles-rcbu.txt to:\n{table}");
}
