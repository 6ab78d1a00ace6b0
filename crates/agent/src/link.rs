//! Keeps a link to the server, whatever happens: one session after the other, with waits in between.

use std::time::{Duration, Instant};

use crate::{
    backoff::{Backoff, Reconnect},
    desk::Desk,
    error::{Error, ErrorKind, Result},
    host,
    identity::Identity,
    runs::Runs,
    session::Session,
};

/// Keeps the link until all runs have ended, been told and acknowledged after [`Runs::close`].
pub(crate) async fn keep(identity: &Identity, runs: &Runs, desk: &Desk, reconnect: Reconnect) {
    let mut backoff = Backoff::new(reconnect);
    while !runs.is_finished() {
        let Err(error) = serve_once(identity, runs, desk, &mut backoff).await else { continue };
        let wait = pause(&error, &mut backoff);
        tracing::warn!(server = %identity.server, error = %error.chain(), retry_ms = wait.as_millis(), "no link");
        let mut changes = runs.changes();
        let finished = async { while !runs.is_finished() && changes.changed().await.is_ok() {} };
        // Whichever comes first.
        let _ = tokio::time::timeout(wait, finished).await;
    }
}

async fn serve_once(identity: &Identity, runs: &Runs, desk: &Desk, backoff: &mut Backoff) -> Result<()> {
    let host = host::facts();
    let session = Session::open(identity, &host, runs, desk).await?;
    tracing::info!(server = %identity.server, agent = %identity.agent_id, "the link stands");
    let began = Instant::now();
    let served = session.serve().await;
    backoff.stood(began.elapsed());
    served
}

/// How long to wait after an error, with a word to the operator where time alone will not mend it.
fn pause(error: &Error, backoff: &mut Backoff) -> Duration {
    match error.kind() {
        ErrorKind::Unauthorized => {
            tracing::error!(
                "the agent was deleted on its server, or its folder copied from elsewhere: enrol it anew in an empty folder"
            );
            backoff.later()
        }
        ErrorKind::Untrusted => {
            tracing::error!(
                "who answers is not the server that this agent was enrolled with, or its certificate is not in order; \
                 nothing is sent to it. Where the server has a new CA, enrol the agent anew in an empty folder"
            );
            backoff.later()
        }
        ErrorKind::Refused => {
            tracing::error!("the server says why above; the agent tries again until somebody mends it");
            backoff.later()
        }
        ErrorKind::Address => backoff.later(),
        _ => backoff.soon(),
    }
}
