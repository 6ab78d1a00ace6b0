//! Shells on machines, for programs that are not async.

use std::sync::Arc;

use roadstead_api::shell::ShellSize;
use tokio::runtime::Runtime;

use super::{Blocking, IntoBlocking, Machine, refuse_async};
use crate::{ShellSaid, error::Result};

/// A terminal on a machine.
pub type Shell = Blocking<crate::Shell>;

asks_on!([] crate::Shell);
answers!(ShellSaid);

namesakes! { Machine:
    fn open_shell(&self, size: ShellSize) -> Shell;
}

namesakes! { Shell:
    fn said(&mut self) -> ShellSaid;
    fn send(&mut self, typed: &[u8]) -> ();
    fn resize(&mut self, size: ShellSize) -> ();
}
