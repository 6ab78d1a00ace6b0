//! `roadstead backups errors` and `restores errors`: the files that a run could not read or write.

use roadstead_client::api::{
    PageQuery,
    id::{BackupId, RestoreId},
    run::RunError,
    run_error::{BackupErrorList, RestoreErrorList},
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::Row,
};

impl Row for RunError {
    const COLUMNS: &'static [&'static str] = &["type", "path", "reason"];
    fn cells(&self) -> Vec<String> {
        vec![self.kind.clone(), self.path.clone(), self.reason.clone()]
    }
}

/// Lists the files that a backup could not read.
pub async fn of_backup(session: &Session, backup: BackupId, which: ListArgs) -> Result<Exit> {
    list::print::<BackupErrorList, _>(session, backup, PageQuery::default(), which).await
}

/// Lists the files that a restore could not write.
pub async fn of_restore(session: &Session, restore: RestoreId, which: ListArgs) -> Result<Exit> {
    list::print::<RestoreErrorList, _>(session, restore, PageQuery::default(), which).await
}
