//! The server: one library behind `roadstead server`.
//!
//! Every front door ends in `ops`: one function per verb and noun, which authorizes, validates, writes and wakes
//! the background work. The layers, each of which may call only those below it:
//!
//! ```text
//! http (api/v1)   facade          rest (restic's protocol)   link (agents)
//!            \          |               |                 /
//!             ops, jobs (schedules, dispatch, checks)
//!                         |
//!                        app
//!      /      /       |       |       \       \        \
//!     db  secrets  vaults   live  drivers  worker  schedule
//!      \
//!     events (what those who watch are told)
//! ```

mod app;
mod arrivals;
mod auth;
mod clock;
mod config;
mod copy_targets;
mod creates;
mod database_url;
mod db;
mod delivery;
mod drivers;
mod durable;
mod error;
mod events;
mod facade;
mod first_start;
mod http;
mod installer;
mod jobs;
mod link;
mod live;
mod mail;
mod meters;
mod ops;
mod program;
mod public_url;
mod questions;
mod random;
mod remote_shell;
mod rescue;
mod rest;
mod schedule;
mod secrets;
mod serve;
mod settings;
mod signal;
mod state;
mod tls;
mod usage;
mod vaults;
mod views;
mod webhook;
mod worker;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{ServerOptions, TlsChoice, WorkerCommand};
pub use copy_targets::CopyTarget;
pub use database_url::DatabaseUrl;
pub use error::{Error, ErrorKind, Result};
pub use public_url::PublicUrl;
pub use rescue::reset_password;
pub use serve::run;
pub use settings::{CONFIG_VARIABLE, Origin, Setting, Settings};
pub use state::{Summary as StateSummary, backup as backup_state, restore as restore_state};
pub use tls::Given;
pub use worker::vault_work;
