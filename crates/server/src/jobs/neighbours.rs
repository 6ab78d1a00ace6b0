//! Passes calls to work between the servers that share a database.

use std::{sync::Arc, time::Duration};

use crate::{
    Error, Result,
    app::App,
    db::neighbours::{Listener, Neighbours},
    signal::Signal,
};

/// How long to wait before listening again when the database is away.
const PAUSE: Duration = Duration::from_secs(1);

const DISPATCH: &str = "dispatch";
const CHECKS: &str = "checks";

/// Tells the neighbours of this server's calls, and hears theirs, until the server ends.
pub async fn run(app: Arc<App>, neighbours: Neighbours) {
    match Neighbours::name() {
        Ok(name) => tokio::select! {
            () = app.ending() => {}
            () = tell(&app, &neighbours, &name) => {}
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

async fn listen(app: &App, neighbours: &Neighbours, name: &str) {
    loop {
        let error = match neighbours.listen().await {
            Ok(listener) => hear(app, listener, name).await,
            Err(error) => Err(error),
        };
        if let Err(error) = error {
            tracing::warn!(error = error.chain(), "the neighbours are not heard just now");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns when words may have been lost.
async fn hear(app: &App, mut listener: Listener, name: &str) -> Result<(), Error> {
    // What was said before anybody listened is looked for now.
    app.live.dispatch.notify_here();
    app.live.checks.notify_here();
    while let Some(word) = listener.heard(name).await? {
        if let Some(signal) = signal(app, &word) {
            signal.notify_here();
        }
    }
    Ok(())
}

/// A newer server may have words that this one does not know.
fn signal<'a>(app: &'a App, word: &str) -> Option<&'a Signal> {
    match word {
        DISPATCH => Some(&app.live.dispatch),
        CHECKS => Some(&app.live.checks),
        _ => None,
    }
}
