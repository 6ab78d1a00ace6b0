//! Creates with an `Idempotency-Key`: the same request gets the first one's reply again, and nothing is made twice.

use std::{
    any::Any,
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName},
};
use roadstead_api::{Endpoint, IDEMPOTENCY_KEY, Method, PathParams};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::routes::{Answer, Call, decode, read};
use crate::{
    Error, Result,
    ops::{
        Context,
        once::{self, Known},
    },
};

const HEADER: HeaderName = HeaderName::from_static(IDEMPOTENCY_KEY);

/// How to show what has an id.
type Show<R> = Arc<dyn Fn(Context, &str) -> Pin<Box<dyn Future<Output = Result<R>> + Send>> + Send + Sync>;

/// The operations that show one object, by their names: `key_show` gives again what `key_create` has answered.
#[derive(Default)]
pub struct Shows(RwLock<HashMap<&'static str, Box<dyn Any + Send + Sync>>>);

impl Shows {
    /// Adds an operation if it is one that shows an object by its id.
    pub fn add<E, F, Fut>(&self, operation: F)
    where
        E: Endpoint,
        F: Fn(Context, Call<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<E::Reply>> + Send + 'static,
    {
        if E::METHOD != Method::Get || !E::PATH.ends_with("/{id}") {
            return;
        }
        let show: Show<E::Reply> = Arc::new(move |context, id| match call::<E>(id) {
            Some(call) => Box::pin(operation(context, call)),
            None => Box::pin(async { Err(lost()) }),
        });
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(E::NAME, Box::new(show));
    }

    /// What `E`, a create, would have answered for what it has made.
    async fn again<E: Endpoint>(&self, context: Context, id: &str) -> Result<E::Reply> {
        let show = self.find::<E>().ok_or_else(lost)?;
        show(context, id).await
    }

    fn find<E: Endpoint>(&self) -> Option<Show<E::Reply>> {
        let name = format!("{}show", E::NAME.strip_suffix("create")?);
        let shows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shows.get(name.as_str())?.downcast_ref().cloned()
    }
}

fn call<E: Endpoint>(id: &str) -> Option<Call<E>> {
    let path = [Value::from(id), id.parse::<i64>().map_or(Value::Null, Value::from)];
    let path = path.into_iter().find_map(|id| serde_json::from_value::<E::Path>(id).ok());
    let path = path.filter(|_| E::Path::TYPES.len() == 1)?;
    Some(Call { path, query: nothing()?, body: nothing()? })
}

/// A query or body that says nothing: `()`, or an object without fields.
fn nothing<T: DeserializeOwned>() -> Option<T> {
    [Value::Null, Value::Object(serde_json::Map::new())]
        .into_iter()
        .find_map(|v| serde_json::from_value(v).ok())
}

fn lost() -> Error {
    Error::conflict("This was done before, and its reply was lost when the server ended; look what is there.")
}

/// The key that a request carries.
pub fn key(headers: &HeaderMap) -> Result<Option<String>> {
    let text = |value: &axum::http::HeaderValue| value.to_str().map(str::to_owned);
    let unreadable = |_| Error::invalid("The Idempotency-Key is no ASCII text.");
    headers.get(HEADER).map(text).transpose().map_err(unreadable)
}

/// Does a create, or answers as it was answered before.
pub async fn answer<E, F, Fut>(
    context: Context,
    key: &str,
    request: Request,
    shows: &Shows,
    operation: F,
) -> Result<Answer<E::Reply>>
where
    E: Endpoint,
    F: Fn(Context, Call<E>) -> Fut,
    Fut: Future<Output = Result<E::Reply>> + Send,
{
    let (parts, body) = request.into_parts();
    let bytes = read(body).await?;
    let same = format!("{} {}\n{}", E::NAME, parts.uri, String::from_utf8_lossy(&bytes));
    match once::begin(&context, key, &same).await? {
        Known::Done(reply) => Ok(serde_json::from_str::<E::Reply>(&reply).map_err(|_| lost())?.into()),
        Known::Made(id) => shows.again::<E>(context, &id).await.map(Answer::from),
        Known::New(once) => {
            let call = decode::<E>(Request::from_parts(parts, Body::from(bytes))).await?;
            let within = Context { once: Some(Arc::clone(&once)), ..context.clone() };
            let reply = operation(within, call).await?;
            let kept = match serde_json::to_string(&reply) {
                Ok(text) => once.keep(&context, &text).await,
                Err(error) => Err(Error::internal("A reply is no JSON.").caused_by(error)),
            };
            if let Err(error) = kept {
                // It is done all the same; who asks again is shown what was made.
                tracing::warn!(error = error.chain(), "a reply was not kept");
            }
            Ok(reply.into())
        }
    }
}
