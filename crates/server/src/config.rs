//! What a server is started with.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use roadstead_providers::LocalAccess;
use roadstead_vault::store::S3Config;

use crate::{Clock, CopyTarget, DatabaseUrl, Error, Given, PublicUrl, Result, SystemClock};

/// The regions that Rackspace Cloud Backup had.
pub const RCBU_REGIONS: &str = "DFW, ORD, IAD, LON, HKG, SYD";

/// How one server is started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where everything is kept: the database, the master key, the vaults. Made if it is not there.
    pub data_dir: PathBuf,
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients and agents call the server; the listen address when absent. The Host header is never trusted.
    pub public_url: Option<PublicUrl>,
    /// Whether to speak TLS, and with which certificate.
    pub tls: TlsChoice,
    /// The PostgreSQL database to keep everything but the vaults in; the embedded one when absent.
    pub database: Option<DatabaseUrl>,
    /// The bucket to keep the vaults in; the data folder when absent.
    pub vault_bucket: Option<S3Config>,
    /// Where backups may be copied to, outside of the vault store.
    pub copy_targets: Vec<CopyTarget>,
    /// The regions that the catalog of the RCBU facade lists.
    pub rcbu_regions: Vec<String>,
    /// Whether backends at loopback and private addresses are refused.
    pub deny_private: bool,
    /// What backends may use of this machine: nothing, unless its operator lists it.
    pub local: LocalAccess,
    /// The program that machines are given to run as agents; that of [`Self::worker`] when absent.
    pub agent_program: Option<PathBuf>,
    /// How to start the child processes that work on vaults.
    pub worker: WorkerCommand,
    /// The clock; only tests hand in another one.
    pub clock: Arc<dyn Clock>,
}

/// Whether a server speaks TLS, and with which certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TlsChoice {
    /// Plain HTTP on loopback; beyond it a certificate by the server's own CA.
    #[default]
    Automatic,
    /// A certificate by the server's own CA, also on loopback.
    Own,
    /// The operator's certificate.
    Given(Given),
}

impl ServerOptions {
    /// Options with everything at its default, for a server in `data_dir` at `listen`.
    pub fn new(data_dir: PathBuf, listen: SocketAddr, worker: WorkerCommand) -> Self {
        Self {
            data_dir,
            listen,
            public_url: None,
            tls: TlsChoice::Automatic,
            database: None,
            vault_bucket: None,
            copy_targets: Vec::new(),
            rcbu_regions: RCBU_REGIONS.split(", ").map(str::to_owned).collect(),
            deny_private: false,
            local: LocalAccess::default(),
            agent_program: None,
            worker,
            clock: Arc::new(SystemClock),
        }
    }

    /// Where the embedded database is.
    pub fn embedded_database(&self) -> Result<PathBuf> {
        Ok(std::path::absolute(&self.data_dir)?.join("roadstead.db"))
    }

    /// The program that machines are given to run as agents.
    pub fn agent_program(&self) -> &Path {
        self.agent_program.as_deref().unwrap_or(&self.worker.program)
    }

    /// Whether connections are to be TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls != TlsChoice::Automatic || !self.listen.ip().is_loopback()
    }

    /// What the server is called when it listens at `address`. An error where it would be called by plain HTTP, and
    /// speaks TLS.
    pub fn public_url(&self, address: SocketAddr) -> Result<PublicUrl> {
        match &self.public_url {
            Some(url) if self.speaks_tls() && !url.is_https() => Err(Error::invalid(format!(
                "The public URL {url} is plain HTTP, and the server speaks TLS; it has to begin with https."
            ))),
            Some(url) => Ok(url.clone()),
            None => Ok(PublicUrl::of_address(address, self.speaks_tls())),
        }
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
