//! The async runtimes that commands run on.

use std::{future::Future, pin::Pin};

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

/// Does a command's work, to its end, on one thread. The work is boxed: it is all commands in one, and tokio puts a copy of
/// what it is given into each of the places that poll it.
pub fn finish<T>(work: impl Future<Output = T>) -> Result<T> {
    let work: Pin<Box<dyn Future<Output = T> + '_>> = Box::pin(work);
    Ok(single()?.block_on(work))
}

fn built(mut builder: Builder) -> Result<Runtime> {
    builder.enable_all().build().map_err(|e| Error::local("cannot start an async runtime").caused_by(e))
}
