//! Backends: the clouds, hosts and servers that an account has added.

use std::fmt;

use roadstead_api::{
    backend::{
        self, BackendChange, BackendCreate, BackendDelete, BackendDisable, BackendEnable, BackendList,
        BackendQuery, BackendRefresh, BackendShow, BackendUpdate, NewBackend,
    },
    id::BackendId,
    machine::MachineQuery,
};

use crate::{Client, Handle, Machine, error::Result};

/// A backend.
pub type Backend = Handle<backend::Backend>;

impl Client {
    /// Lists the backends, oldest first. Talks to the server.
    pub async fn backends(&self) -> Result<Vec<Backend>> {
        self.find_backends(BackendQuery::default()).await
    }

    /// Lists those backends that a query picks, by id, name, provider or a search. Talks to the server.
    pub async fn find_backends(&self, query: BackendQuery) -> Result<Vec<Backend>> {
        Ok(Handle::all(self, self.list_all::<BackendList, _>((), query).await?))
    }

    /// Reads one backend. Talks to the server.
    pub async fn get_backend(&self, id: &BackendId) -> Result<Backend> {
        Ok(Handle::new(self, self.call::<BackendShow>(id, &(), &()).await?))
    }

    /// Adds a backend. The server asks it for its machines, and keeps nothing where it does not answer. Talks to the
    /// server; lists that are asked for from now on have it.
    pub async fn add_backend(&self, new: &NewBackend) -> Result<Backend> {
        Ok(Handle::new(self, self.call::<BackendCreate>(&(), &(), new).await?))
    }
}

impl Backend {
    /// All that the server said of it. From memory.
    pub fn info(&self) -> &backend::Backend {
        &self.facts
    }

    /// Reads it again. Talks to the server.
    pub async fn reload(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackendShow>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Has the server ask it for its machines; `state` and `reason` then say whether it answered. Talks to the server.
    pub async fn refresh(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackendRefresh>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Gives it another title. Talks to the server.
    pub async fn rename(&mut self, title: &str) -> Result<()> {
        self.update(&BackendChange { title: Some(title.to_owned()), ..BackendChange::default() }).await
    }

    /// Changes its title or credentials; other credentials are tried first. Talks to the server.
    pub async fn update(&mut self, change: &BackendChange) -> Result<()> {
        self.facts = self.client.call::<BackendUpdate>(&self.id, &(), change).await?;
        Ok(())
    }

    /// Lets it be asked again, and its machines driven. Talks to the server.
    pub async fn enable(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackendEnable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Keeps it from being asked. Talks to the server.
    pub async fn disable(&mut self) -> Result<()> {
        self.facts = self.client.call::<BackendDisable>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Deletes it with what is known of its machines, which themselves stay. Talks to the server; lists that are asked
    /// for from now on do not have it.
    pub async fn delete(self) -> Result<()> {
        self.client.call::<BackendDelete>(&self.id, &(), &()).await
    }

    /// Lists its machines. Talks to the server.
    pub async fn machines(&self) -> Result<Vec<Machine>> {
        let query = MachineQuery { backend_id: Some(self.id.clone()), ..MachineQuery::default() };
        self.client.find_machines(query).await
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}
