//! Enrolment tokens: `rse1.<secret>.<trust>`.
//!
//! The trust says how the agent shall know its server: `plain` on the machine itself, `public` by a public CA, `ca:`
//! and the SHA-256 of a CA's key by that CA alone. It is read before anything is sent, so that a token is never given
//! away over a line that is less safe than it asks for.

use crate::{
    error::{Error, ErrorKind, Result},
    trust::{KeyHash, Trust},
};

const VERSION: &str = "rse1";

/// Reads the trust of a token, after checking that it is one.
pub(crate) fn trust(token: &str) -> Result<Trust> {
    let mut parts = token.splitn(3, '.');
    let (version, secret, trust) = (parts.next(), parts.next(), parts.next());
    match (version, secret, trust) {
        (Some(VERSION), Some(secret), Some(trust)) if is_secret(secret) => parse(trust),
        (Some(version), ..) if version != VERSION && is_later(version) => {
            Err(refuse("is of a later version: update this agent"))
        }
        _ => Err(refuse("is not one: it should look like rse1.SECRET.TRUST")),
    }
}

fn parse(trust: &str) -> Result<Trust> {
    let ca = trust.strip_prefix("ca:").map(KeyHash::parse);
    match (trust, ca) {
        ("plain", _) => Ok(Trust::Plain),
        ("public", _) => Ok(Trust::Public),
        (_, Some(Some(hash))) => Ok(Trust::Ca(hash)),
        (_, Some(None)) => Err(refuse("is damaged: what should be the hash of a CA's key is none")),
        _ => Err(refuse("asks for a trust that this version of the agent does not know: update this agent")),
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
    use super::{KeyHash, Trust, trust};

    fn refusal(token: &str) -> String {
        trust(token).unwrap_err().to_string()
    }

    #[test]
    fn each_trust_is_read() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(trust("rse1.a-b_C9.plain").unwrap(), Trust::Plain);
        assert_eq!(trust("rse1.abc.public").unwrap(), Trust::Public);
        let pinned = trust(&format!("rse1.abc.ca:{hash}")).unwrap();
        assert_eq!(pinned, Trust::Ca(KeyHash::parse(&hash).unwrap()));
        for other in ["sha256:00", "plain.more", "PLAIN", ""] {
            assert!(refusal(&format!("rse1.abc.{other}")).contains("update this agent"), "{other}");
        }
        for damaged in ["ca:", "ca:00", &format!("ca:{hash}0"), &format!("ca:{}", "g".repeat(64))] {
            assert!(refusal(&format!("rse1.abc.{damaged}")).contains("damaged"), "{damaged}");
        }
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
