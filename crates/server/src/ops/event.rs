//! The event stream: what a caller may see of what happens.

use std::{collections::BTreeSet, sync::Arc};

use roadstead_api::{
    declarations,
    event::{Event, EventQuery, PERMISSION},
};

use super::Context;
use crate::{
    Error, Result,
    auth::{Actor, Presented},
    events::{Batch, Entry, Reader},
};

/// After one of these has changed, a caller may be somebody else, or nobody.
const CALLERS: [&str; 3] = ["user", "api_key", "session"];
/// How long the text of a query may be, in bytes.
const MAX_QUERY: usize = 1000;

/// A stream of events for one caller.
#[derive(Debug)]
pub struct EventStream {
    context: Context,
    /// What the caller showed to prove who they are, to be looked at again.
    presented: Presented,
    wanted: Option<BTreeSet<String>>,
    readable: BTreeSet<&'static str>,
    reader: Reader,
}

/// The next of a stream.
#[derive(Debug)]
pub enum Next {
    /// Events, none of which may be for this caller.
    Events(Vec<(String, Event)>),
    /// Something was missed.
    Missed,
}

/// Opens a stream that goes on after the place `last`, or begins now.
pub fn open(
    context: Context,
    presented: Presented,
    query: &EventQuery,
    last: Option<&str>,
) -> Result<EventStream> {
    context.require(PERMISSION)?;
    let reader = context.db.events().client(last)?;
    let wanted = query.noun.as_deref().map(nouns).transpose()?;
    Ok(EventStream { readable: readable(&context), context, presented, wanted, reader })
}

fn nouns(text: &str) -> Result<BTreeSet<String>> {
    let nouns: BTreeSet<_> = text.split(',').map(|noun| noun.trim().to_owned()).collect();
    let word = |noun: &String| !noun.is_empty() && noun.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if text.len() > MAX_QUERY || !nouns.iter().all(word) {
        return Err(Error::invalid(
            "noun must be one or more nouns with commas between, such as backup,agent.",
        ));
    }
    Ok(nouns)
}

/// The nouns that the caller may list or show.
fn readable(context: &Context) -> BTreeSet<&'static str> {
    let allowed = declarations().into_iter().filter(|d| context.require(d.permission).is_ok());
    allowed.filter_map(|d| d.name.strip_suffix("_list").or_else(|| d.name.strip_suffix("_show"))).collect()
}

impl EventStream {
    /// The place of what was read last.
    pub fn place(&self) -> String {
        self.reader.place()
    }

    /// Whether something was missed before the first event.
    pub fn has_missed(&mut self) -> bool {
        self.reader.has_lost()
    }

    /// Waits until something comes. Dropped while it waits, it has missed nothing.
    pub async fn wait(&mut self) -> Batch {
        self.reader.next().await
    }

    /// What the caller may see of what came. An error is the end: the caller may no longer listen.
    pub async fn next(&mut self, came: Batch) -> Result<Next> {
        let Batch::Entries(mut entries) = came else { return Ok(Next::Missed) };
        let account = self.context.account();
        entries.retain(|entry| entry.told.account == account);
        if entries.iter().any(|entry| CALLERS.contains(&entry.told.event.noun.as_str())) {
            self.look_again().await?;
        }
        let events = self.context.db.events();
        let seen = entries.iter().filter(|entry| self.sees(entry));
        Ok(Next::Events(seen.map(|e| (events.name(e.number), e.told.event.clone())).collect()))
    }

    /// Looks again who the caller is, and what they may see.
    pub async fn look_again(&mut self) -> Result<()> {
        match self.context.app.authenticate(&self.presented).await? {
            Actor::User(user) | Actor::Session(user, _)
                if user.account_id == self.context.user.account_id =>
            {
                self.context.user = user
            }
            _ => return Err(Error::forbidden("The credentials are somebody else's now.")),
        }
        self.context.require(PERMISSION)?;
        self.readable = readable(&self.context);
        Ok(())
    }

    fn sees(&self, entry: &Arc<Entry>) -> bool {
        let noun = entry.told.event.noun.as_str();
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(noun))
            && self.readable.contains(noun)
            && entry.told.only_for.is_none_or(|user| user == self.context.user.id)
    }
}

#[cfg(test)]
mod tests {
    use super::nouns;

    #[test]
    fn nouns_are_words() {
        assert_eq!(nouns("backup, agent,api_key").unwrap().len(), 3);
        for wrong in ["", ",", "backup,", "Backup", "b\0", &"a,".repeat(600)] {
            assert!(nouns(wrong).is_err(), "{wrong}");
        }
    }
}
