//! Events, one after the other, each waited for.

use super::{Events, refuse_async};
use crate::{Notice, error::Result};

/// Notice after notice, each waited for. Ends after an error.
impl Iterator for Events {
    type Item = Result<Notice>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = refuse_async() {
            return Some(Err(error));
        }
        if self.inner.has_ended() {
            return None;
        }
        Some(self.runtime.block_on(self.inner.next()))
    }
}
