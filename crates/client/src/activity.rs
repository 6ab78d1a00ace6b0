//! Activity: backups, restores and checks in one list.

use roadstead_api::activity::{Activity, ActivityList, ActivityQuery};

use crate::{Client, error::Result};

impl Client {
    /// Lists those activities that a query picks, newest first, to the end. Talks to the server once a page.
    pub async fn activity(&self, query: ActivityQuery) -> Result<Vec<Activity>> {
        self.list_all::<ActivityList, _>((), query).await
    }
}
