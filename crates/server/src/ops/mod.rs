//! What can be done: one function per verb and noun. Each authorizes, validates, writes, and wakes the background
//! work. Nothing here knows HTTP; nothing below knows who may.

pub mod agent;
pub mod api_key;
pub mod audit;
pub mod backup;
pub mod backup_configuration;
pub mod check;
pub mod event;
pub mod file;
pub mod key;
pub mod metrics;
pub mod provider;
pub mod restore;
pub mod run;
pub mod user;
pub mod vault;
pub mod vault_file;

mod context;
mod page;
mod selection;
mod validate;

pub use context::Context;
