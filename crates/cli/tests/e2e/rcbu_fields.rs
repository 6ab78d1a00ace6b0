//! Bad input to the RCBU facade: each field of each operation with values of every kind, and ids of every kind in the
//! paths. None of it makes the server fail, and each is told in a fault.

use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::support::{Agent, Server, tree};

fn send(server: &Server, method: &str, path: &str, token: &str, body: &[u8]) -> (StatusCode, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.url));
    let request = request.header("content-type", "application/json").header("x-auth-token", token);
    let mut response = agent.run(request.body(body).unwrap()).unwrap();
    (response.status(), response.body_mut().read_to_string().unwrap_or_default())
}

fn token(server: &Server) -> String {
    let key = json!({ "username": "admin", "apiKey": server.api_key });
    let auth = json!({ "auth": { "RAX-KSKEY:apiKeyCredentials": key } }).to_string();
    let (status, text) = send(server, "POST", "/v2.0/tokens", "", auth.as_bytes());
    assert_eq!(status, 200, "{text}");
    let access: Value = serde_json::from_str(&text).unwrap();
    access["access"]["token"]["id"].as_str().unwrap().to_owned()
}

/// Every operation with a body, with one that would do. What would take the stage away has an id that there is not.
fn operations(
    agent: i64,
    configuration: i64,
    backup: i64,
    restore: i64,
) -> Vec<(&'static str, String, Value)> {
    let whole = json!({
        "BackupConfigurationName": "n", "MachineAgentId": agent, "IsActive": true, "VersionRetention": 30,
        "MissedBackupActionId": 2, "Frequency": "Weekly", "StartTimeHour": 1, "StartTimeMinute": 30,
        "StartTimeAmPm": "PM", "DayOfWeekId": 5, "HourInterval": null, "TimeZoneId": "UTC",
        "NotifyRecipients": "a@example.org", "NotifySuccess": false, "NotifyFailure": true,
        "BackupPrescript": "", "BackupPostscript": "",
        "Inclusions": [{ "FilePath": "/etc", "FileItemType": "Folder" }], "Exclusions": [],
    });
    let destination = json!({
        "BackupId": backup, "BackupMachineId": agent, "DestinationMachineId": agent, "DestinationPath": "/tmp/x",
        "OverwriteFiles": false,
    });
    let mut update = destination.clone();
    update["RestoreId"] = json!(restore);
    vec![
        ("POST", "agent/enable".into(), json!({ "MachineAgentId": agent, "Enable": true })),
        ("POST", "agent/encrypt".into(), json!({ "MachineAgentId": 999, "EncryptedPasswordHex": "00" })),
        (
            "POST",
            "agent/changeencryption".into(),
            json!({ "MachineAgentId": 999, "OldEncryptedPasswordHex": "00", "NewEncryptedPasswordHex": "00" }),
        ),
        ("POST", "agent/delete".into(), json!({ "MachineAgentId": 999 })),
        (
            "PUT",
            "agent/migratevault".into(),
            json!({ "SourceMachineAgentId": 999, "DestinationMachineAgentId": agent }),
        ),
        ("POST", format!("agent/{agent}"), json!({ "BackupDataCenter": "DFW", "UseServiceNet": false })),
        ("PUT", "agent/logging".into(), json!({ "MachineAgentId": agent, "LoggingLevelId": 4 })),
        ("POST", "backup-configuration".into(), whole.clone()),
        ("PUT", format!("backup-configuration/{configuration}"), whole),
        ("POST", format!("backup-configuration/enable/{configuration}"), json!({ "Enable": true })),
        ("POST", "backup/action-requested".into(), json!({ "Action": "StopManual", "Id": backup })),
        ("PUT", "restore".into(), destination),
        ("POST", "restore".into(), update),
        ("PUT", "restore/files".into(), json!({ "ParentId": restore, "FilePath": "/etc", "Filter": 1 })),
        ("POST", "restore/action-requested".into(), json!({ "Action": "StopManual", "Id": restore })),
    ]
}

#[test]
fn no_field_of_the_facade_makes_the_server_fail() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 1000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let token = token(&server);
    let made = json!({ "BackupId": backup, "DestinationPath": "/tmp/x" }).to_string();
    let (status, restore) = send(&server, "PUT", "/v1.0/restore", &token, made.as_bytes());
    assert_eq!(status, 200, "{restore}");
    let restore: Value = serde_json::from_str(&restore).unwrap();
    let restore = restore["RestoreId"].as_i64().unwrap();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(1.5),
        json!(""),
        json!("-1"),
        json!("a\u{0}b"),
        json!("\u{feff}☂"),
        json!("x".repeat(10_000)),
        json!([]),
        json!([[null]]),
        json!([{ "FilePath": 1 }]),
        json!([{ "FilePathEncoded": "%%%" }]),
        json!({}),
        json!({ "a": { "a": 1 } }),
    ];
    let fine = |what: &str, (status, said): (StatusCode, String)| {
        assert!(!status.is_server_error(), "{what}: {status} {said}");
        if status.is_client_error() {
            let fault: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{what}: {said}"));
            assert!(
                fault["fault"]["message"].as_str().is_some_and(|text| !text.is_empty()),
                "{what}: {said}"
            );
        }
    };
    for (method, path, body) in operations(agent.id.0, configuration.0, backup.0, restore) {
        let path = format!("/v1.0/{path}");
        for field in body.as_object().unwrap().keys() {
            for value in &values {
                let mut body = body.clone();
                body[field] = value.clone();
                let answer = send(&server, method, &path, &token, body.to_string().as_bytes());
                fine(&format!("{method} {path} {field} {value:.100}"), answer);
            }
        }
        for malformed in [&b""[..], b"{", b"[]", b"null", b"\"x\"", b"\xff\xfe", &[b'['; 5000]] {
            fine(&format!("{method} {path}"), send(&server, method, &path, &token, malformed));
        }
    }
    assert!(server.client.get_agent(agent.id).is_ok());
}

#[test]
fn no_field_of_a_request_for_a_token_makes_the_server_fail() {
    let server = Server::start();
    let values = [
        json!(null),
        json!(-1),
        json!(1e308),
        json!(""),
        json!("a\u{0}b"),
        json!("a:b\r\nc ☂"),
        json!("x".repeat(10_000)),
        json!([]),
        json!({}),
    ];
    for (kind, fields) in [
        ("RAX-KSKEY:apiKeyCredentials", ["username", "apiKey"].as_slice()),
        ("passwordCredentials", &["username", "password"]),
        ("token", &["id"]),
    ] {
        for (field, value) in fields.iter().flat_map(|field| values.iter().map(move |value| (field, value))) {
            let mut given: Value = json!({ "username": "admin", "apiKey": "k", "password": "p", "id": "i" });
            given[field] = value.clone();
            let body = json!({ "auth": { kind: given, "tenantId": value } }).to_string();
            let (status, said) = send(&server, "POST", "/v2.0/tokens", "", body.as_bytes());
            assert!(status.is_client_error(), "{kind} {field} {value:.50}: {status} {said}");
        }
    }
    for malformed in [&b""[..], b"{", b"\xff\xfe", &[b'['; 5000], &[b' '; 100_000]] {
        assert_eq!(send(&server, "POST", "/v2.0/tokens", "", malformed).0, 400);
    }
    for name in ["%00", "%ff%fe", "x&name=y"] {
        let (status, said) = send(&server, "GET", &format!("/v2.0/users?name={name}"), "wrong", b"");
        assert!(status.is_client_error(), "{name}: {status} {said}");
    }
}

#[test]
fn no_id_in_a_path_of_the_facade_makes_the_server_fail() {
    let server = Server::start();
    let token = token(&server);
    let ids =
        ["999999", "-1", "null", "1.5", "0x10", "9223372036854775808", "%00", "%ff%fe", "%20", "..%2f.."];
    for path in [
        "agent/ID",
        "agent/server/ID",
        "agent/logging/ID",
        "agent/configuration/ID",
        "agent/events/ID",
        "agent/logfiles/ID",
        "agent/requestlog/ID",
        "backup-configuration/ID",
        "backup-configuration/system/ID",
        "backup/ID",
        "backup/completed/ID",
        "backup/report/ID",
        "restore/ID",
        "restore/files/ID",
        "restore/report/ID",
        "system/activity/ID",
        "cleanup/report/ID",
        "ID/user/agents",
    ] {
        for id in ids.into_iter().map(str::to_owned).chain(["9".repeat(40), "x".repeat(3000)]) {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let path = format!("/v1.0/{}", path.replace("ID", &id));
                let (status, said) = send(&server, method, &path, &token, b"{}");
                assert!(status.is_client_error(), "{method} {path:.100}: {status} {said:.200}");
            }
        }
    }
}
