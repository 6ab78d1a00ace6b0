//! Lists, page by page or to the end.

use roadstead_api::{
    Endpoint, Page, PageQuery,
    activity::ActivityQuery,
    alarm::AlarmQuery,
    backend::BackendQuery,
    backup::BackupQuery,
    backup_configuration::BackupConfigurationQuery,
    command::CommandQuery,
    file::{DiffQuery, FileQuery, FindQuery},
    job::JobQuery,
    key::KeyQuery,
    machine::MachineQuery,
    page::MAX_LIMIT,
    restore::RestoreQuery,
    restore_configuration::RestoreConfigurationQuery,
};

use crate::{
    Client,
    error::{Error, ErrorKind, Result},
};

/// A query that picks a page of a list.
pub trait PagedQuery {
    /// How many items at the most.
    fn set_limit(&mut self, limit: u32);
    /// Where to go on.
    fn set_cursor(&mut self, cursor: Option<String>);
}

macro_rules! paged_query {
    ($($query:ty),+) => {$(
        impl PagedQuery for $query {
            fn set_limit(&mut self, limit: u32) {
                self.limit = Some(limit);
            }
            fn set_cursor(&mut self, cursor: Option<String>) {
                self.cursor = cursor;
            }
        }
    )+};
}
paged_query!(
    PageQuery,
    ActivityQuery,
    AlarmQuery,
    CommandQuery,
    JobQuery,
    RestoreConfigurationQuery,
    BackupQuery,
    BackupConfigurationQuery,
    RestoreQuery,
    FileQuery,
    FindQuery,
    DiffQuery,
    KeyQuery,
    BackendQuery,
    MachineQuery
);

impl Client {
    /// Reads a list to its end, however many pages it has. Talks to the server once a page.
    pub async fn list_all<E, T>(&self, path: E::Path, mut query: E::Query) -> Result<Vec<T>>
    where
        E: Endpoint<Body = (), Reply = Page<T>>,
        E::Query: PagedQuery,
        T: Send,
    {
        query.set_limit(MAX_LIMIT);
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            query.set_cursor(cursor.clone());
            let request = self.call::<E>(&path, &query, &());
            let page = request.await?;
            items.extend(page.items);
            if page.next.is_none() {
                return Ok(items);
            }
            if page.next == cursor {
                return Err(Error::new(ErrorKind::Protocol, "the server's list does not go on"));
            }
            cursor = page.next;
        }
    }
}
