//! Two accounts on one server: for the admin of one, nothing of the other exists. Every endpoint with an id is tried
//! with the other account's ids; a new one fails here until it is told which id to try.

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use roadstead_api::{
    Method,
    alarm::AlarmKind,
    declarations,
    id::{AccountId, AgentId, BackendId, BackupId, ProviderId, UserId, VaultId},
    job::JobKind,
    key::{NewKey, NewKeyKind},
    key_machine::NewKeyMachine,
    machine::Machine,
    notification_channel::{NewNotificationChannel, usual},
    restore_configuration::NewRestoreConfiguration,
    saved_view::NewSavedView,
    sealing::SealingKind,
    user::{Role, User},
    vault_task::NewVaultTask,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;

use super::{open, router};
use crate::{
    ServerOptions, WorkerCommand,
    app::{App, account_key_place},
    db::{self, Db, backend::Reach, command::NewCommandRow, job::NewJob, machine::MachineRow, user::NewUser},
    ops::{self, Context},
    random,
    secrets::Key,
};

const OWNER: AccountId = AccountId(1);
const API_KEY: &str = "rdk_of-the-other-account";

/// Ids of what belongs to the first account.
struct Ids {
    key: String,
    session: String,
}

/// A server on the rows that the first release wrote, all of one account.
async fn server(folder: &Path) -> Arc<App> {
    let file = folder.join("roadstead.db");
    std::fs::write(&file, include_bytes!("../db/schema/fixtures/0001.sqlite")).unwrap();
    let master_key = Key::open_or_create(&folder.join("master.key")).unwrap();
    let db = Db::open_embedded(&file).await.unwrap();
    seal_account(&db, &master_key, OWNER).await;
    db.close().await;
    let address: SocketAddr = "127.0.0.1:7643".parse().unwrap();
    let worker = WorkerCommand { program: "none".into(), arguments: Vec::new() };
    let options = ServerOptions::new(folder.to_owned(), address, worker);
    let public_url = options.public_url(address).unwrap();
    let (_, ended) = watch::channel(false);
    Arc::new(open(&options, public_url, "plain".to_owned(), ended).await.unwrap())
}

async fn seal_account(db: &Db, master_key: &Key, account: AccountId) {
    let sealed = master_key.seal(&account_key_place(account), &Key::random().unwrap().to_text()).unwrap();
    let mut write = db.write().await.unwrap();
    db::account::set_sealed_key(&mut write, account, &sealed).await.unwrap();
    write.commit().await.unwrap();
}

/// Gives the first account what the first release did not know.
async fn fill(app: &Arc<App>) -> Ids {
    let user = db::user::get(&mut app.db.read().await.unwrap(), OWNER, UserId(1)).await.unwrap().unwrap();
    let context = Context::new(app.clone(), user, None);
    let new = NewKey::generated("fleet", NewKeyKind::Ed25519, None);
    let key = ops::key::create(&context, new).await.unwrap().id;
    let session = ops::session::create(&context, "").await.unwrap().session.id;
    let machine: Machine = serde_json::from_value(json!({
        "id": "machine-1", "external_id": "e", "backend_id": "backend-1", "name": "web", "state": "running",
        "public_ips": [], "private_ips": [], "tags": [], "can_start": false, "can_stop": true, "can_reboot": true,
        "can_destroy": true, "can_rename": true, "can_resize": true, "can_tag": true, "refreshed_at": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let provider = ProviderId("bare_metal".to_owned());
    let (title, sealed_fields, fingerprint, pins) = ("web", "", "print", "[]");
    let reach = Reach { title, provider: &provider, region: None, sealed_fields, fingerprint, pins };
    let mut write = app.db.write().await.unwrap();
    db::backend::insert(&mut write, OWNER, &BackendId("backend-1".to_owned()), &reach, 1).await.unwrap();
    let row = MachineRow::of(&machine).unwrap();
    db::machine::put(&mut write, OWNER, &[(&machine, &row)], 1).await.unwrap();
    let condition = db::alarm::Condition {
        account_id: OWNER,
        kind: AlarmKind::BackupOverdue,
        noun: "backup",
        noun_id: "1",
    };
    assert!(db::alarm::open(&mut write, condition, "fleet", 1).await.unwrap());
    let vault = VaultId("vault-1".to_owned());
    assert!(db::cleanup::insert(&mut write, OWNER, &vault, None, 1).await.unwrap().is_some());
    let drill = NewVaultTask::drill();
    assert!(db::vault_task::insert(&mut write, OWNER, &vault, &drill, None, 1).await.unwrap().is_some());
    let sealing = db::sealing::NewSealingRow {
        account_id: OWNER,
        agent_id: AgentId(1),
        vault_id: &vault,
        kind: SealingKind::Seal,
        passwords: &[],
        now_ms: 1,
    };
    db::sealing::insert(&mut write, &sealing).await.unwrap();
    let backend_id = &BackendId("backend-1".to_owned());
    let (kind, token, sealed_input, created_by) = (JobKind::MachineCreate, "token", "", "fleet");
    let job = NewJob {
        account_id: OWNER,
        kind,
        backend_id,
        token,
        sealed_input,
        machine_ids: &[],
        total: 1,
        created_by,
        now_ms: 1,
    };
    db::job::insert(&mut write, &job).await.unwrap();
    let machines = &[(machine.id.clone(), "fleet".to_owned())];
    let command = NewCommandRow {
        account_id: OWNER,
        token,
        sealed_script: "fleet",
        parallel: 1,
        timeout_seconds: 1,
        machines,
        created_by,
        now_ms: 1,
    };
    db::command::insert(&mut write, &command).await.unwrap();
    write.commit().await.unwrap();
    let new = NewRestoreConfiguration::new("fleet", BackupId(1));
    ops::restore_configuration::create(&context, new).await.unwrap();
    let new = NewKeyMachine { machine_id: machine.id, user: None, port: None, host: None };
    ops::key_machine::create(&context, &key, new).await.unwrap();
    let url = "https://hooks.example.com/fleet".to_owned();
    let new = NewNotificationChannel { name: "fleet".to_owned(), url, topics: usual() };
    ops::notification_channel::create(&context, new).await.unwrap();
    let new = NewSavedView { name: "fleet".to_owned(), noun: "machine".to_owned(), query: String::new() };
    ops::saved_view::create(&context, new).await.unwrap();
    Ids { key: key.0, session: session.to_string() }
}

/// Another account with an admin, who has [`API_KEY`].
async fn other_admin(app: &App) -> User {
    let mut write = app.db.write().await.unwrap();
    let account_id = db::account::insert(&mut write, "other", 1).await.unwrap();
    let new =
        NewUser { account_id, username: "other", password_hash: "", role: Role::Admin, now_ms: app.now_ms() };
    let id = db::user::insert(&mut write, &new).await.unwrap();
    db::api_key::insert(&mut write, id, "k", &random::fingerprint(API_KEY), 1).await.unwrap();
    write.commit().await.unwrap();
    seal_account(&app.db, &app.master_key, account_id).await;
    db::user::get(&mut app.db.read().await.unwrap(), account_id, id).await.unwrap().unwrap()
}

async fn ask(router: &Router, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::builder().method(format!("{method:?}").to_uppercase().as_str()).uri(path);
    let request = request.header("authorization", format!("Bearer {API_KEY}"));
    let answer = router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// The first account's id in a path that begins so.
fn foreign_id<'a>(path: &str, ids: &'a Ids) -> &'a str {
    match path.split('/').nth(1).unwrap() {
        "agents"
        | "alarms"
        | "backup-configurations"
        | "backups"
        | "restores"
        | "checks"
        | "users"
        | "restore-configurations"
        | "cleanups"
        | "jobs"
        | "notification-channels"
        | "sealings"
        | "commands"
        | "saved-views"
        | "vault-tasks"
        | "api-keys" => "1",
        "vaults" => "vault-1",
        "backends" => "backend-1",
        "machines" => "machine-1",
        "keys" => &ids.key,
        "sessions" => &ids.session,
        noun => panic!("which {noun} does the first account have?"),
    }
}

/// A body that would do, were the id one's own.
fn body(name: &str) -> Value {
    match name {
        "agent_update"
        | "backup_configuration_update"
        | "key_update"
        | "machine_rename"
        | "restore_configuration_update" => {
            json!({ "name": "x" })
        }
        "backend_update" => json!({ "title": "x" }),
        "image_star" => json!({ "image": "x", "starred": true }),
        "machine_resize" => json!({ "size": "x" }),
        "network_create" => json!({ "name": "x" }),
        "machine_tag" => json!({ "add": ["x"] }),
        "agent_log_level_set" => json!({ "level": "debug" }),
        "agent_encrypt" => json!({ "password": { "text": "x" } }),
        "agent_password_change" => json!({ "current": { "text": "x" }, "new": { "text": "x" } }),
        "agent_vault_migrate" => json!({ "to": 2 }),
        "user_update" => json!({ "role": "observer" }),
        "retention_plan_show" => json!({ "days": 1 }),
        "vault_task_create" => json!({ "kind": "drill" }),
        "check_create" => json!({ "read_data": false }),
        "agent_machine_attach" | "key_machine_create" => json!({ "machine_id": "machine-1" }),
        "key_machine_accept" | "machine_protect" | "machine_protection_plan" => json!({}),
        _ => panic!("which body does {name} take?"),
    }
}

#[tokio::test]
async fn the_ids_of_another_account_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let app = server(folder.path()).await;
    let ids = fill(&app).await;
    let other = other_admin(&app).await;
    let router = router(app.clone());
    let mut tried = 0;
    for declaration in declarations() {
        // Providers are the same for everyone.
        if !declaration.path.contains("{id}") || declaration.path.starts_with("/providers") {
            continue;
        }
        let path = declaration.path.replace("{id}", foreign_id(declaration.path, &ids));
        let path = path.replace("{machine_id}", "machine-1").replace("{network_id}", "network-1");
        let path = format!("/api/v1{path}?path=/");
        let body = declaration.body.map_or(Value::Null, |_| body(declaration.name));
        let (status, said) = ask(&router, declaration.method, &path, &body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{} {path}: {said}", declaration.name);
        assert!(!said.to_string().contains("fleet"), "{} tells of it: {said}", declaration.name);
        tried += 1;
    }
    assert!(tried > 40, "{tried}");
    for (path, body) in [
        ("/backup-configurations", json!({ "name": "n", "agent_id": 1, "inclusions": ["/etc"] })),
        ("/backups", json!({ "configuration_id": 1 })),
        ("/restores", json!({ "backup_id": 1 })),
        (
            "/machines/rebuild",
            json!({ "backup_id": 1, "machine": { "backend_id": "backend-1", "name": "n", "image": "i", "size": "s" } }),
        ),
    ] {
        let (status, said) = ask(&router, Method::Post, &format!("/api/v1{path}"), &body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {said}");
    }
    let context = Context::new(app.clone(), other, None);
    let own = ops::key::create(&context, NewKey::generated("own", NewKeyKind::Ed25519, None)).await.unwrap();
    let path = format!("/api/v1/keys/{}/machines", own.id);
    let (status, said) = ask(&router, Method::Post, &path, &body("key_machine_create")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "an own key, another's machine: {said}");
    for path in [
        "/api/v1/backups/1/content?path=/etc/shadow",
        "/api/v1/backups/1/archive?path=/etc",
        "/vaults/vault-1/config",
        "/vaults/vault-1/keys/",
    ] {
        let (status, said) = ask(&router, Method::Get, path, &Value::Null).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {said}");
    }
    app.db.close().await;
}

#[tokio::test]
async fn lists_show_nothing_of_another_account() {
    let folder = tempfile::tempdir().unwrap();
    let app = server(folder.path()).await;
    fill(&app).await;
    other_admin(&app).await;
    let router = router(app.clone());
    for declaration in declarations() {
        if declaration.method != Method::Get || declaration.path.contains('{') {
            continue;
        }
        let (status, said) =
            ask(&router, declaration.method, &format!("/api/v1{}", declaration.path), &Value::Null).await;
        let Some(items) = said["items"].as_array() else { continue };
        assert_eq!(status, StatusCode::OK, "{}", declaration.name);
        let own = match declaration.name {
            "provider_list" => continue,
            "user_list" | "api_key_list" => 1,
            _ => 0,
        };
        assert_eq!(items.len(), own, "{}: {said}", declaration.name);
    }
    app.db.close().await;
}

#[tokio::test]
async fn the_facade_shows_nothing_of_another_account() {
    let folder = tempfile::tempdir().unwrap();
    let app = server(folder.path()).await;
    fill(&app).await;
    other_admin(&app).await;
    let router = router(app.clone());
    let auth =
        json!({ "auth": { "RAX-KSKEY:apiKeyCredentials": { "username": "other", "apiKey": API_KEY } } });
    let (_, access) = ask(&router, Method::Post, "/v2.0/tokens", &auth).await;
    let token = access["access"]["token"]["id"].as_str().unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(format!("/v1.0/{path}"));
        let request = request.header("x-auth-token", token).body(Body::from(body.to_string()));
        let answer = router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        (status, String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap())
    };
    let foreign_agent = json!({
        "MachineAgentId": 1, "Enable": true, "EncryptedPasswordHex": "00", "OldEncryptedPasswordHex": "00",
        "NewEncryptedPasswordHex": "00", "LoggingLevelId": 4, "SourceMachineAgentId": 1, "DestinationMachineAgentId": 1,
        "BackupConfigurationName": "n", "Inclusions": [{ "FilePath": "/etc" }],
    });
    let foreign_run = json!({
        "Action": "StartManual", "Id": 1, "BackupId": 1, "RestoreId": 1, "ParentId": 1, "FilePath": "/etc",
        "DestinationPath": "/tmp",
    });
    let stop = json!({ "Action": "StopManual", "Id": 1 });
    for (method, path, body) in [
        ("GET", "agent/1", &Value::Null),
        ("POST", "agent/1", &foreign_agent),
        ("GET", "agent/server/00000000-0000-4000-8000-000000000001", &Value::Null),
        ("GET", "agent/logging/1", &Value::Null),
        ("GET", "agent/configuration/1", &Value::Null),
        ("GET", "agent/events/1", &Value::Null),
        ("GET", "agent/logfiles/1", &Value::Null),
        ("POST", "agent/requestlog/1", &Value::Null),
        ("POST", "agent/enable", &foreign_agent),
        ("POST", "agent/encrypt", &foreign_agent),
        ("POST", "agent/changeencryption", &foreign_agent),
        ("POST", "agent/delete", &foreign_agent),
        ("PUT", "agent/migratevault", &foreign_agent),
        ("PUT", "agent/logging", &foreign_agent),
        ("POST", "backup-configuration", &foreign_agent),
        ("PUT", "backup-configuration/1", &foreign_agent),
        ("GET", "backup-configuration/1", &Value::Null),
        ("DELETE", "backup-configuration/1", &Value::Null),
        ("GET", "backup-configuration/system/1", &Value::Null),
        ("POST", "backup-configuration/enable/1", &foreign_agent),
        ("POST", "backup/action-requested", &foreign_run),
        ("POST", "backup/action-requested", &stop),
        ("GET", "backup/1", &Value::Null),
        ("GET", "backup/completed/1", &Value::Null),
        ("GET", "backup/report/1", &Value::Null),
        ("PUT", "restore", &foreign_run),
        ("POST", "restore", &foreign_run),
        ("PUT", "restore/files", &foreign_run),
        ("GET", "restore/files/1", &Value::Null),
        ("DELETE", "restore/files/1", &Value::Null),
        ("POST", "restore/action-requested", &foreign_run),
        ("POST", "restore/action-requested", &stop),
        ("GET", "restore/1", &Value::Null),
        ("GET", "restore/report/1", &Value::Null),
        ("GET", "system/activity/1", &Value::Null),
        ("GET", "cleanup/report/1", &Value::Null),
    ] {
        let (status, said) = ask(method, path, body.clone()).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}: {said}");
        assert!(!said.contains("fleet"), "{method} {path} tells of it: {said}");
    }
    assert_eq!(ask("GET", "1/user/agents", Value::Null).await.0, StatusCode::FORBIDDEN, "the other's tenant");
    for list in ["user/agents", "backup-configuration", "backup/availableforrestore", "activity"] {
        assert_eq!(ask("GET", list, Value::Null).await, (StatusCode::OK, "[]".to_owned()), "{list}");
    }
    app.db.close().await;
}
