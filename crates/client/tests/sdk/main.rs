//! The SDK against a server on a real socket.
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod blocking;
mod client;
mod fake;
