//! What fake far sides that speak REST are built from.
//!
//! A driver's `sim.rs` writes a [`Service`]: the published API, in memory. [`FakeService`] puts it on a real socket and
//! [`Control`] makes it misbehave, counts its calls, and remembers them. Changes take their time by [`Slowly`]: so many
//! looks, not so many seconds, so that tests wait for nothing. [`KeyPair`] is for those that take signed tokens.

mod control;
mod fault;
mod key_pair;
mod message;
mod server;
mod slowly;

pub use control::Control;
pub use fault::Fault;
pub use key_pair::KeyPair;
pub use message::{Answer, Request};
pub use server::{FakeService, Service};
pub use slowly::Slowly;
