//! Errors of single files: all that are kept, where a report has the first of them.

use roadstead_api::{
    PageQuery,
    run::RunError,
    run_error::{BackupErrorList, RestoreErrorList},
};

use crate::{BackupReport, RestoreReport, error::Result};

impl BackupReport {
    /// Reads all errors of single files that are kept, 100,000 at the most. Talks to the server, once for a thousand.
    pub async fn all_errors(&self) -> Result<Vec<RunError>> {
        self.client.list_all::<BackupErrorList, _>(self.id, PageQuery::default()).await
    }
}

impl RestoreReport {
    /// Reads all errors of single files that are kept, 100,000 at the most. Talks to the server, once for a thousand.
    pub async fn all_errors(&self) -> Result<Vec<RunError>> {
        self.client.list_all::<RestoreErrorList, _>(self.id, PageQuery::default()).await
    }
}
