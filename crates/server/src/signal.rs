//! A call to work that also reaches other servers.

use tokio::sync::Notify;

/// Wakes the background work of this server, and asks for the neighbours' to be woken. Calls that come while one is
/// waiting to be heard fall together.
#[derive(Debug, Default)]
pub struct Signal {
    here: Notify,
    elsewhere: Notify,
}

impl Signal {
    /// There is something to do, here or at a neighbour.
    pub fn notify_one(&self) {
        self.here.notify_one();
        self.elsewhere.notify_one();
    }

    /// There is something to do here; the neighbours know.
    pub fn notify_here(&self) {
        self.here.notify_one();
    }

    /// Waits until there is something to do.
    pub async fn notified(&self) {
        self.here.notified().await;
    }

    /// Waits until the neighbours are to be told.
    pub async fn to_be_told(&self) {
        self.elsewhere.notified().await;
    }
}
