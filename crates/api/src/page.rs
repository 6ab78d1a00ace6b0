//! Lists come in pages: `{"items": [...], "next": CURSOR or null}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many items a page holds when nobody says.
pub const DEFAULT_LIMIT: u32 = 100;
/// How many items a page holds at the most.
pub const MAX_LIMIT: u32 = 1000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The items, in the list's own order.
    pub items: Vec<T>,
    /// What to hand in as `cursor` for the page after this one; absent on the last.
    pub next: Option<String>,
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageQuery {
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
