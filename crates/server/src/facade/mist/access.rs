//! Who calls: `Authorization: mist_1 NAME:TOKEN`, where the token came from `POST /auth`.
//!
//! The name may be an address with a plus in it, or with a colon; the token has neither. It is the secret of a session,
//! or an API key, which may be given in place of the password, too.

use std::sync::Arc;

use axum::{extract::Request, http::header::AUTHORIZATION};
use serde_json::json;

use super::{asked::Asked, reply::Reply};
use crate::{
    Error, ErrorKind, Result,
    app::App,
    auth::{API_KEY_PREFIX, Actor, Presented, session::SESSION_PREFIX},
    http,
    ops::{Context, session},
};

const SCHEME: &str = "mist_1 ";

/// What a request shows of who sends it.
pub struct Shown {
    name: String,
    presented: Presented,
}

/// What a request shows of who sends it; an error where it shows nothing that can be read.
pub fn presented(request: &Request) -> Result<Shown> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        header.and_then(|header| header.strip_prefix(SCHEME)).and_then(|shown| shown.rsplit_once(':'));
    let (name, token) = shown.ok_or_else(refused)?;
    let source = http::source(request.extensions());
    Ok(Shown { name: name.to_owned(), presented: of_token(token, source) })
}

fn of_token(token: &str, source: Option<std::net::IpAddr>) -> Presented {
    if token.starts_with(SESSION_PREFIX) {
        return Presented { session: Some(token.to_owned()), source, ..Presented::default() };
    }
    Presented { authorization: Some(format!("Bearer {token}")), source, ..Presented::default() }
}

/// The user who sent a request.
pub async fn caller(app: Arc<App>, shown: Shown) -> Result<Context> {
    let source = shown.presented.source;
    let (user, session) = match app.authenticate(&shown.presented).await? {
        Actor::User(user) => (user, None),
        Actor::Session(user, id) => (user, Some(id)),
        Actor::Agent(_) => return Err(Error::forbidden("Agents have no part in this API.")),
    };
    if user.username != shown.name {
        return Err(refused());
    }
    Ok(Context { session, ..Context::new(app, user, source) })
}

/// Begins a session, whose secret is the token of all further calls.
pub async fn sign_in(app: Arc<App>, asked: &Asked) -> Result<Reply> {
    let (name, password) = (asked.required("email")?, asked.required("password")?);
    let (context, token) = if password.starts_with(API_KEY_PREFIX) {
        let presented = of_token(&password, asked.source);
        (caller(app, Shown { name, presented }).await?, password)
    } else {
        let user = app.sign_in(&name, password, asked.source).await?;
        let context = Context::new(app, user, asked.source);
        let token = session::create(&context, "mist").await?.secret;
        (context, token)
    };
    let user = &context.user;
    Ok(Reply::Json(json!({
        "mist_api_token": token,
        "user_details": {"email": user.username, "name": user.username, "role": user.role},
        // Nobody pays for this server; the old command wants to show until when.
        "current_plan": {"title": "self-hosted", "started": 0, "expiration": 0, "machine_limit": 0},
    })))
}

/// Says that a token is good.
pub fn hello(context: &Context) -> Reply {
    Reply::Json(json!({"hello": context.user.username}))
}

fn refused() -> Error {
    let message = "No valid credentials: sign in at /mist/auth, and send `Authorization: mist_1 NAME:TOKEN`.";
    Error::new(ErrorKind::Unauthorized, message)
}
