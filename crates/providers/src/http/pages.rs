//! Follows the pages of a list to their end.

use std::{collections::HashSet, future::Future, hash::Hash};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{Error, ErrorKind, Result};

/// More pages than any list has. A far side that never comes to an end is broken.
const MAX_PAGES: usize = 10_000;
/// Numbered pages that are asked for at once: half of the calls that a backend takes at a time, so that nobody who wants
/// something of it meanwhile has to wait for a long list.
const AT_ONCE: usize = 4;

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

/// One page of a list whose pages are numbered from 1 on.
#[derive(Debug)]
pub(crate) struct NumberedPage<T> {
    /// What is on the page.
    pub(crate) items: Vec<T>,
    /// The number of the last page, as this one tells.
    pub(crate) last: usize,
}

/// Reads every page of a list whose pages are numbered and tell how many there are: the first, then the others that it
/// tells of, several at once, and then those that have come meanwhile. The items are in the order of the pages.
///
/// Errors: [`ErrorKind::Malformed`] when there are more pages than any list has.
pub(crate) async fn numbered_pages<T, F>(read: impl Fn(usize) -> F) -> Result<Vec<T>>
where
    F: Future<Output = Result<NumberedPage<T>>>,
{
    let NumberedPage { mut items, mut last } = read(1).await?;
    let mut done = 1;
    while done < last {
        if last > MAX_PAGES {
            return Err(Error::new(ErrorKind::Malformed, "a list has more pages than there can be"));
        }
        let more: Vec<_> = stream::iter(done + 1..=last).map(&read).buffered(AT_ONCE).try_collect().await?;
        done = last;
        for page in more {
            items.extend(page.items);
            last = last.max(page.last);
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{AT_ONCE, MAX_PAGES, NumberedPage, Page, numbered_pages, pages};
    use crate::ErrorKind;

    #[tokio::test]
    async fn numbered_pages_are_read_once_in_order_and_some_at_a_time() {
        let (asked, now, most) = (Cell::new(0), Cell::new(0), Cell::new(0));
        // It grows by a page while it is read.
        let read = async |page: usize| {
            asked.set(asked.get() + 1);
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            Ok(NumberedPage { items: vec![page], last: if page < 9 { 9 } else { 10 } })
        };
        assert_eq!(numbered_pages(read).await.unwrap(), (1..=10).collect::<Vec<_>>());
        assert_eq!((asked.get(), most.get()), (10, AT_ONCE));
        let alone = async |_: usize| Ok(NumberedPage { items: vec![7], last: 0 });
        assert_eq!(numbered_pages(alone).await.unwrap(), [7]);
        let endless = async |_: usize| Ok(NumberedPage { items: vec![()], last: MAX_PAGES + 1 });
        assert_eq!(numbered_pages(endless).await.unwrap_err().kind(), ErrorKind::Malformed);
    }

    #[tokio::test]
    async fn every_page_is_read_once_and_circles_end() {
        let read =
            |page: u32| async move { Ok(Page { items: vec![page], next: (page < 5).then_some(page + 1) }) };
        assert_eq!(pages(1, read).await.unwrap(), [1, 2, 3, 4, 5]);
        let round = |page: u32| async move { Ok(Page { items: vec![page], next: Some((page + 1) % 3) }) };
        assert_eq!(pages(0, round).await.unwrap_err().kind(), ErrorKind::Malformed);
    }
}
