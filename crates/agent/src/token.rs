//! Enrolment tokens: `rse1.<secret>.<trust>`.
//!
//! The trust says how the agent shall know its server: `plain` on the machine itself. It is read before anything is
//! sent, so that a token which asks for more than this version can do is never given away over an unsafe line.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

const VERSION: &str = "rse1";

/// How the agent knows that it speaks with its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trust {
    /// Both are on the same machine.
    Plain,
}

impl Trust {
    /// Reads the trust of a token, after checking that it is one.
    pub fn of_token(token: &str) -> Result<Self> {
        let mut parts = token.splitn(3, '.');
        let (version, secret, trust) = (parts.next(), parts.next(), parts.next());
        match (version, secret, trust) {
            (Some(VERSION), Some(secret), Some(trust)) if is_secret(secret) => Self::parse(trust),
            (Some(version), ..) if version != VERSION && is_later(version) => {
                Err(refuse("is of a later version: update this agent"))
            }
            _ => Err(refuse("is not one: it should look like rse1.SECRET.TRUST")),
        }
    }

    fn parse(trust: &str) -> Result<Self> {
        match trust {
            "plain" => Ok(Self::Plain),
            _ => Err(refuse("needs TLS, which this version of the agent does not speak: update this agent")),
        }
    }
}

fn is_secret(secret: &str) -> bool {
    !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_later(version: &str) -> bool {
    version.strip_prefix("rse").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The token itself stays out of the message: it is a secret.
fn refuse(why: &str) -> Error {
    Error::new(ErrorKind::Token, format!("the enrolment token {why}"))
}

#[cfg(test)]
mod tests {
    use super::Trust;

    fn refusal(token: &str) -> String {
        Trust::of_token(token).unwrap_err().to_string()
    }

    #[test]
    fn plain_is_the_only_trust() {
        assert_eq!(Trust::of_token("rse1.a-b_C9.plain").unwrap(), Trust::Plain);
        assert!(refusal("rse1.abc.sha256:00").contains("needs TLS"));
        assert!(refusal("rse1.abc.public").contains("needs TLS"));
        assert!(refusal("rse1.abc.plain.more").contains("needs TLS"));
    }

    #[test]
    fn what_is_no_token_is_told_without_showing_it() {
        assert!(refusal("rse2.abc.plain").contains("later version"));
        for bad in [
            "",
            "rse1",
            "rse1.secret",
            "rse1..plain",
            "rse1.se cret.plain",
            "other.secret.plain",
            "rse.secret.x",
        ] {
            assert!(refusal(bad).contains("is not one"), "{bad}");
            assert!(!refusal(bad).contains("secret"), "{bad}");
        }
    }
}
