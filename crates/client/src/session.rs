//! Sessions of the user who asks: the browsers that are signed in.

use roadstead_api::{
    PageQuery,
    id::SessionId,
    session::{Session, SessionDelete, SessionList},
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the user's open sessions. Talks to the server.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        self.list_all::<SessionList, _>((), PageQuery::default()).await
    }

    /// Ends a session: the browser is signed out at once. Talks to the server.
    pub async fn end_session(&self, id: SessionId) -> Result<()> {
        self.call::<SessionDelete>(&id, &(), &()).await
    }
}
