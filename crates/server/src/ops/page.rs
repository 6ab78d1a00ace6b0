//! Keyset pages: `limit` and `cursor` in, items and the next cursor out.

use roadstead_api::{
    Page,
    page::{DEFAULT_LIMIT, MAX_LIMIT},
};

use crate::{Error, Result};

/// How many items a page has.
pub fn limit(asked: Option<u32>) -> Result<usize> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit as usize),
        limit => Err(Error::invalid(format!("limit is {limit}; it goes from 1 to {MAX_LIMIT}."))),
    }
}

/// The number that a cursor stands for, or `start` without one.
pub fn number(cursor: Option<&str>, start: i64) -> Result<i64> {
    let wrong = |_| Error::invalid("cursor must be `next` of an earlier page of this list.");
    cursor.map_or(Ok(start), |cursor| cursor.parse().map_err(wrong))
}

/// Makes a page of what was fetched with one item more than the limit, so that the last page is known as such.
pub fn page<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(key);
    Page { items, next }
}

/// How many items to fetch for a page of this limit.
pub fn fetch(limit: usize) -> i64 {
    limit as i64 + 1
}
