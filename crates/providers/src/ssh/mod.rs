//! SSH, for every driver whose backend is a host that somebody logs in to.
//!
//! ```text
//!   fields  ->  Host  --Dialer-->  Route { machine, jump }  --run, power, forward, socket-->  the host
//! ```
//!
//! [`Dialer`] holds the guard, the time-outs and the pins; a connection stands only where the host's key was
//! checked. What is run on a host is a [`CommandLine`]: our own words, and those of others quoted so that no shell can
//! read them as anything but text.

mod command_line;
mod connection;
mod dial;
pub(crate) mod fields;
mod host_key;
pub mod key;
pub(crate) mod power;
pub(crate) mod probe;
mod program;
pub mod target;

pub(crate) use command_line::CommandLine;
pub(crate) use connection::{Host, Login, MAX_OUTPUT_BYTES, Output};
pub(crate) use dial::{Dialer, Route};
