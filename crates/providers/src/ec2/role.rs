//! The keys of the role of the instance that this server runs on, from Amazon's instance metadata service, version 2.
//!
//! The address is the operator's: it is the one that no backend may ever be put at. So the client for it is one of its
//! own, which no user's field reaches, and what it learns goes into signatures only.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>.

use std::time::Duration;

use aws_credential_types::Credentials as Keys;
use jiff::Timestamp;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::keys::keys;
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    http::{Base, Call, HttpClient, Repeat, Service},
};

const SERVICE: Service = Service::json("the instance metadata service");
/// Where the roles are; there is one, or none.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// How long a session with the service lasts, in seconds; it is asked thrice in a row, and then not for hours.
const SESSION_SECONDS: &str = "60";
/// Keys are given up this long before their time. The service has new ones by then.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// The service is not asked again within this, even if it gives keys that are about to expire.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// No keys are used for longer than this, whatever the service says. Amazon's last six hours.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);

/// The role of this machine.
pub(super) struct Role {
    http: HttpClient,
    base: Base,
    held: Mutex<Option<Held>>,
}

struct Held {
    keys: Keys,
    until: Timestamp,
}

/// What the service answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Issued {
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

impl Role {
    /// The role that the service at this URL of the operator's tells of. Talks to nobody.
    pub(super) fn new(setup: &Setup, url: &str) -> Result<Self> {
        let base = Base::parse("local_aws_metadata", url)?;
        Ok(Self { http: HttpClient::at_operators_word(setup, SERVICE)?, base, held: Mutex::new(None) })
    }

    /// Its keys, new ones where those at hand are about to expire.
    pub(super) async fn keys(&self) -> Result<Keys> {
        // Whoever comes second waits for what the first one gets.
        let mut held = self.held.lock().await;
        if let Some(fresh) = held.as_ref().filter(|held| held.until > Timestamp::now()) {
            return Ok(fresh.keys.clone());
        }
        let new = self.fetch().await?;
        let keys = new.keys.clone();
        *held = Some(new);
        Ok(keys)
    }

    /// Forgets the keys. Whether there were any.
    pub(super) async fn forget(&self) -> bool {
        self.held.lock().await.take().is_some()
    }

    async fn fetch(&self) -> Result<Held> {
        let session = Call::put(self.base.link("/latest/api/token")?).repeat(Repeat::Always);
        let session = session.header("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS);
        let session = self.text(session).await?;
        self.http.redactor().hide(&session);
        let ask = |url: Url| Call::get(url).header("x-aws-ec2-metadata-token", session.clone());
        let roles = self.text(ask(self.base.link(ROLES)?)).await;
        let roles = roles.map_err(|e| e.refiled(ErrorKind::NotFound, ErrorKind::WrongCredentials))?;
        let role = roles.lines().map(str::trim).find(|line| !line.is_empty());
        let role = role.ok_or_else(|| self.fails("names no role"))?;
        let at = self.base.at(&["latest", "meta-data", "iam", "security-credentials", role])?;
        self.held(self.http.json(ask(at)).await?)
    }

    async fn text(&self, call: Call) -> Result<String> {
        let reply = self.http.send(call).await?;
        String::from_utf8(reply.body.clone()).map_err(|e| reply.malformed().caused_by(e))
    }

    fn held(&self, issued: Issued) -> Result<Held> {
        if issued.code.as_deref().is_some_and(|code| code != "Success") {
            return Err(self.fails("has no keys for the role now"));
        }
        let (Some(id), Some(secret)) = (issued.access_key_id, issued.secret_access_key) else {
            return Err(self.fails("gives no keys for the role"));
        };
        self.http.redactor().hide(&secret);
        let until = lasts_until(issued.expiration.as_deref(), Timestamp::now());
        Ok(Held { keys: keys(&id, &secret, issued.token), until })
    }

    fn fails(&self, what: &str) -> Error {
        Error::new(ErrorKind::WrongCredentials, format!("{} {what}", SERVICE.name))
    }
}

/// Until when keys are used that expire then, as of `now`.
fn lasts_until(expiration: Option<&str>, now: Timestamp) -> Timestamp {
    let told: Option<Timestamp> = expiration.and_then(|text| text.parse().ok());
    let left = told.and_then(|told| Duration::try_from(told.duration_since(now)).ok()).unwrap_or_default();
    let life = left.saturating_sub(MARGIN).clamp(SHORTEST_LIFE, LONGEST_LIFE);
    now.saturating_add(life).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan};
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{Issued, lasts_until};

    #[test]
    fn keys_are_given_up_before_their_time() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (expiration, minutes) in [
            (Some("2026-01-01T06:00:00Z"), 355),
            (Some("2026-01-01T00:05:30Z"), 1),
            (Some("2025-01-01T00:00:00Z"), 1),
            (Some("2030-01-01T00:00:00Z"), 720),
            (Some("soon"), 1),
            (None, 1),
        ] {
            assert_eq!(lasts_until(expiration, now), now + minutes.minutes(), "{expiration:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in any::<String>()) {
            let _ = serde_json::from_str::<Issued>(&text);
            let now = Timestamp::UNIX_EPOCH;
            prop_assert!(lasts_until(Some(&text), now) > now);
            let _ = lasts_until(Some(&text), Timestamp::MAX);
        }
    }
}
