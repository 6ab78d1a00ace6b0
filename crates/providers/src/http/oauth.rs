//! Tokens that are asked for, used until shortly before they expire, and asked for again (OAuth 2.0, RFC 6749).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Request, header::AUTHORIZATION};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    auth::{Auth, set_secret},
    call::{Call, Repeat},
    client::HttpClient,
};
use crate::{
    credentials::Secret,
    error::{ErrorKind, Result},
};

/// A token is given up this long before its time, lest it expire on its way.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a token is used whose issuer does not say how long it lasts.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);
/// No token is used for longer, whatever its issuer says.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Makes the call that asks for a token, as of this time.
pub(crate) type Grant = Box<dyn Fn(Timestamp) -> Result<Call> + Send + Sync>;

/// Bearer tokens from an issuer.
pub(crate) struct OAuth {
    issuer: HttpClient,
    grant: Grant,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    until: Timestamp,
}

/// What an issuer answers (section 5.1).
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    /// Seconds. Some issuers send them as text.
    expires_in: Option<Value>,
}

impl Issued {
    fn life(&self) -> Duration {
        let told = self.expires_in.as_ref();
        let seconds = told.and_then(|life| life.as_u64().or_else(|| life.as_str()?.trim().parse().ok()));
        let life = seconds.map_or(DEFAULT_LIFE, Duration::from_secs);
        life.min(LONGEST_LIFE).saturating_sub(MARGIN)
    }
}

impl OAuth {
    /// Tokens for the calls that `grant` makes, sent by `issuer`, which signs nothing.
    pub(crate) fn new(issuer: HttpClient, grant: Grant) -> Arc<Self> {
        Arc::new(Self { issuer, grant, held: Mutex::new(None) })
    }

    async fn fetch(&self) -> Result<Held> {
        let now = Timestamp::now();
        // A token more or less changes nothing. And an issuer has nothing to find fault with but the credentials,
        // whatever status it says so with.
        let call = (self.grant)(now)?.repeat(Repeat::Always);
        let issued = self.issuer.json::<Issued>(call).await;
        let issued = issued.map_err(|e| e.refiled(ErrorKind::Invalid, ErrorKind::WrongCredentials))?;
        self.issuer.redactor().hide(&issued.access_token);
        let until = now.saturating_add(issued.life()).unwrap_or(now);
        Ok(Held { token: Secret::new(issued.access_token), until })
    }
}

#[async_trait]
impl Auth for OAuth {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        // Whoever comes second waits for the first one's token rather than asking for one more.
        let mut held = self.held.lock().await;
        let fresh = match held.take().filter(|held| held.until > Timestamp::now()) {
            Some(fresh) => fresh,
            None => self.fetch().await?,
        };
        let header = format!("Bearer {}", fresh.token.expose());
        *held = Some(fresh);
        set_secret(request, AUTHORIZATION, &header)
    }

    async fn renew(&self, refused: &Request, _: Option<Timestamp>) -> bool {
        let mut held = self.held.lock().await;
        let sent = refused.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|header| header.strip_prefix("Bearer "));
        // Another call may have renewed it in the meantime.
        if held.as_ref().is_some_and(|held| sent == Some(held.token.expose())) {
            *held = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DEFAULT_LIFE, Issued, LONGEST_LIFE, MARGIN};

    #[test]
    fn a_token_is_given_up_before_its_time() {
        for (told, life) in [
            (r#", "expires_in": 3599"#, Duration::from_secs(3599)),
            (r#", "expires_in": "3599""#, Duration::from_secs(3599)),
            (r#", "expires_in": 30"#, MARGIN),
            (r#", "expires_in": -1"#, DEFAULT_LIFE),
            (r#", "expires_in": 18446744073709551615"#, LONGEST_LIFE),
            ("", DEFAULT_LIFE),
        ] {
            let issued: Issued = serde_json::from_str(&format!(r#"{{"access_token": "t"{told}}}"#)).unwrap();
            assert_eq!(issued.life(), life - MARGIN, "{told}");
        }
    }
}
