//! Webhooks: one signed `POST`, as `roadstead_api::notification_channel` describes it.
//!
//! The host is resolved and checked by the address guard, and the connection goes to the very address that was checked.
//! Redirects are not followed, the answer's body is not read, and all of it has ten seconds.

use std::{fmt::Write, sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, StatusCode, Url, redirect};
use roadstead_api::notification_channel::{DELIVERY, SIGNATURE, TIMESTAMP};
use roadstead_providers::AddressGuard;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{Error, ErrorKind, Result, delivery::Refusal};

/// How long one delivery may take.
const WITHIN: Duration = Duration::from_secs(10);
/// How long a URL may be, in bytes.
const MAX_URL: usize = 2000;

/// Where a webhook is, and what its notifications are signed with.
#[derive(Serialize, Deserialize)]
pub struct Target {
    /// The URL.
    pub url: String,
    /// The secret.
    pub secret: String,
}

/// Checks a URL, and returns its scheme, host and port.
pub fn origin(url: &str) -> Result<String> {
    let wrong = |why: &str| Error::invalid(format!("url: {why}; write https://host/path."));
    if url.len() > MAX_URL {
        return Err(wrong("it is longer than 2000 characters"));
    }
    let url = Url::parse(url).map_err(|e| wrong("it is no URL").caused_by(e))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("user and password do not belong into it"));
    }
    Ok(url.origin().ascii_serialization())
}

/// Delivers a body, which is JSON.
pub async fn deliver(
    guard: AddressGuard,
    target: &Target,
    id: &str,
    body: String,
    now_ms: i64,
) -> Result<(), Refusal> {
    match tokio::time::timeout(WITHIN, post(guard, target, id, body, now_ms)).await {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(StatusCode::GONE)) => {
            Err(Refusal { why: "it answered 410 Gone: it wants no more.".to_owned(), for_good: true })
        }
        Ok(Ok(status)) => Err(Refusal::for_now(format!("it answered {status}."))),
        Ok(Err(error)) => Err(Refusal::for_now(error.chain())),
        Err(_) => Err(Refusal::for_now(format!("it did not answer within {} seconds.", WITHIN.as_secs()))),
    }
}

async fn post(
    guard: AddressGuard,
    target: &Target,
    id: &str,
    body: String,
    now_ms: i64,
) -> Result<StatusCode> {
    let url = Url::parse(&target.url).map_err(|e| Error::invalid("Its URL is none.").caused_by(e))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses = guard.resolve(&host, port).await;
    let addresses =
        addresses.map_err(|e| Error::new(ErrorKind::Unavailable, "It cannot be reached").caused_by(e))?;
    let failed = |e: reqwest::Error| {
        // The URL may hold a secret.
        Error::new(ErrorKind::Unavailable, "It cannot be reached").caused_by(e.without_url())
    };
    let client = Client::builder()
        .user_agent(concat!("roadstead/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(tls()?)
        .resolve_to_addrs(&host, &addresses)
        .build()
        .map_err(failed)?;
    let seconds = now_ms / 1000;
    let signature = signature(&target.secret, seconds, &body)?;
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header(DELIVERY, id)
        .header(TIMESTAMP, seconds)
        .header(SIGNATURE, signature)
        .body(body);
    Ok(request.send().await.map_err(failed)?.status())
}

fn tls() -> Result<ClientConfig> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| Error::internal("TLS cannot be set up.").caused_by(e))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn signature(secret: &str, seconds: i64, body: &str) -> Result<String> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.map_err(|e| Error::internal("The secret cannot sign.").caused_by(e))?;
    mac.update(format!("{seconds}.{body}").as_bytes());
    let mut text = String::from("v1=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{origin, signature};

    #[test]
    fn urls_are_looked_at() {
        assert_eq!(
            origin("https://hooks.example.com:8443/a/b?c=d").unwrap(),
            "https://hooks.example.com:8443"
        );
        assert_eq!(origin("http://[::1]/x").unwrap(), "http://[::1]");
        let long = format!("https://example.com/{}", "x".repeat(2000));
        for wrong in ["", "x", "ftp://a/", "https://u:p@a/", "file:///etc/passwd", "https://", &long] {
            assert!(origin(wrong).is_err(), "{wrong:.40}");
        }
    }

    /// The value is that of another program.
    #[test]
    fn signatures_are_hmac_sha256() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac Jefe
        assert_eq!(
            signature("Jefe", 1_700_000_000, "{}").unwrap(),
            "v1=d3793e2b4103edfbd98cc19591832f5fad701d413db9fcae0ae7dab8184ed207"
        );
    }
}
