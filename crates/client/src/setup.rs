//! How the server is set up.

use roadstead_api::setup::{MasterKey, Setup, SetupMasterKey, SetupShow};

use crate::{Client, error::Result};

impl Client {
    /// Shows how the server is set up. Talks to the server.
    pub async fn setup(&self) -> Result<Setup> {
        self.call::<SetupShow>(&(), &(), &()).await
    }

    /// Shows the server's master key; it does so once. Talks to the server.
    pub async fn master_key(&self) -> Result<MasterKey> {
        self.call::<SetupMasterKey>(&(), &(), &()).await
    }
}
