//! What all lists have in common: `--limit`, `--cursor`, `--all`.

use clap::Args;
use roadstead_client::{
    PagedQuery,
    api::{Endpoint, Page, page},
};
use serde::Serialize;

use crate::{
    error::{Error, Exit, Result},
    session::Session,
    table::Row,
};

/// Which part of a list to print.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// How many items at the most.
    #[arg(long, value_name = "N", default_value_t = page::DEFAULT_LIMIT,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(page::MAX_LIMIT)))]
    limit: u32,
    /// Where to go on: "next" of the page before.
    #[arg(long, value_name = "CURSOR", conflicts_with = "all")]
    cursor: Option<String>,
    /// Read the list to its end.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl ListArgs {
    /// A part of a list that the server tells as a whole: its cursor is how many items came before.
    fn of<T>(&self, items: Vec<T>) -> Result<Page<T>> {
        let unknown = |_| Error::usage("--cursor must be \"next\" of an earlier page of this list");
        let before = self.cursor.as_deref().map_or(Ok(0), str::parse::<usize>).map_err(unknown)?;
        let limit = if self.all { items.len() } else { self.limit as usize };
        let end = before.saturating_add(limit);
        let next = (end < items.len()).then(|| end.to_string());
        Ok(Page { items: items.into_iter().skip(before).take(limit).collect(), next })
    }
}

/// Prints a list that the server tells as a whole, or a part of it.
pub fn print_known<T: Serialize + Row>(session: &Session, items: Vec<T>, which: &ListArgs) -> Result<Exit> {
    session.output.page(&which.of(items)?)?;
    Ok(Exit::Done)
}

/// Reads a list, or a page of it, and prints it.
pub async fn print<E, T>(
    session: &Session,
    path: E::Path,
    mut query: E::Query,
    which: ListArgs,
) -> Result<Exit>
where
    E: Endpoint<Body = (), Reply = Page<T>>,
    E::Query: PagedQuery,
    T: Serialize + Row + Send,
{
    let page = if which.all {
        Page { items: session.client.list_all::<E, T>(path, query).await?, next: None }
    } else {
        query.set_limit(which.limit);
        query.set_cursor(which.cursor);
        session.client.call::<E>(&path, &query, &()).await?
    };
    session.output.page(&page)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_list_has_pages() {
        let part = |cursor: Option<&str>, all| {
            let which = ListArgs { limit: 2, cursor: cursor.map(str::to_owned), all };
            which.of(vec!['a', 'b', 'c', 'd', 'e']).map(|page| (String::from_iter(page.items), page.next))
        };
        let mut pages = Vec::new();
        let mut cursor = None;
        loop {
            let (items, next) = part(cursor.as_deref(), false).unwrap();
            pages.push(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(pages, ["ab", "cd", "e"]);
        assert_eq!(part(None, true).unwrap(), ("abcde".to_owned(), None));
        assert_eq!(part(Some("9"), false).unwrap(), (String::new(), None));
        assert!(part(Some("-1"), false).is_err() && part(Some("x"), false).is_err());
    }
}
