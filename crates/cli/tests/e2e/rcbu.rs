//! The RCBU facade, from its contract: what the published clients send, and what they read of the answers.

use roadstead_api::run::RunState;
use serde_json::{Value, json};
use ureq::http::StatusCode;

use crate::support::{Agent, Server, tree, wait_until};

/// A client of the service, as far as HTTP goes.
struct Rcbu<'a> {
    server: &'a Server,
    token: String,
    tenant: String,
}

fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &Value) -> (StatusCode, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request =
        ureq::http::Request::builder().method(method).uri(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = agent.run(request.body(text.into_bytes()).unwrap()).unwrap();
    (response.status(), response.body_mut().read_to_string().unwrap())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

impl<'a> Rcbu<'a> {
    fn sign_in(server: &'a Server) -> Self {
        let auth = json!({ "auth": { "RAX-KSKEY:apiKeyCredentials": { "username": "admin", "apiKey": server.api_key } } });
        let (status, text) = send(&format!("{}/v2.0/tokens", server.url), "POST", &[], &auth);
        assert_eq!(status, 200, "{text}");
        let access = &parsed(&text)["access"];
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        Self { server, token: word(&access["token"]["id"]), tenant: word(&access["token"]["tenant"]["id"]) }
    }

    fn raw(&self, method: &str, path: &str, body: Value) -> (StatusCode, String) {
        let url = format!("{}/v1.0{path}", self.server.url);
        send(&url, method, &[("x-auth-token", &self.token)], &body)
    }

    /// A call that has to answer this status; its body, null where it is empty.
    fn call(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let (answered, text) = self.raw(method, path, body);
        assert_eq!(answered, status, "{method} {path}: {text}");
        if text.is_empty() { Value::Null } else { parsed(&text) }
    }

    /// A call whose body is a form.
    fn send_form(&self, method: &str, path: &str, form: &str) -> StatusCode {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1.0{path}", self.server.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-auth-token", &self.token);
        agent.run(request.body(form.to_owned()).unwrap()).unwrap().status()
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null, 200)
    }
}

fn assert_has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "{field} is missing in {value}");
    }
}

/// `/Date(1351118760000)/`
fn is_date(value: &Value) -> bool {
    let digits = value.as_str().and_then(|text| text.strip_prefix("/Date(")?.strip_suffix(")/"));
    digits.is_some_and(|digits| digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn configuration(agent: &Agent, path: &str) -> Value {
    json!({
        "BackupConfigurationName": "weekly", "MachineAgentId": agent.id, "IsActive": true, "VersionRetention": "30",
        "MissedBackupActionId": 2, "Frequency": "Weekly", "StartTimeHour": 0, "StartTimeMinute": 30,
        "StartTimeAmPm": "PM", "DayOfWeekId": 5, "HourInterval": null, "TimeZoneId": "Eastern Standard Time",
        "NotifyRecipients": "a@example.org", "NotifySuccess": "false", "NotifyFailure": true,
        "BackupPrescript": "", "BackupPostscript": null,
        "Inclusions": [{ "FilePath": path, "FileItemType": "Folder" }],
        "Exclusions": [{ "FilePath": format!("{path}/noise-[1]"), "FileItemType": "File" }],
    })
}

#[test]
fn identity_gives_tokens_and_a_catalog_that_every_client_understands() {
    let server = Server::start();
    let client = Rcbu::sign_in(&server);
    assert_eq!(client.token.len(), 32);
    let tokens = format!("{}/v2.0/tokens", server.url);
    let again = json!({ "auth": { "token": { "id": client.token }, "tenantId": client.tenant } });
    let (status, text) = send(&tokens, "POST", &[], &again);
    assert_eq!(status, 200, "{text}");
    let access = &parsed(&text)["access"];
    assert_eq!(access["token"]["id"], client.token);
    let expires = access["token"]["expires"].as_str().unwrap();
    assert!(expires.len() == 24 && expires.as_bytes()[19] == b'.' && expires.ends_with('Z'), "{expires}");
    let catalog = &access["serviceCatalog"][0];
    assert_eq!((&catalog["name"], &catalog["type"]), (&json!("cloudBackup"), &json!("rax:backup")));
    let endpoints = catalog["endpoints"].as_array().unwrap();
    let regions: Vec<_> = endpoints.iter().map(|endpoint| endpoint["region"].as_str().unwrap()).collect();
    assert_eq!(regions, ["DFW", "ORD", "IAD", "LON", "HKG", "SYD"]);
    let url = format!("{}/v1.0/{}", server.url, client.tenant);
    assert!(endpoints.iter().all(|endpoint| endpoint["publicURL"] == url));

    let password = server.admin()["password"].clone();
    let by_password =
        json!({ "auth": { "passwordCredentials": { "username": "admin", "password": password } } });
    assert_eq!(send(&tokens, "POST", &[], &by_password).0, 200);
    let wrong = json!({ "auth": { "passwordCredentials": { "username": "admin", "password": "wrong" } } });
    assert_eq!(send(&tokens, "POST", &[], &wrong).0, 401);
    for unparsable in [json!({}), json!([]), json!({ "auth": 3 })] {
        assert_eq!(send(&tokens, "POST", &[], &unparsable).0, 400, "{unparsable}");
    }
    let legacy = [("x-auth-user", "admin"), ("x-auth-key", server.api_key.as_str())];
    assert_eq!(send(&format!("{}/v1.0", server.url), "GET", &legacy, &Value::Null).0, 204);

    let (status, versions) = send(&format!("{}/", server.url), "GET", &[], &Value::Null);
    assert_eq!((status, &parsed(&versions)["versions"][0]["id"]), (StatusCode::OK, &json!("v1.0")));
    let page = send(&format!("{}/", server.url), "GET", &[("accept", "text/html,*/*")], &Value::Null).1;
    assert!(page.starts_with("<!doctype html>"));
    for path in ["/help/apihealth", "/help/health"] {
        assert_eq!(send(&format!("{}/v1.0{path}", server.url), "GET", &[], &Value::Null).0, 200);
    }
    for token in ["", "wrong"] {
        let url = format!("{}/v1.0/user/agents", server.url);
        assert_eq!(send(&url, "GET", &[("x-auth-token", token)], &Value::Null).0, 401);
    }
    assert_eq!(client.raw("GET", "/999999/user/agents", Value::Null).0, 403);
    // A token ends with the API key that it was given for.
    let key = server.client.create_api_key("short").unwrap();
    let auth =
        json!({ "auth": { "RAX-KSKEY:apiKeyCredentials": { "username": "admin", "apiKey": key.secret } } });
    let token = parsed(&send(&tokens, "POST", &[], &auth).1)["access"]["token"]["id"].clone();
    let look = || {
        send(&format!("{url}/user/agents"), "GET", &[("x-auth-token", token.as_str().unwrap())], &Value::Null)
            .0
    };
    assert_eq!(look(), 200);
    server.client.delete_api_key(key.id).unwrap();
    assert_eq!(look(), 401);
}

#[test]
fn agents_are_as_the_clients_read_them() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let client = Rcbu::sign_in(&server);
    let id = agent.id;
    // With and without tenant, slash and suffix.
    for path in [
        "/user/agents".to_owned(),
        format!("/{}/user/agents/", client.tenant),
        "/user/agents.json".to_owned(),
    ] {
        let agents = client.get(&path);
        assert_eq!(
            (agents.as_array().unwrap().len(), &agents[0]["Status"]),
            (1, &json!("Unknown")),
            "{path}"
        );
    }
    let known = client.get(&format!("/agent/{id}"));
    assert_has(
        &known,
        &[
            "MachineAgentId",
            "AgentVersion",
            "BackupVaultSize",
            "CleanupAllowed",
            "Datacenter",
            "IPAddress",
            "MachineName",
            "OperatingSystem",
            "OperatingSystemVersion",
            "IsEncrypted",
            "IsDisabled",
            "Status",
            "HostServerId",
        ],
    );
    assert_eq!((&known["Status"], &known["PublicKey"]["ExponentHex"]), (&json!("Online"), &json!(10001)));
    assert!(known["PublicKey"]["ModulusHex"].as_str().unwrap().len() >= 512);
    let host = known["HostServerId"].as_str().unwrap();
    assert_eq!(client.get(&format!("/agent/server/{host}"))["MachineAgentId"], json!(id));
    assert_eq!(client.get(&format!("/agent/events/{id}"))[0]["data"]["Event"], "Heartbeat");
    client.call("POST", "/user/wakeupagents", Value::Null, 200);
    client.call("POST", "/agent/enable", json!({ "MachineAgentId": id, "Enable": false }), 204);
    assert_eq!(client.get(&format!("/agent/{id}"))["IsDisabled"], true);
    client.call("POST", "/agent/enable", json!({ "MachineAgentId": id.to_string(), "Enable": "true" }), 204);
    client.call("GET", "/agent/999", Value::Null, 404);
    client.call("GET", "/agent/x", Value::Null, 404);
    for unknown in ["/", "/nothing", "/agent", "/backup-configuration/1/2/3"] {
        assert_eq!(client.raw("GET", unknown, Value::Null).0.as_u16() / 100, 4, "{unknown}");
    }
}

#[test]
fn agents_say_as_much_as_clients_ask_for() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let client = Rcbu::sign_in(&server);
    let id = agent.id;
    assert_eq!(client.get(&format!("/agent/logging/{id}")), "Info");
    client.call("PUT", "/agent/logging", json!({ "MachineAgentId": id, "LoggingLevelId": 5 }), 204);
    assert_eq!(client.get(&format!("/{}/agent/logging/{id}", client.tenant)), "Debug");
    // A client that spells it otherwise, and the form that the documentation shows.
    client.call("PUT", "/agent/logging", json!({ "MachineAgentId": id, "LoggingLevelid": 3 }), 204);
    assert_eq!(client.get(&format!("/agent/logging/{id}")), "Warn");
    let form = format!("MachineAgentId={id}&LoggingLevelId=4");
    assert_eq!(client.send_form("PUT", "/agent/logging", &form), 204);
    assert_eq!(client.get(&format!("/agent/logging/{id}")), "Info");
    client.call("PUT", "/agent/logging", json!({ "MachineAgentId": id, "LoggingLevelId": 8 }), 400);
    client.call("PUT", "/agent/logging", json!({ "MachineAgentId": 999, "LoggingLevelId": 3 }), 404);
    assert!(client.call("POST", &format!("/agent/requestlog/{id}"), Value::Null, 200).is_string());
    let files = client.get(&format!("/agent/logfiles/{id}"));
    assert_has(&files[0], &["DisplayName", "CurrentState", "FilePath"]);
    assert!(files[0]["FilePath"].as_str().unwrap().ends_with(&format!("/api/v1/agents/{id}/log")), "{files}");
    client.call("POST", "/agent/requestlog/999", Value::Null, 404);
}

#[test]
fn configurations_are_as_the_clients_read_them() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let client = Rcbu::sign_in(&server);
    let id = agent.id;
    let wanted = configuration(&agent, "/srv");
    let made = client.call("POST", "/backup-configuration/", wanted.clone(), 200);
    for (field, value) in wanted.as_object().unwrap() {
        // What was sent as text comes back as what it is; of lists the paths.
        match field.as_str() {
            "VersionRetention" => assert_eq!(made[field], 30),
            "NotifySuccess" => assert_eq!(made[field], false),
            "BackupPostscript" => assert_eq!(made[field], ""),
            "Inclusions" | "Exclusions" => {
                assert_eq!(
                    (&made[field][0]["FilePath"], &made[field][0]["FileItemType"]),
                    (&value[0]["FilePath"], &value[0]["FileItemType"])
                );
            }
            _ => assert_eq!(&made[field], value, "{field}"),
        }
    }
    assert_has(
        &made,
        &[
            "BackupConfigurationScheduleId",
            "EncryptionKey",
            "Flavor",
            "Datacenter",
            "LastRunBackupReportId",
            "LastRunTime",
            "MachineName",
            "IsDeleted",
            "IsEncrypted",
        ],
    );
    assert!(is_date(&made["NextScheduledRunTime"]), "{made}");
    let native = server.client.backup_configurations().unwrap().remove(0);
    assert_eq!(
        (native.schedule.to_string().as_str(), native.timezone.as_str()),
        ("weekly:fri@12:30", "America/New_York")
    );
    assert_eq!((native.exclusions[0].as_str(), native.retention.days), ("/srv/noise-\\[1]", Some(30)));
    refuses_wrong_configurations(&client, &wanted);

    let configuration = made["BackupConfigurationId"].as_i64().unwrap();
    let path = format!("/backup-configuration/{configuration}");
    client.call(
        "PUT",
        &path,
        json!({ "BackupConfigurationName": "other", "Frequency": "Manually", "StartTimeAmPm": "" }),
        200,
    );
    let changed = client.get(&path);
    assert_eq!(
        (&changed["BackupConfigurationName"], &changed["StartTimeAmPm"], &changed["NextScheduledRunTime"]),
        (&json!("other"), &json!(""), &Value::Null)
    );
    assert_eq!(changed["NotifyRecipients"], "a@example.org", "what a client leaves out stays");
    for field in ["Enable", "Enabled"] {
        let enable = |value| {
            client.call(
                "POST",
                &format!("/backup-configuration/enable/{configuration}"),
                json!({ field: value }),
                200,
            )
        };
        assert_eq!(enable(false)["IsActive"], false);
        assert_eq!(enable(true)["IsActive"], true);
    }
    assert_eq!(client.get(&format!("/backup-configuration/system/{id}")).as_array().unwrap().len(), 1);
    assert_eq!(client.get("/backup-configuration").as_array().unwrap().len(), 1);
    client.call("DELETE", &path, Value::Null, 200);
    assert_eq!(client.get(&path)["IsDeleted"], true);
    assert_eq!(client.get("/backup-configuration"), json!([]));
}

#[test]
fn a_configuration_that_is_made_inactive_is_never_active() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let client = Rcbu::sign_in(&server);
    let mut wanted = configuration(&agent, "/srv");
    wanted["IsActive"] = json!(false);
    let made = client.call("POST", "/backup-configuration", wanted, 200);
    assert_eq!((&made["IsActive"], &made["NextScheduledRunTime"]), (&json!(false), &Value::Null));
    assert_eq!(made["TimeZoneId"], "Eastern Standard Time", "as it was written");
    let audit = server.client.audit().unwrap();
    let of_configurations = audit.iter().filter(|entry| entry.action.starts_with("backup_configuration"));
    let actions: Vec<_> = of_configurations.map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["backup_configuration_create"]);
}

/// Spoils one field after the other.
fn refuses_wrong_configurations(client: &Rcbu, wanted: &Value) {
    for (field, wrong) in [
        ("MachineAgentId", json!(999)),
        ("MachineAgentId", json!({})),
        ("Frequency", json!("Monthly")),
        ("StartTimeHour", json!(25)),
        ("TimeZoneId", json!("Nowhere Standard Time")),
        ("Inclusions", json!("x")),
        ("Inclusions", json!([])),
        ("Exclusions", json!([{ "FilePath": "/elsewhere" }])),
        ("NotifySuccess", json!(3)),
        ("VersionRetention", json!(-1)),
        ("MissedBackupActionId", json!(7)),
        ("BackupConfigurationName", json!("")),
        ("IsActive", json!(3)),
    ] {
        let mut body = wanted.clone();
        body[field] = wrong;
        let (status, text) = client.raw("POST", "/backup-configuration", body);
        assert!(matches!(status.as_u16(), 400 | 404), "{field}: {status} {text}");
    }
    assert_eq!(
        client.get("/backup-configuration").as_array().unwrap().len(),
        1,
        "nothing was made by halves"
    );
    assert_eq!(client.raw("POST", "/backup-configuration", json!([1, 2])).0, 400);
}

#[test]
fn a_backup_and_a_restore_go_their_way_to_their_reports() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let client = Rcbu::sign_in(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let wanted = configuration(&agent, source.path().to_str().unwrap());
    let made = client.call("POST", "/backup-configuration", wanted, 200);
    let configuration = made["BackupConfigurationId"].as_i64().unwrap();
    let start = json!({ "Action": "StartManual", "Id": configuration });
    let backup = client.call("POST", "/backup/action-requested", start.clone(), 200).as_i64().unwrap();
    let state = || client.get(&format!("/backup/{backup}"));
    assert_has(
        &state(),
        &["Datacenter", "BackupDatacenter", "IsEncrypted", "EncryptionKey", "StateChangeTime", "MachineName"],
    );
    wait_until("the backup has ended", || state()["CurrentState"] == "Completed");
    let report = client.get(&format!("/backup/report/{backup}"));
    assert_eq!(
        (&report["FilesSearched"], &report["NumErrors"], &report["CanRestore"]),
        (&json!("3"), &json!(0), &json!(true))
    );
    assert_eq!(
        (&report["Reason"], &report["Diagnostics"], &report["State"]),
        (&json!("Success"), &json!("No errors"), &json!("Completed"))
    );
    assert_eq!(
        (&report["BytesSearched"], &report["ErrorList"], &report["SnapshotId"]),
        (&json!("293.0 KB"), &json!([]), &json!(backup))
    );
    assert!(is_date(&report["StartTime"]) && is_date(&report["CompletedTime"]), "{report}");
    assert_eq!(report["Duration"].as_str().unwrap().len(), 8);
    let completed = client.get(&format!("/backup/completed/{configuration}"));
    assert_eq!(
        (&completed[0]["BackupId"], &completed[0]["BytesSearched"]),
        (&json!(backup), &json!(300_000))
    );
    let available = client.get("/backup/availableforrestore");
    assert_eq!(
        (&available[0]["BackupConfigurationId"], &available[0]["PublicKeyHex"]),
        (&json!(configuration), &json!(10001))
    );
    assert_eq!(
        client.get(&format!("/backup-configuration/{configuration}"))["LastRunBackupReportId"],
        json!(backup)
    );
    client.call("GET", "/backup/report/999", Value::Null, 404);

    // PUT makes a restore, POST changes it.
    let target = tempfile::tempdir().unwrap();
    let restore = json!({
        "BackupId": backup, "BackupMachineId": agent.id, "DestinationMachineId": agent.id, "DestinationPath": "/tmp",
        "OverwriteFiles": false,
    });
    let made = client.call("PUT", "/restore", restore.clone(), 200);
    let id = made["RestoreId"].as_i64().unwrap();
    assert_eq!((&made["RestoreStateId"], &made["EncryptedPassword"]), (&json!(0), &Value::Null));
    assert_eq!(client.get("/activity")[0]["CurrentState"], "Creating");
    let mut changed = restore;
    changed["RestoreId"] = json!(id);
    changed["DestinationPath"] = json!(target.path());
    client.call("POST", "/restore", changed.clone(), 204);
    let file = source.path().join("noise-0");
    client.call(
        "PUT",
        "/restore/files",
        json!({ "ParentId": id.to_string(), "FilePath": file, "Filter": "1", "FileItemType": 0 }),
        200,
    );
    let files = client.get(&format!("/restore/files/{id}"));
    assert_eq!((&files[0]["FilePath"], &files[0]["Filter"]), (&json!(file), &json!(1)));
    client.call("GET", &format!("/restore/report/{id}"), Value::Null, 404);
    let start_restore = json!({ "Action": "StartManual", "Id": id, "EncryptedPassword": null });
    client.call("POST", "/restore/action-requested", start_restore, 204);
    wait_until("the restore has ended", || client.get(&format!("/restore/{id}"))["RestoreStateId"] == 3);
    let report = client.get(&format!("/restore/report/{id}"));
    assert_eq!(
        (&report["NumFilesRestored"], &report["NumErrors"], &report["Reason"]),
        (&json!("1"), &json!("0"), &json!("Success"))
    );
    assert_eq!(report["BackupReportId"], json!(backup));
    let restored = target.path().join(file.strip_prefix("/").unwrap());
    assert_eq!(std::fs::read(restored).unwrap(), std::fs::read(&file).unwrap());
    client.call("POST", "/restore", changed, 409);

    let activity = client.get(&format!("/system/activity/{}", agent.id));
    let kinds: Vec<_> = activity
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["Type"].as_str().unwrap(), row["ID"].as_i64().unwrap()))
        .collect();
    assert_eq!(kinds, [("Restore", id), ("Backup", backup)]);
    assert_has(
        &activity[0],
        &[
            "ParentId",
            "DisplayName",
            "IsBackupConfigurationDeleted",
            "SourceMachineName",
            "DestinationMachineName",
            "TimeOfActivity",
        ],
    );
    // A client's typing error: no slash before the agent.
    assert_eq!(
        client.raw("GET", &format!("/{}/system/activity{}", client.tenant, agent.id), Value::Null).0,
        404
    );
    client.call("DELETE", &format!("/restore/files/{id}"), Value::Null, 204);

    // Stop takes the backup's id; a start beside a run is a skipped backup.
    tree::fill(source.path(), 40, 8 << 20);
    let running = client.call("POST", "/backup/action-requested", start.clone(), 200).as_i64().unwrap();
    let skipped = client.call("POST", "/backup/action-requested", start, 200).as_i64().unwrap();
    assert_ne!(running, skipped);
    assert_eq!(client.get(&format!("/backup/{skipped}"))["CurrentState"], "Skipped");
    client.call("POST", "/backup/action-requested", json!({ "Action": "StopManual", "Id": running }), 204);
    wait_until("the backup is stopped", || {
        client.get(&format!("/backup/{running}"))["CurrentState"] == "Stopped"
    });
    let state = server.client.get_backup(roadstead_api::id::BackupId(running)).unwrap().state().unwrap();
    assert_eq!(state, RunState::Cancelled);
}
