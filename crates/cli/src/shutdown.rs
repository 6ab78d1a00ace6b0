//! How a long-running command is told to end: by Ctrl-C or SIGTERM, or by the process that started it.

use std::{
    io::{self, Read},
    thread,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use crate::error::{Error, Result};

/// The signals that end a command. Listened for from its making on.
pub struct Shutdown {
    interrupt: Signal,
    terminate: Signal,
    parent: Option<oneshot::Receiver<()>>,
}

impl Shutdown {
    /// Ends with Ctrl-C and SIGTERM.
    pub fn by_signal() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|e| Error::local("cannot listen for signals").caused_by(e));
        let (interrupt, terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, parent: None })
    }

    /// Ends also when standard input does: with the parent that holds its other end, however that one dies.
    pub fn by_signal_or_parent() -> Result<Self> {
        let (gone, parent) = oneshot::channel();
        // A thread of our own: one of the runtime's would keep the runtime from ending.
        thread::spawn(move || {
            let mut rest = [0; 64];
            while !matches!(io::stdin().lock().read(&mut rest), Ok(0) | Err(_)) {}
            let _ = gone.send(());
        });
        Ok(Self { parent: Some(parent), ..Self::by_signal()? })
    }

    /// Returns when it is time to end.
    pub async fn requested(&mut self) {
        let Self { interrupt, terminate, parent } = self;
        let parent = async {
            match parent {
                Some(parent) => drop(parent.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = parent => {}
        }
    }
}
