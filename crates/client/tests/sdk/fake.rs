//! A small server on a real socket that behaves like Roadstead as far as the SDK's tests need it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

/// What the fake has seen, and what it is to answer.
#[derive(Default)]
pub struct Seen {
    /// Each request, as `METHOD /path?query`.
    pub requests: Vec<String>,
    /// The state of each backup, by id from 1.
    pub backups: Vec<&'static str>,
    /// The configuration that there is.
    pub configuration: Value,
}

pub type Shared = Arc<Mutex<Seen>>;

/// A running fake; it ends when it is dropped.
pub struct Fake {
    pub url: String,
    pub seen: Shared,
    _end: oneshot::Sender<()>,
}

impl Fake {
    pub fn start() -> Self {
        let seen = Shared::default();
        seen.lock().unwrap().configuration = configuration();
        let (end, ended) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel::<SocketAddr>();
        let router = router(seen.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router).into_future() => served.unwrap(),
                    _ = ended => {}
                }
            });
        });
        Self { url: format!("http://{}", address.recv().unwrap()), seen, _end: end }
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// What the agent would do: moves every backup from one state to another.
    pub fn move_backups(&self, from: &str, to: &'static str) {
        move_backups(&mut self.seen.lock().unwrap(), from, to);
    }
}

fn move_backups(seen: &mut Seen, from: &str, to: &'static str) {
    seen.backups.iter_mut().filter(|state| **state == from).for_each(|state| *state = to);
}

fn router(seen: Shared) -> Router {
    Router::new()
        .route("/api/v1/users/me", get(user))
        .route("/api/v1/agents", get(agents))
        .route("/api/v1/agents/{id}", get(problem))
        .route("/api/v1/backup-configurations/{id}", get(show_configuration).patch(change_configuration))
        .route("/api/v1/backups", post(start_backup))
        .route("/api/v1/backups/{id}", get(show_backup))
        .route("/api/v1/backups/{id}/stop", post(stop_backup))
        .route("/api/v1/backups/{id}/report", get(show_report))
        .route("/api/v1/backups/{id}/content", get(content))
        .route("/api/v1/restores", get(restores))
        .route("/api/v1/providers", get(not_json))
        .route("/api/v1/providers/{id}", get(endless))
        .layer(axum::middleware::from_fn_with_state(seen.clone(), note))
        .with_state(seen)
}

async fn note(
    State(seen): State<Shared>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    seen.lock().unwrap().requests.push(format!("{} {}", request.method(), request.uri()));
    next.run(request).await
}

/// The user is named after the credentials, so that tests see which came.
async fn user(headers: HeaderMap) -> Response {
    let Some(credentials) = headers.get(header::AUTHORIZATION) else {
        return refusal(StatusCode::UNAUTHORIZED, "no credentials");
    };
    let username = credentials.to_str().unwrap();
    Json(json!({ "id": 1, "account_id": 1, "username": username, "role": "admin", "created_at": TIME }))
        .into_response()
}

/// Three agents on three pages.
async fn agents(Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    let value = |name| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let number: i64 = value("cursor").map_or(1, |cursor| cursor.parse().unwrap());
    let next = (number < 3).then(|| (number + 1).to_string());
    Json(json!({ "items": [agent(number)], "next": next }))
}

/// A list that turns in a circle.
async fn restores() -> Json<Value> {
    Json(json!({ "items": [], "next": "again" }))
}

/// Answers with the status that the id stands for; 418 comes without a problem body.
async fn problem(Path(status): Path<u16>) -> Response {
    match status {
        418 => (StatusCode::IM_A_TEAPOT, "<html>").into_response(),
        _ => refusal(StatusCode::from_u16(status).unwrap(), "the detail"),
    }
}

fn refusal(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "type": "word", "title": "Words", "status": status.as_u16(), "detail": detail });
    (status, Json(body)).into_response()
}

async fn show_configuration(State(seen): State<Shared>) -> Json<Value> {
    Json(seen.lock().unwrap().configuration.clone())
}

async fn change_configuration(State(seen): State<Shared>, Json(change): Json<Value>) -> Json<Value> {
    let mut seen = seen.lock().unwrap();
    for (name, value) in change.as_object().unwrap() {
        seen.configuration[name] = value.clone();
    }
    Json(seen.configuration.clone())
}

async fn start_backup(State(seen): State<Shared>) -> (StatusCode, Json<Value>) {
    let mut seen = seen.lock().unwrap();
    seen.backups.push("queued");
    let id = seen.backups.len();
    (StatusCode::ACCEPTED, Json(backup(id, "queued")))
}

/// Each look at a queued backup brings it one state on, as an agent would between two looks.
async fn show_backup(State(seen): State<Shared>, Path(id): Path<usize>) -> Json<Value> {
    let mut seen = seen.lock().unwrap();
    let state = seen.backups[id - 1];
    let next = match state {
        "queued" => "start_requested",
        "start_requested" => "searching",
        "stop_requested" => "cancelled",
        state => state,
    };
    seen.backups[id - 1] = next;
    Json(backup(id, state))
}

async fn stop_backup(State(seen): State<Shared>, Path(id): Path<usize>) -> Response {
    let mut seen = seen.lock().unwrap();
    match seen.backups[id - 1] {
        "completed" | "cancelled" => refusal(StatusCode::CONFLICT, "it has ended"),
        _ => {
            seen.backups[id - 1] = "stop_requested";
            (StatusCode::ACCEPTED, Json(backup(id, "stop_requested"))).into_response()
        }
    }
}

async fn show_report(Path(id): Path<usize>) -> Json<Value> {
    Json(json!({
        "id": id, "configuration_id": 5, "state": "completed", "ok": true, "error": null, "restorable": true,
        "snapshot_id": null, "started_at": TIME, "completed_at": TIME, "duration_seconds": 1.5,
        "files_searched": 1, "bytes_searched": 2, "files_backed_up": 3, "bytes_backed_up": 4, "bytes_added": 5,
        "error_count": 0, "errors": [],
    }))
}

async fn content(Query(query): Query<Vec<(String, String)>>) -> String {
    format!("content of {}", query[0].1)
}

async fn not_json() -> &'static str {
    "[1, 2"
}

async fn endless() -> axum::body::Body {
    let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
    let chunks = std::iter::repeat_n(chunk, 100).map(Ok::<_, std::convert::Infallible>);
    axum::body::Body::from_stream(futures_util::stream::iter(chunks))
}

const TIME: &str = "2026-01-02T03:04:05Z";

fn agent(id: i64) -> Value {
    json!({
        "id": id, "name": format!("agent-{id}"), "enabled": true, "encrypted": false, "connected": true, "busy": id == 2,
        "vault_id": "v", "fingerprint": "", "created_at": TIME, "last_seen_at": null,
        "host": { "hostname": "", "os": "", "arch": "", "agent_version": "" },
    })
}

fn configuration() -> Value {
    json!({
        "id": 5, "name": "daily-sql", "agent_id": 1, "enabled": true, "inclusions": ["/etc"], "exclusions": ["*.bak"],
        "options": {},
        "schedule": "manual", "timezone": "UTC", "spread_minutes": 0, "missed": "asap", "next_runtime": null,
        "retention": {}, "notification_email": null, "notify_success": false, "notify_failure": false, "created_at": TIME, "updated_at": TIME,
    })
}

fn backup(id: usize, state: &str) -> Value {
    json!({
        "id": id, "name": format!("daily-sql-{id}"), "configuration_id": 5, "agent_id": 1, "vault_id": "v",
        "state": state, "reason": null, "origin": "asked", "slot_at": null, "snapshot_id": null, "progress": {}, "created_at": TIME, "started_at": null,
        "completed_at": null,
    })
}
