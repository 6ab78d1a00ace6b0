//! The SDK of Roadstead: [`Client`] for async programs, and one of the same shape for others.
//!
//! Lists give objects that carry what the server said of them and the client that asked. Their plain methods answer
//! from memory; their `async` methods talk to the server. Each document says which.

mod client;
mod error;
mod transport;

pub use client::{Client, Credentials};
pub use error::{Error, ErrorKind, Result};
pub use roadstead_api as api;
