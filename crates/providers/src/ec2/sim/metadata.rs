//! A fake instance metadata service, version 2: keys of a role for whoever opened a session first.

use std::io;

use serde_json::json;

use super::{ROLE_KEY, SECRET, session_token};
use crate::fake::{Answer, FakeService, Request, Service};

/// The role of the instance.
const ROLE: &str = "roadstead@harbour";

/// A metadata service.
#[derive(Debug)]
pub struct Metadata {
    sessions: u32,
    /// Whether the instance has a role.
    pub has_role: bool,
    /// Which of the role's tokens it gives now.
    pub session: u32,
    /// How often keys were given.
    pub given: usize,
}

impl Metadata {
    /// The service of an instance with a role.
    pub async fn start() -> io::Result<FakeService<Self>> {
        FakeService::start(|_| Self { sessions: 0, has_role: true, session: 1, given: 0 }).await
    }

    fn open_session(&mut self, request: &Request) -> Answer {
        let seconds = request.header("x-aws-ec2-metadata-token-ttl-seconds").map(str::parse::<u32>);
        if !matches!(seconds, Some(Ok(1..=21_600))) {
            return Answer::empty(400);
        }
        self.sessions += 1;
        Answer::text(200, "text/plain", self.opened())
    }

    fn opened(&self) -> String {
        format!("metadata-session-{}==", self.sessions)
    }

    fn keys(&mut self) -> Answer {
        self.given += 1;
        let body = json!({"Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
            "AccessKeyId": ROLE_KEY, "SecretAccessKey": SECRET, "Token": session_token(self.session),
            "Expiration": "2999-01-01T00:00:00Z"});
        Answer::text(200, "text/plain", body.to_string())
    }
}

impl Service for Metadata {
    fn answer(&mut self, request: &Request) -> Answer {
        if (request.method.as_str(), request.segments().as_slice()) == ("PUT", &["latest", "api", "token"]) {
            return self.open_session(request);
        }
        let opened = self.opened();
        if self.sessions == 0 || request.header("x-aws-ec2-metadata-token") != Some(opened.as_str()) {
            return Answer::empty(401);
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["latest", "meta-data", "iam", "security-credentials", ..]) if !self.has_role => {
                Answer::empty(404)
            }
            ("GET", ["latest", "meta-data", "iam", "security-credentials"]) => {
                Answer::text(200, "text/plain", ROLE)
            }
            ("GET", ["latest", "meta-data", "iam", "security-credentials", ROLE]) => self.keys(),
            _ => Answer::empty(404),
        }
    }
}
