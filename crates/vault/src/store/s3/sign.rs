//! Signing requests. Source: "Signature Version 4" in the IAM user guide, and its examples for S3.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::S3Config;
use crate::id::Id;

/// The headers that sign a request. `path` and `query` are escaped, `query` in order of names; `hash` is
/// the SHA-256 of the body in hexadecimal digits.
pub(super) fn headers(
    config: &S3Config,
    time: Timestamp,
    method: &str,
    path: &str,
    query: &str,
    extra: &[(&str, &str)],
    hash: &str,
) -> Vec<(&'static str, String)> {
    let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut headers = vec![("x-amz-content-sha256", hash.to_owned()), ("x-amz-date", stamp.clone())];
    headers.extend(config.keys.session_token.clone().map(|token| ("x-amz-security-token", token)));
    let mut signed = vec![("host", config.host())];
    signed.extend(extra.iter().copied());
    signed.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
    let day = &stamp[..8];
    let scope = format!("{day}/{}/s3/aws4_request", config.region);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", Id::of(request.as_bytes()));
    let secret = format!("AWS4{}", config.keys.secret_key);
    let key = [day, &config.region, "s3", "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part.as_bytes()).to_vec());
    let signature = hex::encode(mac(&key, text.as_bytes()));
    let access_key = &config.keys.access_key;
    headers.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}"
        ),
    ));
    headers
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length will do, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Text as it stands in a path, where slashes mean what they mean, or in a query.
pub(super) fn escape(text: &str, is_path: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte.into()),
            b'/' if is_path => escaped.push('/'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::S3Keys;
    use super::*;

    /// The examples of Amazon's documentation, "Authenticating Requests: Using the Authorization Header".
    #[test]
    fn signs_as_documented() {
        let config = S3Config {
            endpoint: "https://examplebucket.s3.amazonaws.com".to_owned(),
            region: "us-east-1".to_owned(),
            keys: S3Keys {
                access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                session_token: None,
            },
            ..S3Config::default()
        };
        let time = "2013-05-24T00:00:00Z".parse().unwrap();
        let empty = Id::of(b"").to_string();
        let signature = |path: &str, query: &str, extra: &[(&str, &str)]| {
            let headers = headers(&config, time, "GET", path, query, extra, &empty);
            headers.last().unwrap().1.rsplit_once('=').unwrap().1.to_owned()
        };
        assert_eq!(
            signature("/test.txt", "", &[("range", "bytes=0-9")]),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            signature("/", "max-keys=2&prefix=J", &[]),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn only_plain_characters_stand_for_themselves() {
        assert_eq!(escape("/a b/ü+~", true), "/a%20b/%C3%BC%2B~");
        assert_eq!(escape("a/b=c", false), "a%2Fb%3Dc");
    }
}
