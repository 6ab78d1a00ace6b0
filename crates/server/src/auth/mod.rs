//! Who sends a request: the credentials that it shows, looked up.
//!
//! Users come with an API key (Bearer, or Basic with their name), with name and password (Basic), or with the cookie of
//! a session; agents with their credential (Bearer, or Basic with any name, since restic's REST clients speak Basic).
//! Every failure gives the same answer.

pub mod attempts;
pub mod origin;
pub mod password;
pub mod public_key;
pub mod session;

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{
    id::{AgentId, SessionId},
    user::User,
};

use self::attempts::Attempts;
use crate::{
    Error, ErrorKind, Result,
    db::{self, Db},
    random,
};

/// What an API key begins with.
pub const API_KEY_PREFIX: &str = "rdk_";
/// What an agent's credential begins with.
pub const AGENT_PREFIX: &str = "rda_";

/// Who acts.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A user.
    User(User),
    /// A user in a session.
    Session(User, SessionId),
    /// An agent.
    Agent(AgentId),
}

/// What a request shows of who sends it.
#[derive(Clone, Default)]
pub struct Presented {
    /// Its `Authorization` header.
    pub authorization: Option<String>,
    /// The secret of a session; looked at where there is no such header.
    pub session: Option<String>,
    /// The address that it comes from.
    pub source: Option<IpAddr>,
}

/// Shows nothing secret.
impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What an `Authorization` header carries.
struct Header {
    username: Option<String>,
    secret: String,
}

/// Finds who sent a request that shows this.
pub async fn authenticate(db: &Db, attempts: &Attempts, now_ms: i64, presented: &Presented) -> Result<Actor> {
    let Some(header) = &presented.authorization else {
        let secret = presented.session.as_ref().ok_or_else(refused)?;
        let found = session::find(db, now_ms, secret).await?.ok_or_else(refused)?;
        return Ok(Actor::Session(found.user, found.id));
    };
    let header = parse(header).ok_or_else(refused)?;
    if header.secret.starts_with(AGENT_PREFIX) {
        return agent(db, &header.secret).await;
    }
    if header.secret.starts_with(API_KEY_PREFIX) {
        return api_key(db, &header).await;
    }
    let username = header.username.ok_or_else(refused)?;
    let shown = (username.as_str(), header.secret);
    with_password(db, attempts, now_ms, shown, presented.source).await.map(Actor::User)
}

/// Finds the user of this name and password, who comes from this address.
pub async fn with_password(
    db: &Db,
    attempts: &Attempts,
    now_ms: i64,
    (username, secret): (&str, String),
    source: Option<IpAddr>,
) -> Result<User> {
    attempts.begin(username, source, now_ms)?;
    let found = db::user::with_password_hash(&mut *db.read().await?, username).await?;
    // A name that there is not takes as long as one that there is.
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let matches = password::verify(secret, hash).await?;
    let user = user.filter(|_| matches).ok_or_else(refused)?;
    attempts.succeeded(username, source);
    Ok(user)
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthorized, "No valid credentials: send an API key, or a user name and password.")
}

fn parse(header: &str) -> Option<Header> {
    let (scheme, value) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Header { username: None, secret: value.trim().to_owned() });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    let (username, secret) = decoded.split_once(':')?;
    Some(Header { username: Some(username.to_owned()), secret: secret.to_owned() })
}

async fn agent(db: &Db, credential: &str) -> Result<Actor> {
    let mut read = db.read().await?;
    let found = db::agent::by_credential(&mut read, &random::fingerprint(credential)).await?;
    found.map(Actor::Agent).ok_or_else(refused)
}

async fn api_key(db: &Db, header: &Header) -> Result<Actor> {
    let mut read = db.read().await?;
    let user = db::user::by_api_key(&mut read, &random::fingerprint(&header.secret)).await?;
    user.filter(|user| header.username.as_ref().is_none_or(|name| *name == user.username))
        .map(Actor::User)
        .ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn headers_of_every_shape_are_read_or_refused() {
        let basic = parse("Basic YWRtaW46cmRrX3g6eQ==").unwrap();
        assert_eq!((basic.username.as_deref(), basic.secret.as_str()), (Some("admin"), "rdk_x:y"));
        assert_eq!(parse("bearer rdk_x").unwrap().secret, "rdk_x");
        for wrong in ["", "Bearer", "Basic !!", "Basic YWRtaW4=", "Digest x", "Basic /w=="] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
