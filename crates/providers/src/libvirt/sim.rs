//! A fake hypervisor: a fake host whose shell knows `virsh`, with machines, pools and networks in it.
//!
//! It answers in the words and tables of virsh 9.0, and to nothing that the driver should not say: a command line is
//! taken apart as a shell and virsh would, and what is left over is "unknown".

mod lines;
mod rooms;
mod state;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::state::State;
use crate::bare_metal::sim::Said;
pub use crate::bare_metal::sim::{Fault, SimHost};

/// A fake hypervisor. It is gone when this is dropped.
#[derive(Debug)]
pub struct SimHypervisor {
    host: SimHost,
    state: Arc<Mutex<State>>,
}

impl SimHypervisor {
    /// Starts a hypervisor with this many machines on a free port of this loopback address.
    pub async fn start(ip: &str, machines: usize) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::new(machines)));
        let shared = Arc::clone(&state);
        let shell = move |command: &str, input: &[u8]| lock(&shared).run(command, input);
        Ok(Self { host: SimHost::start_with(ip, Arc::new(shell)).await?, state })
    }

    /// The host that it runs on: its address, its key, and its faults.
    pub fn host(&self) -> &SimHost {
        &self.host
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// Makes machines heed no power button from now on.
    pub fn make_stubborn(&self) {
        lock(&self.state).stubborn = true;
    }

    /// Makes virsh complain of this whenever it is called, or not any more.
    pub fn complain(&self, of: Option<&'static str>) {
        lock(&self.state).complaint = of;
    }

    /// Has what virsh answers break off in the middle, or not any more.
    pub fn break_off(&self, breaks_off: bool) {
        lock(&self.state).breaks_off = breaks_off;
    }

    /// Makes every question fail that begins with this verb, or is about this machine.
    pub fn mute(&self, verb_or_id: &str) {
        lock(&self.state).mute = Some(verb_or_id.to_owned());
    }

    /// Puts a machine into a state by virsh's word.
    pub fn set_state(&self, id: &str, word: &'static str) {
        if let Some(domain) = lock(&self.state).domains.get_mut(id) {
            domain.word = word;
        }
    }

    /// What a volume holds, or none where there is no such volume.
    pub fn content(&self, pool: &str, volume: &str) -> Option<Vec<u8>> {
        lock(&self.state).volumes.get(&(pool.into(), volume.into())).map(|volume| volume.content.clone())
    }

    /// Calls of virsh so far.
    pub fn calls(&self) -> usize {
        lock(&self.state).calls
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a command prints when it went well.
fn said(text: impl Into<String>) -> Said {
    Said { stdout: text.into(), stderr: String::new(), status: 0 }
}

/// What a command prints when it did not.
fn failed(text: impl std::fmt::Display) -> Said {
    Said { stdout: String::new(), stderr: format!("error: {text}\n"), status: 1 }
}
