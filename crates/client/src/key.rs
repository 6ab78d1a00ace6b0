//! SSH keys.

use std::fmt;

use roadstead_api::{
    id::KeyId,
    key::{
        self, KeyChange, KeyCreate, KeyDelete, KeyList, KeyQuery, KeySetDefault, KeyShow, KeyShowPrivate,
        KeyUpdate, NewKey,
    },
};

use crate::{Client, Handle, error::Result};

/// An SSH key, but for its private half.
pub type Key = Handle<key::Key>;

impl Client {
    /// Lists the SSH keys, oldest first. Talks to the server.
    pub async fn keys(&self) -> Result<Vec<Key>> {
        self.find_keys(KeyQuery::default()).await
    }

    /// Lists the SSH keys that a query picks. Talks to the server.
    pub async fn find_keys(&self, query: KeyQuery) -> Result<Vec<Key>> {
        Ok(Handle::all(self, self.list_all::<KeyList, _>((), query).await?))
    }

    /// Reads one SSH key. Talks to the server.
    pub async fn get_key(&self, id: &KeyId) -> Result<Key> {
        Ok(Handle::new(self, self.call::<KeyShow>(id, &(), &()).await?))
    }

    /// Adds an SSH key, given or generated. Talks to the server.
    pub async fn add_key(&self, new: &NewKey) -> Result<Key> {
        Ok(Handle::new(self, self.call::<KeyCreate>(&(), &(), new).await?))
    }
}

impl Key {
    /// The private half in PEM. Admins only, and told to the audit log. Talks to the server.
    pub async fn private_key(&self) -> Result<String> {
        Ok(self.client.call::<KeyShowPrivate>(&self.id, &(), &()).await?.private_key)
    }

    /// Gives it another name. Talks to the server.
    pub async fn rename(&mut self, name: &str) -> Result<()> {
        let change = KeyChange { name: name.to_owned() };
        self.facts = self.client.call::<KeyUpdate>(&self.id, &(), &change).await?;
        Ok(())
    }

    /// Makes it the one that is taken where nobody names one. Talks to the server.
    pub async fn set_default(&mut self) -> Result<()> {
        self.facts = self.client.call::<KeySetDefault>(&self.id, &(), &()).await?;
        Ok(())
    }

    /// Deletes it; machines that let it in go on to. Talks to the server.
    pub async fn delete(self) -> Result<()> {
        self.client.call::<KeyDelete>(&self.id, &(), &()).await
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}
