//! The audit log.

use roadstead_api::{
    PageQuery,
    audit::{AuditCheck, AuditEntry, AuditList, AuditVerify},
};

use crate::{Client, error::Result};

impl Client {
    /// Lists the whole audit log, newest first. Talks to the server.
    pub async fn audit(&self) -> Result<Vec<AuditEntry>> {
        self.list_all::<AuditList, _>((), PageQuery::default()).await
    }

    /// Has the server verify the hash chain of its audit log. Talks to the server.
    pub async fn verify_audit(&self) -> Result<AuditCheck> {
        self.call::<AuditVerify>(&(), &(), &()).await
    }
}
