//! Mist.io's API of 2015, under `/mist`: for `mistclient`, the `mist` command and its Ansible modules as they are.
//!
//! ```text
//! a request --Asked--> dispatch --> backend, machine, key --> ops
//!                                                              |
//!     text/plain "Not Found: ..." <-- Refusal | Reply <--------+
//! ```
//!
//! What those clients do, and this has to bear: bodies without a content type, GET and DELETE with a body, nulls and
//! numbers as text, ids pasted into paths. Machines go by their cloud's ids, keys by their names. The token of
//! `POST /auth` is the secret of a session. What Mist.io kept to itself (rules, scripts, plugins) is not here.

mod access;
mod asked;
mod backend;
mod container;
mod create;
mod key;
mod machine;
mod monitoring;
mod network;
mod offer;
mod reply;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::any,
};

use self::{asked::Asked, reply::Reply};
use crate::{Error, ErrorKind, Result, app::App, ops::Context};

/// The facade's routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/mist/{*path}", any(answer))
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    match reply(app, request).await {
        Ok(reply) => reply.into_response(),
        Err(error) => reply::refusal(&error),
    }
}

async fn reply(app: Arc<App>, request: Request) -> Result<Reply> {
    let presented = access::presented(&request);
    let asked = Asked::of(request).await?;
    if asked.is("POST", &["auth"]) {
        return access::sign_in(app, &asked).await;
    }
    let context = access::caller(app, presented?).await?;
    dispatch(&context, &asked).await
}

/// The table of the contract, section 2.2.
async fn dispatch(context: &Context, asked: &Asked) -> Result<Reply> {
    match (asked.method.as_str(), asked.segments().as_slice()) {
        ("GET", ["providers"]) => offer::providers(context),
        ("GET", ["check_token"]) => Ok(access::hello(context)),
        ("GET", ["jobs", id]) => create::show(context, id).await,
        ("GET", ["monitoring"]) => monitoring::overview(context).await,
        (_, ["backends", rest @ ..]) => backends(context, asked, rest).await,
        (_, ["keys", rest @ ..]) => keys(context, asked, rest).await,
        _ => Err(nothing()),
    }
}

async fn backends(context: &Context, asked: &Asked, rest: &[&str]) -> Result<Reply> {
    match (asked.method.as_str(), rest) {
        ("GET", []) => backend::list(context).await,
        ("POST", []) => backend::add(context, asked).await,
        ("DELETE", [id]) => backend::delete(context, id).await,
        ("PUT", [id]) => backend::rename(context, id, asked).await,
        ("POST", [id]) => backend::set_state(context, id, asked).await,
        ("GET", [id, "sizes"]) => offer::sizes(context, id).await,
        ("GET", [id, "locations"]) => offer::locations(context, id).await,
        ("GET" | "POST", [id, "images"]) => offer::images(context, id, asked).await,
        ("POST", [id, "images", image @ ..]) => offer::toggle_star(context, id, &image.join("/")).await,
        ("GET", [id, "networks"]) => network::list(context, id).await,
        ("POST", [id, "networks"]) => network::create(context, id, asked).await,
        ("DELETE", [id, "networks", network]) => network::delete(context, id, network).await,
        (_, [id, "machines", rest @ ..]) => machines(context, asked, id, rest).await,
        (_, [] | [_] | [_, "sizes" | "locations" | "images" | "networks"] | [_, "networks", _]) => {
            Err(wrong_method())
        }
        _ => Err(nothing()),
    }
}

async fn machines(context: &Context, asked: &Asked, backend: &str, rest: &[&str]) -> Result<Reply> {
    match (asked.method.as_str(), rest) {
        ("GET", []) => machine::list(context, backend).await,
        ("POST", []) => create::create(context, backend, asked).await,
        ("POST", [id]) => machine::act(context, backend, id, asked).await,
        ("POST", [id, "probe"]) => machine::probe(context, backend, id).await,
        ("POST", [id, "metadata"]) => machine::tag(context, backend, id, asked).await,
        ("DELETE", [id, "metadata"]) => machine::untag(context, backend, id, asked).await,
        ("POST", [id, "monitoring"]) => monitoring::switch(context, (backend, id), asked).await,
        ("GET", [id, "rdp"]) => machine::remote_desktop(context, backend, id, asked).await,
        ("GET", [id, "stats"]) => monitoring::stats(context, (backend, id), asked).await,
        ("GET", [id, "metrics"]) => monitoring::metrics(context, (backend, id)).await,
        ("PUT" | "DELETE", [id, "metrics"]) => monitoring::choose(context, (backend, id), asked).await,
        ("PUT", [id, "keys", name]) => key::associate(context, (backend, id), name, asked).await,
        ("DELETE", [id, "keys", name]) => key::disassociate(context, (backend, id), name, asked).await,
        (
            _,
            []
            | [_]
            | [_, "probe" | "metadata" | "monitoring" | "rdp" | "stats" | "metrics"]
            | [_, "keys", _],
        ) => Err(wrong_method()),
        _ => Err(nothing()),
    }
}

async fn keys(context: &Context, asked: &Asked, rest: &[&str]) -> Result<Reply> {
    match (asked.method.as_str(), rest) {
        ("GET", []) => key::list(context).await,
        ("POST", []) => key::generate(context).await,
        ("PUT", []) => key::add(context, asked).await,
        ("PUT", [name]) => key::rename(context, name, asked).await,
        ("POST", [name]) => key::set_default(context, name).await,
        ("DELETE", [name]) => key::delete(context, name).await,
        ("GET", [name, "private"]) => key::private(context, name).await,
        ("GET", [name, "public"]) => key::public(context, name).await,
        (_, [] | [_] | [_, "private" | "public"]) => Err(wrong_method()),
        _ => Err(nothing()),
    }
}

fn nothing() -> Error {
    Error::not_found("There is nothing at this path.")
}

fn wrong_method() -> Error {
    Error::new(ErrorKind::MethodNotAllowed, "The path is right, the method is not.")
}
