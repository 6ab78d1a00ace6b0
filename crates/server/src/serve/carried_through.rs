//! A change that somebody has asked for is made, also when they have gone before it was: with its entry in the audit log.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, header::AUTHORIZATION},
};
use roadstead_api::id::{AccountId, UserId};
use serde_json::Value;
use sqlx::{AnyConnection, Connection, Executor};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use super::{open, router};
use crate::{ServerOptions, WorkerCommand, db};

#[tokio::test]
async fn a_change_is_made_though_whoever_asked_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let address = "127.0.0.1:7643".parse().unwrap();
    let worker = WorkerCommand { program: "none".into(), arguments: Vec::new() };
    let options = ServerOptions::new(folder.path().to_owned(), address, worker);
    let public_url = options.public_url(address).unwrap();
    let (_, ended) = watch::channel(false);
    let app = Arc::new(open(&options, public_url, "plain".to_owned(), ended).await.unwrap());
    let admin = std::fs::read(folder.path().join("admin.json")).unwrap();
    let admin: Value = serde_json::from_slice(&admin).unwrap();
    let request = Request::post("/api/v1/api-keys")
        .header(AUTHORIZATION, format!("Bearer {}", admin["api_key"].as_str().unwrap()))
        .body(Body::from(r#"{"name": "mine"}"#))
        .unwrap();

    // Another process holds the database for as long as the client has patience.
    let file = options.embedded_database().unwrap();
    let mut other = AnyConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert!(timeout(Duration::from_millis(300), router(app.clone()).oneshot(request)).await.is_err());
    other.execute("ROLLBACK").await.unwrap();

    let made = async {
        loop {
            let mut read = app.db.read().await.unwrap();
            let keys = db::api_key::list(&mut read, UserId(1), 0, 10).await.unwrap();
            if keys.iter().any(|key| key.name == "mine") {
                return db::audit::list(&mut read, AccountId(1), i64::MAX, 10).await.unwrap();
            }
            drop(read);
            sleep(Duration::from_millis(20)).await;
        }
    };
    let told = timeout(Duration::from_secs(60), made).await.unwrap();
    assert!(told.iter().any(|entry| entry.action == "api_key_create"), "{told:?}");
}
