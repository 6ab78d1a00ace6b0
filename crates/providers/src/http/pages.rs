//! Follows the pages of a list to their end.

use std::{collections::HashSet, future::Future, hash::Hash};

use crate::error::{Error, ErrorKind, Result};

/// More pages than any list has. A far side that never comes to an end is broken.
const MAX_PAGES: usize = 10_000;

/// One page of a list, and what asks for the next; `None` on the last.
#[derive(Debug)]
pub(crate) struct Page<T, C> {
    /// What is on the page.
    pub(crate) items: Vec<T>,
    /// The page after it.
    pub(crate) next: Option<C>,
}

/// Reads every page, from `first` on. `read` gets what asks for a page.
///
/// Errors: [`ErrorKind::Malformed`] when a page leads back to one that was read before.
pub(crate) async fn pages<T, C, F>(first: C, mut read: impl FnMut(C) -> F) -> Result<Vec<T>>
where
    C: Clone + Eq + Hash,
    F: Future<Output = Result<Page<T, C>>>,
{
    let mut seen = HashSet::from([first.clone()]);
    let mut items = Vec::new();
    let mut next = Some(first);
    while let Some(cursor) = next {
        let page = read(cursor).await?;
        items.extend(page.items);
        next = page.next;
        if let Some(cursor) = &next
            && (!seen.insert(cursor.clone()) || seen.len() > MAX_PAGES)
        {
            return Err(Error::new(ErrorKind::Malformed, "the pages of a list lead round in a circle"));
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::{Page, pages};
    use crate::ErrorKind;

    #[tokio::test]
    async fn every_page_is_read_once_and_circles_end() {
        let read =
            |page: u32| async move { Ok(Page { items: vec![page], next: (page < 5).then_some(page + 1) }) };
        assert_eq!(pages(1, read).await.unwrap(), [1, 2, 3, 4, 5]);
        let round = |page: u32| async move { Ok(Page { items: vec![page], next: Some((page + 1) % 3) }) };
        assert_eq!(pages(0, round).await.unwrap_err().kind(), ErrorKind::Malformed);
    }
}
