//! The audit log: every change, who made it, and from where. Each entry carries a hash over itself and the entry
//! before it, so that one that was edited or removed is noticed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints};

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// The entry's number; none is left out.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it, such as `user admin`.
    pub actor: String,
    /// Where the request came from: an IP address, or nothing where it is not known.
    pub source: String,
    /// What was done: the name of an endpoint, such as `backup_create`.
    pub action: String,
    /// To what, such as an id.
    pub target: String,
    /// SHA-256 over the entry before and this one, in hexadecimal.
    pub hash: String,
}

/// Whether the audit log is whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditCheck {
    /// Entries looked at.
    pub entries: u64,
    /// The first entry that does not follow from the one before it; nothing where all do.
    pub broken_at: Option<i64>,
}

endpoints! {
    /// Lists the audit log, newest first.
    AuditList = "audit_list": Get "/audit", Admin, (()) ? PageQuery, () => 200 Page<AuditEntry>;
    /// Verifies the hash chain of the audit log.
    AuditVerify = "audit_verify": Get "/audit/verification", Admin, (()) ? (), () => 200 AuditCheck;
}
