//! What all lists have in common: `--limit`, `--cursor`, `--all`.

use clap::Args;
use roadstead_client::{
    PagedQuery,
    api::{Endpoint, Page, page},
};
use serde::Serialize;

use crate::{
    error::{Exit, Result},
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
