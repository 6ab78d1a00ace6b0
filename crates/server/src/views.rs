//! What is known of views in memory alone: the child that shows each, by the restore that it is for. `ops::view` opens and
//! closes them.

use std::{collections::HashMap, sync::Arc};

use roadstead_api::id::RestoreId;
use tokio::sync::{Mutex, OnceCell};

use crate::worker::Shown;

/// The views that this server shows.
#[derive(Debug, Default)]
pub struct Views(Mutex<HashMap<RestoreId, Arc<OnceCell<Shown>>>>);

impl Views {
    /// Where the view of a restore is, or is to be opened. Where its child has died, another takes its place.
    pub async fn place(&self, restore: RestoreId) -> Arc<OnceCell<Shown>> {
        let mut views = self.0.lock().await;
        if views.get(&restore).and_then(|place| place.get()).is_some_and(Shown::is_closed) {
            views.remove(&restore);
        }
        views.entry(restore).or_default().clone()
    }

    /// Takes the view of a restore away; it is the caller's to close.
    pub async fn remove(&self, restore: RestoreId) -> Option<Arc<OnceCell<Shown>>> {
        self.0.lock().await.remove(&restore)
    }

    /// The restores that have a view.
    pub async fn restores(&self) -> Vec<RestoreId> {
        self.0.lock().await.keys().copied().collect()
    }
}
