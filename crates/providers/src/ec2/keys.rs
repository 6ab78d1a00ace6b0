//! Whose keys calls are signed with: those that were given, those of a profile on this machine, or those of the role of
//! the instance that this server runs on.
//!
//! The latter two belong to whoever operates the server, so they are used only where its settings list them: an API
//! field can choose among them and not add to them.

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use aws_credential_types::Credentials as Keys;
use jiff::{SignedDuration, Timestamp};
use reqwest::Request;

use super::{profile::Profile, role::Role, sign::Signature};
use crate::{
    driver::Setup,
    error::{Error, ErrorKind, Result},
    field::{Field, FieldKind},
    http::Auth,
};

/// A profile on the server's machine.
pub(super) const PROFILE: Field = Field::new(
    "profile",
    FieldKind::Text,
    "In the place of keys: a profile of the server's own credentials file that its operator listed",
)
.also(&["aws_profile"]);
/// The role of the instance that the server runs on.
pub(super) const INSTANCE_ROLE: Field = Field::new(
    "instance_role",
    FieldKind::Flag,
    "In the place of keys: the role of the instance that the server runs on, where its operator allows it",
)
.or("false");

/// Clocks that differ by less than this, in seconds, are none the service refuses a call for.
const CLOSE_ENOUGH: i64 = 60;

/// Signs calls to one region, with keys that may change while it does, and by the service's clock once that has turned
/// out to be another than ours.
pub(super) struct Signer {
    source: Source,
    region: String,
    /// By how many seconds the service's clock is ahead.
    ahead: AtomicI64,
}

enum Source {
    Given(Keys),
    Profile(Profile),
    Role(Box<Role>),
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Signer {
    /// The signer for these settings. Talks to nobody.
    pub(super) fn new(setup: &Setup, region: &str) -> Result<Self> {
        Ok(Self { source: source(setup)?, region: region.to_owned(), ahead: AtomicI64::new(0) })
    }

    /// Sets the clock by the service's. Whether it was wrong.
    fn set_clock(&self, told: Option<Timestamp>) -> bool {
        let Some(told) = told else { return false };
        let ahead = told.duration_since(Timestamp::now()).as_secs();
        let before = self.ahead.swap(ahead, Ordering::Relaxed);
        ahead.saturating_sub(before).saturating_abs() > CLOSE_ENOUGH
    }
}

fn source(setup: &Setup) -> Result<Source> {
    let given = &setup.credentials;
    let local = &setup.local.aws;
    match (given.text("api_key"), given.text(PROFILE.name), given.flag(INSTANCE_ROLE.name)) {
        (Some(id), None, false) => {
            let session = given.secret("session_token").map(|token| token.expose().to_owned());
            let secret = given.required_secret("api_secret")?.expose();
            Ok(Source::Given(keys(id, secret, session)))
        }
        (None, Some(name), false) => {
            let listed = local.profiles.iter().any(|listed| listed == name);
            let file = local.credentials_file.clone().filter(|_| listed);
            let file = file.ok_or_else(|| not_listed("this profile in local_aws_profiles"))?;
            Ok(Source::Profile(Profile { file, name: name.to_owned() }))
        }
        (None, None, true) => {
            let metadata = local.metadata.as_deref();
            let metadata = metadata.ok_or_else(|| not_listed("the role of its instance: local_aws_role"))?;
            Ok(Source::Role(Box::new(Role::new(setup, metadata)?)))
        }
        (None, None, false) => Err(Error::invalid("api_key", "is missing")),
        _ => Err(Error::invalid(
            "api_key",
            "is one of three: give a key, or `profile`, or `instance_role`, and none of the others",
        )),
    }
}

/// Whoever only knows the API learns nothing of what there is on this machine.
fn not_listed(what: &str) -> Error {
    Error::new(ErrorKind::MissingRights, format!("the operator of this server has not listed {what}"))
}

/// A pair of keys, and the token that temporary ones have.
pub(super) fn keys(id: &str, secret: &str, session: Option<String>) -> Keys {
    Keys::new(id, secret, session, None, "roadstead")
}

#[async_trait]
impl Auth for Signer {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        let keys = match &self.source {
            Source::Given(keys) => keys.clone(),
            Source::Profile(profile) => profile.keys().await?,
            Source::Role(role) => role.keys().await?,
        };
        let ahead = SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        let now = Timestamp::now().saturating_add(ahead).unwrap_or_else(|_| Timestamp::now());
        Signature::new(keys, &self.region).put_on(request, now.into())
    }

    /// Keys that were given stay as they are. The others may have been changed by those who made them.
    async fn renew(&self, _: &Request, told: Option<Timestamp>) -> bool {
        let changed = match &self.source {
            Source::Given(_) => false,
            Source::Profile(_) => true,
            Source::Role(role) => role.forget().await,
        };
        self.set_clock(told) || changed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::Signer;
    use crate::{
        AddressGuard, ErrorKind, LocalAccess, LocalAws, Pins, Setup, Timeouts, ec2::FIELDS, error::Result,
    };

    fn signer(given: Value, aws: LocalAws) -> Result<Signer> {
        let given: BTreeMap<String, Value> = serde_json::from_value(given).unwrap();
        let setup = Setup {
            title: "t".into(),
            region: None,
            credentials: FIELDS.check(&given)?,
            pins: Pins::default(),
            guard: AddressGuard::default(),
            timeouts: Timeouts::default(),
            local: LocalAccess { aws, ..LocalAccess::default() },
        };
        Signer::new(&setup, "us-east-1")
    }

    #[test]
    fn what_is_the_operators_has_to_be_listed() {
        let listed = LocalAws {
            profiles: vec!["backup".into()],
            credentials_file: Some("/etc/roadstead/aws".into()),
            metadata: Some("http://169.254.169.254".into()),
        };
        for given in [
            json!({"api_key": "A", "api_secret": "s"}),
            json!({"profile": "backup"}),
            json!({"instance_role": true}),
        ] {
            assert!(signer(given, listed.clone()).is_ok());
        }
        for given in [json!({"profile": "backup"}), json!({"instance_role": true})] {
            let error = signer(given, LocalAws::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MissingRights, "{error}");
        }
        let other = signer(json!({"profile": "root"}), listed.clone()).unwrap_err();
        assert!(other.to_string().contains("local_aws_profiles"), "{other}");
        for (given, field) in [
            (json!({}), "api_key"),
            (json!({"api_key": "A"}), "api_secret"),
            (json!({"api_key": "A", "api_secret": "s", "profile": "backup"}), "api_key"),
            (json!({"profile": "backup", "instance_role": "true"}), "api_key"),
        ] {
            assert_eq!(signer(given, listed.clone()).unwrap_err().field(), Some(field));
        }
    }
}
