//! The audit log.

use roadstead_api::{
    Page, PageQuery,
    audit::{AuditCheck, AuditEntry, AuditList, AuditVerify},
};

use super::{Context, page};
use crate::{Result, db};

/// How many entries are read at once while the chain is verified.
const STEP: i64 = 1000;

/// Lists the log, newest first.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<AuditEntry>> {
    context.authorize::<AuditList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let entries = db::audit::list(&mut read, context.account(), before, page::fetch(limit)).await?;
    Ok(page::page(entries, limit, |entry| entry.id.to_string()))
}

/// Verifies the chain, which is one for the whole server.
pub async fn verify(context: &Context) -> Result<AuditCheck> {
    context.authorize::<AuditVerify>()?;
    let mut read = context.db.read().await?;
    let (mut entries, mut before) = (0, None);
    loop {
        let after = before.as_ref().map_or(0, |entry: &db::audit::ChainedEntry| entry.id);
        let step = db::audit::chain(&mut read, after, STEP).await?;
        if step.is_empty() {
            return Ok(AuditCheck { entries, broken_at: None });
        }
        for entry in step {
            entries += 1;
            if !entry.follows(before.as_ref()) {
                return Ok(AuditCheck { entries, broken_at: Some(entry.id) });
            }
            before = Some(entry);
        }
    }
}
