//! What a server is started with.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, sync::Arc};

use crate::{Clock, DatabaseUrl, SystemClock};

/// How one server is started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where everything is kept: the database, the master key, the vaults. Made if it is not there.
    pub data_dir: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients and agents call the server; the listen address when absent. The Host header is never trusted.
    pub public_url: Option<String>,
    /// The PostgreSQL database to keep everything but the vaults in; the embedded one when absent.
    pub database: Option<DatabaseUrl>,
    /// How to start the child processes that work on vaults.
    pub worker: WorkerCommand,
    /// The clock; only tests hand in another one.
    pub clock: Arc<dyn Clock>,
}

impl ServerOptions {
    /// Options with everything at its default, for a server in `data_dir` at `listen`.
    pub fn new(data_dir: PathBuf, listen: SocketAddr, worker: WorkerCommand) -> Self {
        Self { data_dir, listen, public_url: None, database: None, worker, clock: Arc::new(SystemClock) }
    }
}

/// A program that ends up in [`crate::vault_work`], with its arguments.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}
