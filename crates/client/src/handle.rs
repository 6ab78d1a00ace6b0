//! [`Handle`]: what the server said of an object, and the client that asked.

use std::ops::Deref;

use crate::Client;

/// An object of the server. Its fields are those of the API, read through the handle as they were when the object
/// was last read or changed through it; its `async` methods talk to the server.
#[derive(Clone, Debug)]
pub struct Handle<T> {
    pub(crate) client: Client,
    pub(crate) facts: T,
}

impl<T> Handle<T> {
    pub(crate) fn new(client: &Client, facts: T) -> Self {
        Self { client: client.clone(), facts }
    }

    pub(crate) fn all(client: &Client, facts: Vec<T>) -> Vec<Self> {
        facts.into_iter().map(|facts| Self::new(client, facts)).collect()
    }

    /// What the server said, without the client.
    pub fn into_inner(self) -> T {
        self.facts
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.facts
    }
}
