//! Users: the one who asks.

use roadstead_api::user::{User, UserShowSelf};

use crate::{Client, error::Result};

impl Client {
    /// The user whose credentials this client carries. Talks to the server.
    pub async fn user(&self) -> Result<User> {
        self.call::<UserShowSelf>(&(), &(), &()).await
    }
}
