//! One declaration of an endpoint, four readers: the router, the SDK, the OpenAPI document, the authorization sweep.
//!
//! An endpoint is a type without values that implements [`Endpoint`]; the `endpoints!` macro writes the
//! implementation from one paragraph. The permission is part of the paragraph: leaving it out does not compile.

use std::any::TypeId;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

/// What every path in this crate is relative to.
pub const BASE_PATH: &str = "/api/v1";

/// The header with which a caller names a create, so that it is done once however often it is asked for.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The HTTP method of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "HTTP's own names")]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// Who may call an endpoint. Each role also holds what stands above it in this list, but for `Public`, which asks
/// for no credentials at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Anyone, without credentials.
    Public,
    /// Any user of the account: reads, never file content or secrets.
    Observer,
    /// Users that also create and change.
    Creator,
    /// Users that also delete, see secrets and manage users.
    Admin,
}

/// One operation of the API: how it is reached, who may, what goes in and what comes out.
pub trait Endpoint: Send + Sync + 'static {
    /// The values in the path, in the order in which they stand there.
    type Path: PathParams;
    /// The query string's fields; `()` where there are none.
    type Query: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// The JSON body; `()` where there is none.
    type Body: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// The JSON reply; `()` where there is none.
    type Reply: Serialize + DeserializeOwned + JsonSchema + Send + 'static;

    /// The operation's name: noun, then verb.
    const NAME: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path below [`BASE_PATH`], with `{name}` for each value of [`Endpoint::Path`].
    const PATH: &'static str;
    /// Who may call it.
    const PERMISSION: Permission;
    /// The status code of success.
    const SUCCESS: u16;
    /// What it does, in the words of its doc comment.
    const SUMMARY: &'static str;

    /// Whether it makes something, and so takes an [`IDEMPOTENCY_KEY`].
    fn is_create() -> bool {
        is_create(Self::METHOD, Self::PERMISSION, Self::NAME)
    }

    /// Whether a JSON body is sent.
    fn has_body() -> bool {
        TypeId::of::<Self::Body>() != TypeId::of::<()>()
    }

    /// The path with its values filled in, percent-encoded.
    fn path(values: &Self::Path) -> String {
        let mut values = values.segments().into_iter();
        let mut path = String::from(BASE_PATH);
        for segment in Self::PATH.split('/').skip(1) {
            path.push('/');
            match segment.starts_with('{').then(|| values.next()).flatten() {
                Some(value) => encode_segment(&value, &mut path),
                None => path.push_str(segment),
            }
        }
        path
    }
}

fn is_create(method: Method, permission: Permission, name: &str) -> bool {
    method == Method::Post && permission != Permission::Public && name.ends_with("_create")
}

fn encode_segment(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

/// The values that stand in an endpoint's path.
pub trait PathParams: Serialize + DeserializeOwned + Send + 'static {
    /// The JSON type of each value, as the OpenAPI document names it.
    const TYPES: &'static [&'static str];
    /// Each value as text, not yet percent-encoded.
    fn segments(&self) -> Vec<String>;
}

impl PathParams for () {
    const TYPES: &'static [&'static str] = &[];
    fn segments(&self) -> Vec<String> {
        Vec::new()
    }
}

impl PathParams for String {
    const TYPES: &'static [&'static str] = &["string"];
    fn segments(&self) -> Vec<String> {
        vec![self.clone()]
    }
}

/// Makes the schema of one part of an endpoint.
pub type Parameters = fn(&mut SchemaGenerator) -> Schema;

/// An [`Endpoint`] as a value: what the readers that walk over all of them need.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// See [`Endpoint::NAME`].
    pub name: &'static str,
    /// See [`Endpoint::METHOD`].
    pub method: Method,
    /// See [`Endpoint::PATH`].
    pub path: &'static str,
    /// See [`PathParams::TYPES`].
    pub path_types: &'static [&'static str],
    /// See [`Endpoint::PERMISSION`].
    pub permission: Permission,
    /// See [`Endpoint::SUCCESS`].
    pub success: u16,
    /// See [`Endpoint::SUMMARY`].
    pub summary: &'static str,
    /// The schema of the query.
    pub query: Option<Parameters>,
    /// The schema of the body.
    pub body: Option<Parameters>,
    /// The schema of the reply.
    pub reply: Option<Parameters>,
}

impl Declaration {
    /// See [`Endpoint::is_create`].
    pub fn is_create(&self) -> bool {
        is_create(self.method, self.permission, self.name)
    }

    /// The declaration of `E`.
    pub fn of<E: Endpoint>() -> Self {
        Self {
            name: E::NAME,
            method: E::METHOD,
            path: E::PATH,
            path_types: E::Path::TYPES,
            permission: E::PERMISSION,
            success: E::SUCCESS,
            summary: E::SUMMARY.trim_ascii(),
            query: schema_of::<E::Query>(),
            body: schema_of::<E::Body>(),
            reply: schema_of::<E::Reply>(),
        }
    }
}

fn schema_of<T: JsonSchema + 'static>() -> Option<Parameters> {
    (TypeId::of::<T>() != TypeId::of::<()>()).then_some(SchemaGenerator::subschema_for::<T> as Parameters)
}

/// Declares the endpoints of one noun, and the function `declarations()` that lists them.
///
/// A paragraph reads: documentation, name, method, path, permission, path values, query, body, then the status of
/// success with the reply.
macro_rules! endpoints {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $operation:literal: $method:ident $path:literal, $permission:ident,
        ($values:ty) ? $query:ty, $body:ty => $success:literal $reply:ty;
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl $crate::Endpoint for $name {
                type Path = $values;
                type Query = $query;
                type Body = $body;
                type Reply = $reply;
                const NAME: &'static str = $operation;
                const METHOD: $crate::Method = $crate::Method::$method;
                const PATH: &'static str = $path;
                const PERMISSION: $crate::Permission = $crate::Permission::$permission;
                const SUCCESS: u16 = $success;
                const SUMMARY: &'static str = concat!($($doc),+);
            }
        )+

        /// Every endpoint of this noun.
        pub fn declarations() -> Vec<$crate::Declaration> {
            vec![$($crate::Declaration::of::<$name>()),+]
        }
    };
}
pub(crate) use endpoints;
