//! The identity service: a token for an API key, a password or a token; and the catalog, which leads to us.
//!
//! A token is 32 hexadecimal digits, lives for a day, and ends with what it was given for: an API key that is deleted or
//! a password that is changed.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    body::to_bytes,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use roadstead_api::user::{Role, User};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::fault;
use crate::{
    Error, ErrorKind, Result,
    app::App,
    auth::{API_KEY_PREFIX, Actor, Presented},
    db,
    http::source,
    random,
};

/// How long a token lives, in milliseconds.
const LIFE_MS: i64 = 24 * 3_600_000;
/// How large a request for a token may be, in bytes.
const MAX_BODY: usize = 64 << 10;

/// A token, and whose it is.
struct Issued {
    token: String,
    expires_ms: i64,
    user: User,
}

/// `POST /v2.0/tokens`.
pub async fn tokens(State(app): State<Arc<App>>, request: Request) -> Response {
    let from = source(request.extensions());
    let issued = async {
        let wrong = || Error::invalid("The body must be JSON with credentials in \"auth\".");
        let bytes = to_bytes(request.into_body(), MAX_BODY).await.map_err(|e| wrong().caused_by(e))?;
        let body: Value = serde_json::from_slice(&bytes).map_err(|e| wrong().caused_by(e))?;
        issue(&app, &body["auth"], from).await
    };
    match issued.await {
        Ok(issued) => Json(access(&app, &issued)).into_response(),
        Err(error) => fault(&error),
    }
}

/// `GET /v1.0`, as in the first years: name and key come and the token goes in headers.
pub async fn legacy(State(app): State<Arc<App>>, request: Request) -> Response {
    let (from, headers) = (source(request.extensions()), request.headers());
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (name, key) = (header("x-auth-user"), header("x-auth-key"));
    match with_secret(&app, name, key, from).await {
        Ok(issued) => {
            let headers = [(HeaderName::from_static("x-auth-token"), issued.token)];
            (StatusCode::NO_CONTENT, headers).into_response()
        }
        Err(error) => fault(&error),
    }
}

/// The query of `GET /v2.0/users`.
#[derive(Deserialize)]
pub struct ByName {
    name: Option<String>,
}

/// `GET /v2.0/users?name=`: who calls, which is all that one may know.
pub async fn users(State(app): State<Arc<App>>, Query(query): Query<ByName>, headers: HeaderMap) -> Response {
    let token = headers.get("x-auth-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match user_of(&app, token).await {
        Ok(user) if query.name.as_ref().is_none_or(|name| *name == user.username) => {
            Json(json!({ "user": described(&app, &user) })).into_response()
        }
        Ok(_) => fault(&Error::not_found("There is no such user, or not for you.")),
        Err(error) => fault(&error),
    }
}

/// Whose token this is.
pub async fn user_of(app: &App, token: &str) -> Result<User> {
    let refused = || Error::new(ErrorKind::Unauthorized, "X-Auth-Token is missing, wrong or expired.");
    let hash = random::fingerprint(token);
    let found = db::rcbu::user_of_token(&mut *app.db.read().await?, &hash, app.now_ms()).await?;
    found.map(|(user, _)| user).ok_or_else(refused)
}

async fn issue(app: &App, auth: &Value, from: Option<IpAddr>) -> Result<Issued> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (key, password) = (&auth["RAX-KSKEY:apiKeyCredentials"], &auth["passwordCredentials"]);
    if key.is_object() {
        with_secret(app, &text(&key["username"]), &text(&key["apiKey"]), from).await
    } else if password.is_object() {
        with_secret(app, &text(&password["username"]), &text(&password["password"]), from).await
    } else if auth["token"].is_object() {
        let token = text(&auth["token"]["id"]);
        let refused = || Error::new(ErrorKind::Unauthorized, "The token is wrong or expired.");
        let hash = random::fingerprint(&token);
        let found = db::rcbu::user_of_token(&mut *app.db.read().await?, &hash, app.now_ms()).await?;
        let (user, expires_ms) = found.ok_or_else(refused)?;
        Ok(Issued { token, expires_ms, user })
    } else {
        Err(Error::invalid("\"auth\" holds neither an API key, nor a password, nor a token."))
    }
}

/// An API key or a password: the same door as everywhere else tells them apart.
async fn with_secret(app: &App, username: &str, secret: &str, from: Option<IpAddr>) -> Result<Issued> {
    let header = format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{secret}")));
    let presented = Presented { authorization: Some(header), session: None, source: from };
    let Actor::User(user) = app.authenticate(&presented).await? else {
        return Err(Error::new(ErrorKind::Unauthorized, "Agents have no part in this API."));
    };
    let token = hex::encode(random::bytes::<16>()?);
    let expires_ms = app.now_ms() + LIFE_MS;
    let mut write = app.db.write().await?;
    // Of a password nothing is kept here.
    let key = secret.starts_with(API_KEY_PREFIX).then(|| random::fingerprint(secret));
    let hash = random::fingerprint(&token);
    db::rcbu::insert_token(&mut write, &hash, &user, key.as_deref(), expires_ms, app.now_ms()).await?;
    write.commit().await?;
    Ok(Issued { token, expires_ms, user })
}

fn access(app: &App, Issued { token, expires_ms, user }: &Issued) -> Value {
    let tenant = user.account_id.to_string();
    // No slash at the end, and every endpoint with its region: there are clients that trip over either.
    let url = format!("{}/v1.0/{tenant}", app.public_url);
    // All regions lead here.
    let endpoints: Vec<Value> = app
        .rcbu_regions
        .iter()
        .map(|region| json!({ "tenantId": tenant, "region": region, "publicURL": url, "internalURL": url }))
        .collect();
    let expires = Timestamp::from_millisecond(*expires_ms).unwrap_or_default();
    json!({ "access": {
        "token": {
            "id": token,
            "expires": format!("{expires:.3}"),
            "tenant": { "id": tenant, "name": tenant },
        },
        "serviceCatalog": [{ "name": "cloudBackup", "type": "rax:backup", "endpoints": endpoints }],
        "user": described(app, user),
    } })
}

fn described(app: &App, user: &User) -> Value {
    let role = match user.role {
        Role::Observer => "cloudbackup:observer",
        Role::Creator => "cloudbackup:creator",
        Role::Admin => "cloudbackup:admin",
    };
    json!({
        "id": user.id.to_string(),
        "name": user.username,
        "username": user.username,
        "roles": [{ "id": role, "name": role }],
        "RAX-AUTH:defaultRegion": app.rcbu_regions.first(),
    })
}
