//! Errors of single files, page by page: a report carries the first of them, and here are as many as are kept.

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{BackupId, RestoreId},
    run::RunError,
};

/// How many errors of a run are kept; the rest is counted.
pub const MAX_KEPT_ERRORS: usize = 100_000;
/// How many go in one message of the link.
pub const MAX_ERRORS_PER_MESSAGE: usize = 1000;
/// How long these may be in JSON, in bytes.
pub const MAX_ERROR_BYTES_PER_MESSAGE: usize = 512 << 10;

endpoints! {
    /// Lists the files that a backup could not read, in the order in which they were met; the first 100000 of them.
    BackupErrorList = "backup_error_list": Get "/backups/{id}/errors", Observer, (BackupId) ? PageQuery, () => 200 Page<RunError>;
    /// Lists the files that a restore could not write, in the order in which they were met; the first 100000 of them.
    RestoreErrorList = "restore_error_list": Get "/restores/{id}/errors", Observer, (RestoreId) ? PageQuery, () => 200 Page<RunError>;
}
