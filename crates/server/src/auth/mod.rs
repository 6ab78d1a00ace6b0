//! Who sends a request: the credentials in its `Authorization` header, looked up.
//!
//! Users come with an API key (Bearer, or Basic with their name) or with name and password (Basic); agents with their
//! credential (Bearer, or Basic with any name, since restic's REST clients speak Basic). Every failure gives the same
//! answer.

pub mod attempts;
pub mod password;
pub mod public_key;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::{id::AgentId, user::User};

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
    /// An agent.
    Agent(AgentId),
}

/// What an `Authorization` header carries.
struct Presented {
    username: Option<String>,
    secret: String,
}

/// Finds who sent this `Authorization` header.
pub async fn authenticate(db: &Db, attempts: &Attempts, now_ms: i64, header: Option<&str>) -> Result<Actor> {
    let presented = header.and_then(parse).ok_or_else(refused)?;
    if presented.secret.starts_with(AGENT_PREFIX) {
        return agent(db, &presented.secret).await;
    }
    if presented.secret.starts_with(API_KEY_PREFIX) {
        return api_key(db, &presented).await;
    }
    with_password(db, attempts, now_ms, presented).await
}

fn refused() -> Error {
    Error::new(ErrorKind::Unauthorized, "No valid credentials: send an API key, or a user name and password.")
}

fn parse(header: &str) -> Option<Presented> {
    let (scheme, value) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Presented { username: None, secret: value.trim().to_owned() });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    let (username, secret) = decoded.split_once(':')?;
    Some(Presented { username: Some(username.to_owned()), secret: secret.to_owned() })
}

async fn agent(db: &Db, credential: &str) -> Result<Actor> {
    let mut read = db.read().await?;
    let found = db::agent::by_credential(&mut read, &random::fingerprint(credential)).await?;
    found.map(Actor::Agent).ok_or_else(refused)
}

async fn api_key(db: &Db, presented: &Presented) -> Result<Actor> {
    let mut read = db.read().await?;
    let user = db::user::by_api_key(&mut read, &random::fingerprint(&presented.secret)).await?;
    user.filter(|user| presented.username.as_ref().is_none_or(|name| *name == user.username))
        .map(Actor::User)
        .ok_or_else(refused)
}

async fn with_password(db: &Db, attempts: &Attempts, now_ms: i64, presented: Presented) -> Result<Actor> {
    let username = presented.username.ok_or_else(refused)?;
    attempts.begin(&username, now_ms)?;
    let found = db::user::with_password_hash(&mut *db.read().await?, &username).await?;
    // A name that there is not takes as long as one that there is.
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let matches = password::verify(presented.secret, hash).await?;
    let user = user.filter(|_| matches).ok_or_else(refused)?;
    attempts.succeeded(&username);
    Ok(Actor::User(user))
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
