//! The async runtimes that commands run on.

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};

/// One thread: for everything but the server. An idle agent stays small on it.
pub fn single() -> Result<Runtime> {
    built(Builder::new_current_thread())
}

/// A thread a core: for the server.
pub fn many() -> Result<Runtime> {
    built(Builder::new_multi_thread())
}

fn built(mut builder: Builder) -> Result<Runtime> {
    builder.enable_all().build().map_err(|e| Error::local("cannot start an async runtime").caused_by(e))
}
