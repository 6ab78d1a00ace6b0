//! The one way from a declared endpoint to its operation: authenticate, authorize, decode, call, encode.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Json, RequestExt, Router,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header::SET_COOKIE, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use roadstead_api::{BASE_PATH, Endpoint, Method, Permission};
use serde::de::DeserializeOwned;

use super::{
    once::{self, Shows},
    presented,
    problem::problem_response,
};
use crate::{Error, ErrorKind, Result, app::App, auth::Actor, ops::Context, random};

/// How large a body may be, in bytes.
const MAX_BODY: usize = 1 << 20;

/// What a request carries, decoded.
pub struct Call<E: Endpoint> {
    /// The values in the path.
    pub path: E::Path,
    /// The query.
    pub query: E::Query,
    /// The body.
    pub body: E::Body,
}

/// What a request is answered with.
pub struct Answer<R> {
    /// The reply.
    pub reply: R,
    /// A cookie to be set.
    pub cookie: Option<String>,
}

impl<R> From<R> for Answer<R> {
    fn from(reply: R) -> Self {
        Self { reply, cookie: None }
    }
}

/// What answers the requests of one endpoint, whichever that is.
type Answered =
    Arc<dyn Fn(Arc<App>, Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

/// The routes of declared endpoints.
#[derive(Default)]
pub struct Routes {
    router: Router<Arc<App>>,
    names: Vec<&'static str>,
    shows: Arc<Shows>,
}

impl Routes {
    /// Adds an endpoint that users call.
    pub fn user<E, F, Fut>(self, operation: F) -> Self
    where
        E: Endpoint,
        F: Fn(Context, Call<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Reply>> + Send + 'static,
    {
        debug_assert!(E::PERMISSION != Permission::Public, "{} has no user", E::NAME);
        self.shows.add(operation.clone());
        let shows = Arc::clone(&self.shows);
        self.route::<E, _, _>(move |app, request| {
            let (operation, shows) = (operation.clone(), Arc::clone(&shows));
            async move {
                let key = if E::is_create() { once::key(request.headers())? } else { None };
                let context = caller(app, &request).await?;
                // Operations ask again: whatever door a call comes through, they are the ones that know. Here it
                // spares decoding what will be refused.
                context.authorize::<E>()?;
                match key {
                    Some(key) => once::answer(context, &key, request, &shows, operation).await,
                    None => operation(context, decode::<E>(request).await?).await.map(Answer::from),
                }
            }
        })
    }

    /// Adds an endpoint that anyone may call.
    pub fn public<E, F, Fut>(self, operation: F) -> Self
    where
        E: Endpoint,
        F: Fn(Arc<App>, Call<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Reply>> + Send + 'static,
    {
        debug_assert!(E::PERMISSION == Permission::Public, "{} is not public", E::NAME);
        self.route::<E, _, _>(move |app, request| {
            let operation = operation.clone();
            async move { operation(app, decode::<E>(request).await?).await.map(Answer::from) }
        })
    }

    /// Adds an endpoint whose operation looks at the request itself.
    pub fn route<E, F, Fut>(mut self, call: F) -> Self
    where
        E: Endpoint,
        F: Fn(Arc<App>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer<E::Reply>>> + Send + 'static,
    {
        let answered: Answered = Arc::new(move |app, request| {
            let going = call(app, request);
            Box::pin(async move { answer::<E>(going.await) })
        });
        self.names.push(E::NAME);
        self.router = add(self.router, E::METHOD, E::PATH, answered);
        self
    }

    /// The names of the endpoints that were added.
    #[cfg(test)]
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied()
    }

    /// All of them as one router.
    pub fn into_router(self) -> Router<Arc<App>> {
        tracing::debug!(endpoints = self.names.len(), "routes are made");
        self.router
    }
}

/// Not a part of [`Routes::route`], so that what the router makes of a handler is compiled once and not for each endpoint.
fn add(router: Router<Arc<App>>, method: Method, path: &str, answered: Answered) -> Router<Arc<App>> {
    let handler = move |State(app): State<Arc<App>>, request: Request| answered(app, request);
    router.route(&format!("{BASE_PATH}{path}"), on(filter(method), handler))
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

/// The user who sent a request.
///
/// Not an `async fn`, since a request cannot be looked at by a future that changes threads.
pub fn caller(app: Arc<App>, request: &Request) -> impl Future<Output = Result<Context>> + Send + use<> {
    let presented =
        presented::by_anyone(request.method(), request.headers(), request.extensions(), &app.public_url);
    async move {
        let presented = presented?;
        match app.authenticate(&presented).await? {
            Actor::User(user) => Ok(Context::new(app, user, presented.source)),
            Actor::Session(user, id) => {
                Ok(Context { session: Some(id), ..Context::new(app, user, presented.source) })
            }
            Actor::Agent(_) => Err(Error::forbidden("Agents have no part in this API.")),
        }
    }
}

/// What a request carries.
pub async fn decode<E: Endpoint>(mut request: Request) -> Result<Call<E>> {
    let path = request.extract_parts::<Path<E::Path>>().await;
    let Path(path) =
        path.map_err(|e| Error::not_found(format!("The path names nothing: {}", e.body_text())))?;
    let (mut parts, body) = request.into_parts();
    let query = query(&mut parts).await?;
    let body =
        if E::has_body() { json(body).await? } else { serde_json::from_str("null").map_err(not_json)? };
    Ok(Call { path, query, body })
}

/// The query of a request; one that is not expected is passed over.
pub async fn query<Q: DeserializeOwned + 'static>(parts: &mut Parts) -> Result<Q> {
    if std::any::TypeId::of::<Q>() == std::any::TypeId::of::<()>() {
        return serde_json::from_str("null").map_err(not_json);
    }
    let query = Query::<Q>::from_request_parts(parts, &()).await;
    Ok(query.map_err(|e| Error::invalid(format!("The query is wrong: {}", e.body_text())))?.0)
}

/// The bytes of a body.
pub async fn read(body: Body) -> Result<Bytes> {
    let too_large = |e| {
        let message = format!("The body is broken off, or larger than {MAX_BODY} bytes.");
        Error::new(ErrorKind::TooLarge, message).caused_by(e)
    };
    to_bytes(body, MAX_BODY).await.map_err(too_large)
}

async fn json<T: DeserializeOwned>(body: Body) -> Result<T> {
    let bytes = read(body).await?;
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // serde would take a list of the fields in order for the object.
        return Err(Error::invalid("The body must be a JSON object."));
    }
    serde_json::from_slice(&bytes).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> Error {
    Error::invalid(format!("The body is not of its form: {error}")).caused_by(error)
}

fn answer<E: Endpoint>(result: Result<Answer<E::Reply>>) -> Response {
    let Answer { reply, cookie } = match result {
        Ok(answer) => answer,
        Err(error) => return problem_response(&error, random::id().ok()),
    };
    let mut response = match E::SUCCESS {
        204 => StatusCode::NO_CONTENT.into_response(),
        success => (StatusCode::from_u16(success).unwrap_or(StatusCode::OK), Json(reply)).into_response(),
    };
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
