//! Passes calls to work, and what has happened, between the servers that share a database.

use std::{sync::Arc, time::Duration};

use crate::{
    Error, Result,
    app::App,
    db::{
        neighbours::{Listener, MAX_WORD, Neighbours},
        row::json,
    },
    events::{Batch, Reader, Told},
    signal::Signal,
};

/// How long to wait before listening again when the database is away.
const PAUSE: Duration = Duration::from_secs(1);

const DISPATCH: &str = "dispatch";
const CHECKS: &str = "checks";
const CLEANUPS: &str = "cleanups";
const VAULT_TASKS: &str = "vault_tasks";
/// A server has begun, or lost count: what its last life had no time to say is missed.
const LOST: &str = "lost";
/// What has happened: a list in JSON follows.
const EVENTS: &str = "events ";

/// Tells the neighbours of this server's calls, and hears theirs, until the server ends.
pub async fn run(app: Arc<App>, neighbours: Neighbours) {
    match Neighbours::name() {
        Ok(name) => tokio::select! {
            () = app.ending() => {}
            () = tell(&app, &neighbours, &name) => {}
            () = tell_events(app.db.events().reader(), &neighbours, &name) => {}
            () = listen(&app, &neighbours, &name) => {}
        },
        Err(error) => tracing::error!(error = error.chain(), "the neighbours are not listened to"),
    }
}

async fn tell(app: &App, neighbours: &Neighbours, name: &str) {
    loop {
        let word = tokio::select! {
            () = app.live.dispatch.to_be_told() => DISPATCH,
            () = app.live.checks.to_be_told() => CHECKS,
            () = app.live.cleanups.to_be_told() => CLEANUPS,
            () = app.live.vault_tasks.to_be_told() => VAULT_TASKS,
        };
        if let Err(error) = neighbours.tell(name, word).await {
            tracing::warn!(
                error = error.chain(),
                word,
                "the neighbours could not be told; they will look later"
            );
        }
    }
}

async fn tell_events(mut events: Reader, neighbours: &Neighbours, name: &str) {
    let mut missed = true;
    loop {
        if missed {
            missed = neighbours.tell(name, LOST).await.is_err();
        }
        if missed {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let words = match events.next().await {
            Batch::Lost => Err(Error::internal("Events were forgotten before the neighbours were told.")),
            Batch::Entries(entries) => {
                words(entries.iter().filter(|entry| entry.here).map(|entry| &entry.told))
            }
        };
        let told = async {
            for word in words? {
                neighbours.tell(name, &word).await?;
            }
            Ok(())
        };
        if let Err(error) = told.await {
            tracing::warn!(error = Error::chain(&error), "the neighbours miss what has happened here");
            missed = true;
        }
    }
}

/// As few words as these events fit in.
fn words<'a>(told: impl Iterator<Item = &'a Told>) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    for told in told {
        let event = json(told)?;
        match words.last_mut() {
            Some(word) if word.len() + event.len() + 2 <= MAX_WORD => {
                word.push(',');
                word.push_str(&event);
            }
            _ => words.push(format!("{EVENTS}[{event}")),
        }
    }
    words.iter_mut().for_each(|word| word.push(']'));
    Ok(words)
}

async fn listen(app: &App, neighbours: &Neighbours, name: &str) {
    let mut again = false;
    loop {
        let error = match neighbours.listen().await {
            Ok(listener) => hear(app, listener, name, again).await,
            Err(error) => Err(error),
        };
        if let Err(error) = error {
            tracing::warn!(error = error.chain(), "the neighbours are not heard just now");
        }
        again = true;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns when words may have been lost.
async fn hear(app: &App, mut listener: Listener, name: &str, again: bool) -> Result<(), Error> {
    // What was said before anybody listened is looked for now.
    app.live.dispatch.notify_here();
    app.live.checks.notify_here();
    app.live.cleanups.notify_here();
    app.live.vault_tasks.notify_here();
    // At the first time nobody has read anything that could be stale.
    if again {
        app.db.events().lost();
    }
    while let Some(word) = listener.heard(name).await? {
        match word.strip_prefix(EVENTS) {
            // A newer server may tell what this one does not understand.
            Some(told) => match serde_json::from_str(told) {
                Ok(told) => app.db.events().heard(told),
                Err(_) => app.db.events().lost(),
            },
            None if word == LOST => app.db.events().lost(),
            None => {
                if let Some(signal) = signal(app, &word) {
                    signal.notify_here();
                }
            }
        }
    }
    Ok(())
}

/// A newer server may have words that this one does not know.
fn signal<'a>(app: &'a App, word: &str) -> Option<&'a Signal> {
    match word {
        DISPATCH => Some(&app.live.dispatch),
        CHECKS => Some(&app.live.checks),
        CLEANUPS => Some(&app.live.cleanups),
        VAULT_TASKS => Some(&app.live.vault_tasks),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::{event::Event, id::AccountId, run::Progress};

    use super::{EVENTS, MAX_WORD, Told, words};

    #[test]
    fn events_are_packed_into_words_that_the_database_takes() {
        let long = Progress { current_path: Some("\u{1}".repeat(500)), ..Progress::default() };
        let told: Vec<_> = (0..100)
            .map(|id| Event::new("backup", id, "progress").progress(long.clone()))
            .map(|event| Told::new(AccountId(1), event))
            .collect();
        let words = words(told.iter()).unwrap();
        assert!(words.len() < 60 && words.iter().all(|word| word.len() <= MAX_WORD));
        let read: Vec<Told> = words
            .iter()
            .flat_map(|word| serde_json::from_str::<Vec<Told>>(word.strip_prefix(EVENTS).unwrap()).unwrap())
            .collect();
        assert_eq!(read, told);
        assert!(super::words(std::iter::empty()).unwrap().is_empty());
    }
}
