//! Sessions of browsers: signing in and out, and which are open.

use roadstead_api::{
    Page, PageQuery,
    id::SessionId,
    session::{Session, SessionCreate, SessionDelete, SessionDeleteCurrent, SessionList, SessionShowCurrent},
};

use super::{Context, page};
use crate::{
    Error, Result,
    auth::session::{LIFETIME_MS, SESSION_PREFIX, alive},
    db::{self, session::NewSession as NewSessionRow},
    random,
};

/// How much of what a browser calls itself is kept, in characters.
const MAX_USER_AGENT: usize = 200;

/// A session just begun, with its secret.
#[derive(Debug)]
pub struct Begun {
    /// The session.
    pub session: Session,
    /// What the cookie carries. Shown this once.
    pub secret: String,
}

/// Begins a session of the caller, who has shown a password for it.
pub async fn create(context: &Context, user_agent: &str) -> Result<Begun> {
    context.authorize::<SessionCreate>()?;
    let now_ms = context.now_ms();
    let secret = random::secret(SESSION_PREFIX)?;
    let user_agent: String =
        user_agent.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT).collect();
    let row = NewSessionRow {
        user: context.user.id,
        secret_hash: &random::fingerprint(&secret),
        source: &context.source,
        user_agent: &user_agent,
        now_ms,
        expires_ms: now_ms + LIFETIME_MS,
    };
    let mut change = context.change::<SessionCreate>().await?;
    db::session::delete_ended(&mut change, alive(now_ms)).await?;
    let id = db::session::insert(&mut change, &row).await?;
    change.commit(id).await?;
    let session = get(context, id).await?;
    Ok(Begun { session: Session { current: true, ..session }, secret })
}

/// Lists the caller's sessions.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<Session>> {
    context.authorize::<SessionList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let alive = alive(context.now_ms());
    let mut read = context.db.read().await?;
    let sessions = db::session::list(&mut read, &context.user, alive, after, page::fetch(limit)).await?;
    let mut page = page::page(sessions, limit, |session| session.id.to_string());
    for session in &mut page.items {
        session.current = Some(session.id) == context.session;
    }
    Ok(page)
}

/// Shows the session that asks.
pub async fn show_current(context: &Context) -> Result<Session> {
    context.authorize::<SessionShowCurrent>()?;
    Ok(Session { current: true, ..get(context, current(context)?).await? })
}

/// Ends the session that asks.
pub async fn delete_current(context: &Context) -> Result<()> {
    context.authorize::<SessionDeleteCurrent>()?;
    let id = current(context)?;
    let mut change = context.change::<SessionDeleteCurrent>().await?;
    db::session::delete(&mut change, context.user.id, id).await?;
    change.commit(id).await
}

/// Ends a session of the caller.
pub async fn delete(context: &Context, id: SessionId) -> Result<()> {
    let mut change = context.change::<SessionDelete>().await?;
    if !db::session::delete(&mut change, context.user.id, id).await? {
        return Err(not_found(id));
    }
    change.commit(id).await
}

async fn get(context: &Context, id: SessionId) -> Result<Session> {
    let found = db::session::get(&mut *context.db.read().await?, &context.user, id).await?;
    found.ok_or_else(|| not_found(id))
}

fn current(context: &Context) -> Result<SessionId> {
    let none = || Error::not_found("This request carries other credentials than a session's cookie.");
    context.session.ok_or_else(none)
}

fn not_found(id: SessionId) -> Error {
    Error::not_found(format!("You have no session {id}."))
}
