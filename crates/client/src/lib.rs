//! The SDK of Roadstead: [`Client`] for async programs, and [`blocking::Client`] of the same shape for others.
//!
//! Lists give objects that carry what the server said of them and the client that asked. Their fields and plain
//! methods answer from memory; their `async` methods talk to the server. Each method's documentation says which.
//!
//! ```no_run
//! use roadstead_client::{api::id::BackupConfigurationId, blocking::Client};
//!
//! # fn main() -> roadstead_client::Result<()> {
//! let client = Client::connect("http://127.0.0.1:7643", "admin", "rdk_...")?;
//! for agent in client.agents()? {
//!     println!("{agent} {}", if agent.is_busy() { "is busy" } else { "is idle" });
//! }
//! let mut backup = client.create_backup(BackupConfigurationId(1))?;
//! backup.start()?;
//! backup.wait(|run| println!("{}: {} files", run.state, run.progress.files_searched))?;
//! if let Some(report) = backup.report()? {
//!     println!("ok: {}, {} bytes in {:?}", report.ok, report.bytes_searched, report.duration());
//! }
//! # Ok(())
//! # }
//! ```

mod activity;
mod agent;
mod agent_file;
mod agent_log;
mod agent_machine;
mod alarm;
mod api_key;
mod audit;
mod backend;
mod backup;
mod backup_configuration;
pub mod base;
pub mod blocking;
mod builder;
mod check;
mod cleanup;
mod client;
mod command;
mod document;
mod error;
mod event;
mod file;
mod handle;
mod image;
mod job;
mod key;
mod key_machine;
mod list;
mod location;
mod machine;
mod mail_settings;
mod metric;
mod network;
mod notification_channel;
mod poll;
mod prepared;
mod protection;
mod provider;
mod quota;
mod rebuild;
mod restore;
mod restore_configuration;
mod run;
mod run_error;
mod saved_view;
mod schedule;
mod sealing;
mod session;
mod setup;
mod shell;
mod size;
pub mod tls;
mod transport;
mod user;
mod vault;
mod vault_task;

pub use agent::Agent;
pub use backend::Backend;
pub use backup::{Backup, BackupReport, BackupStatus};
pub use backup_configuration::BackupConfiguration;
pub use builder::ClientBuilder;
pub use client::{Client, Credentials};
pub use error::{Error, ErrorKind, Result};
pub use event::{Events, Notice};
pub use file::Content;
pub use handle::Handle;
pub use key::Key;
pub use list::PagedQuery;
pub use machine::Machine;
pub use prepared::Prepared;
pub use restore::{Restore, RestoreReport, RestoreStatus};
pub use restore_configuration::RestoreConfiguration;
pub use roadstead_api as api;
pub use run::{Run, Status};
pub use shell::{Shell, ShellSaid};
pub use vault::Vault;
