//! Creates that are asked for twice and done once.
//!
//! Whoever asks for a create names it with a key of their own. That it was done is written down in the transaction of
//! the change itself, so neither a crash nor another server can do it a second time; its reply follows, sealed, since
//! some replies show a secret. If the server ends between the two, the reply is read anew from what was made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use roadstead_api::id::UserId;

use super::Context;
use crate::{
    Error, ErrorKind, Result,
    creates::Claim,
    db::{self, Write},
};

/// How long a key is remembered, in milliseconds: 24 hours.
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// How long a key may be, in characters.
const MAX_KEY: usize = 255;

/// A create with a key, in hand.
#[derive(Debug)]
pub struct Once {
    claim: Claim,
    fingerprint: String,
    written: AtomicBool,
}

/// What is known of a create when it is asked for.
#[derive(Debug)]
pub enum Known {
    /// Nothing: it is to be done.
    New(Arc<Once>),
    /// It was done, with this reply as JSON.
    Done(String),
    /// It was done, and made what has this id; its reply was lost.
    Made(String),
}

/// Looks up whether a create was done before. `request` is all that makes one request differ from another.
pub async fn begin(context: &Context, key: &str, request: &str) -> Result<Known> {
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid(format!(
            "An Idempotency-Key has 1 to {MAX_KEY} visible characters of ASCII, no blanks."
        )));
    }
    let user = context.user.id;
    let account_key = context.account_key(context.account()).await?;
    let fingerprint = account_key.fingerprint(&place(user, key), request);
    // Taken before the look: what ends in between is seen by it.
    let claim = context.creates.claim(user, key).ok_or_else(running)?;
    let since_ms = context.now_ms() - REMEMBERED_MS;
    let found = db::idempotency_key::get(&mut *context.db.read().await?, user, key, since_ms).await?;
    let Some(row) = found else {
        return Ok(Known::New(Arc::new(Once { claim, fingerprint, written: AtomicBool::new(false) })));
    };
    if row.fingerprint != fingerprint {
        return Err(Error::new(ErrorKind::KeyReused, "This Idempotency-Key was used for another request."));
    }
    match row.sealed_reply {
        Some(sealed) => account_key.open(&place(user, key), &sealed).map(Known::Done),
        None => Ok(Known::Made(row.target)),
    }
}

impl Once {
    /// Writes down, in the transaction of the change, that the create is done. A request may make several changes; the
    /// first of them counts.
    pub async fn write(&self, write: &mut Write, target: &str, now_ms: i64) -> Result<()> {
        if self.written.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        db::idempotency_key::delete_before(write, now_ms - REMEMBERED_MS).await?;
        let done = (self.fingerprint.as_str(), target);
        match db::idempotency_key::insert(write, self.claim.user, &self.claim.key, done, now_ms).await? {
            true => Ok(()),
            false => Err(running()),
        }
    }

    /// Keeps the reply for whoever asks again.
    pub async fn keep(&self, context: &Context, reply: &str) -> Result<()> {
        if !self.written.load(Ordering::Relaxed) {
            return Ok(());
        }
        let account_key = context.account_key(context.account()).await?;
        let sealed = account_key.seal(&place(self.claim.user, &self.claim.key), reply)?;
        let mut write = context.db.write().await?;
        db::idempotency_key::set_reply(&mut write, self.claim.user, &self.claim.key, &sealed).await?;
        write.commit().await
    }
}

fn running() -> Error {
    let message = "A request with this Idempotency-Key is still running; ask again soon.";
    Error::new(ErrorKind::Running, message).come_back_after(Duration::from_secs(1))
}

fn place(user: UserId, key: &str) -> String {
    format!("idempotency_keys/{user}/{key}/sealed_reply")
}
