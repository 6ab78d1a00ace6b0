//! What can be done: one function per verb and noun. Each authorizes, validates, writes, and wakes the background
//! work. Nothing here knows HTTP; nothing below knows who may.

pub mod activity;
pub mod agent;
pub mod agent_file;
pub mod agent_machine;
pub mod alarm;
pub mod api_key;
pub mod audit;
pub mod backend;
pub mod backup;
pub mod backup_configuration;
mod backup_options;
pub mod check;
pub mod cleanup;
pub mod command;
pub mod connection;
pub mod event;
pub mod file;
pub mod fleet;
pub mod image;
pub mod job;
pub mod key;
pub mod key_machine;
pub mod location;
pub mod machine;
pub mod machine_history;
pub mod mail_settings;
pub mod metric;
pub mod metrics;
pub mod network;
pub mod notification_channel;
pub mod once;
pub mod provider;
mod question;
pub mod quota;
pub mod refresh;
pub mod remote;
pub mod restore;
pub mod restore_configuration;
pub mod run;
pub mod saved_view;
pub mod schedule;
pub mod sealing;
pub mod session;
pub mod setup;
pub mod size;
pub mod user;
pub mod vault;
pub mod vault_file;
pub mod view;

mod context;
mod page;
mod selection;
mod validate;

pub use context::Context;
