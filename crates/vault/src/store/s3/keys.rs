//! Where a bucket is, and who may use it.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// Access keys. The secret never appears in messages.
#[derive(Clone, Default)]
pub struct S3Keys {
    /// The key's name.
    pub access_key: String,
    /// The secret that goes with it.
    pub secret_key: String,
    /// The token of temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Keys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl S3Keys {
    /// The keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
    /// [`ErrorKind::Invalid`] names the one that is missing.
    pub fn from_environment() -> Result<Self> {
        let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let needed = |name: &str| {
            given(name).ok_or_else(|| Error::new(ErrorKind::Invalid, format!("{name} is not set")))
        };
        Ok(Self {
            access_key: needed("AWS_ACCESS_KEY_ID")?,
            secret_key: needed("AWS_SECRET_ACCESS_KEY")?,
            session_token: given("AWS_SESSION_TOKEN"),
        })
    }
}

/// Where a repository in a bucket is and how to talk to the store.
#[derive(Debug, Clone, Default)]
pub struct S3Config {
    /// The store's URL, `http` or `https`, such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What the names of all objects begin with; may be empty.
    pub prefix: String,
    /// Who we are.
    pub keys: S3Keys,
    /// The certificates (PEM, one or several) that alone are trusted; the public ones when `None`.
    pub ca_pem: Option<Vec<u8>>,
    /// How long a connection may be silent; 60 seconds when `None`.
    pub timeout: Option<Duration>,
}

impl S3Config {
    /// What `s3://BUCKET/PREFIX?region=REGION&endpoint=URL` means. Without a region it is `us-east-1`,
    /// without an endpoint Amazon's for the region. [`ErrorKind::Invalid`] when it means nothing.
    pub fn from_url(url: &str, keys: S3Keys) -> Result<Self> {
        let invalid = |why: &str| Error::new(ErrorKind::Invalid, format!("{url:.300}: {why}"));
        let rest = url.strip_prefix("s3://").ok_or_else(|| invalid("not an s3:// URL"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !is_bucket(bucket) {
            return Err(invalid("the bucket's name is not a name that buckets can have"));
        }
        let (mut region, mut endpoint) = ("us-east-1".to_owned(), None);
        for (name, value) in
            query.split('&').filter(|part| !part.is_empty()).filter_map(|part| part.split_once('='))
        {
            match name {
                "region" => region = value.to_owned(),
                "endpoint" => endpoint = Some(value.to_owned()),
                _ => return Err(invalid("after the question mark come region and endpoint")),
            }
        }
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let (bucket, prefix) = (bucket.to_owned(), prefix.trim_matches('/').to_owned());
        Ok(Self { endpoint, region, bucket, prefix, keys, ..Self::default() })
    }

    /// The URL that [`S3Config::from_url`] makes this of, but for the keys.
    pub(super) fn url(&self) -> String {
        let Self { bucket, prefix, region, endpoint, .. } = self;
        format!("s3://{bucket}/{prefix}?region={region}&endpoint={endpoint}")
    }

    /// What requests say in their `Host` header.
    pub(super) fn host(&self) -> &str {
        let (scheme, rest) = self.endpoint.split_once("://").unwrap_or(("", &self.endpoint));
        let host = rest.split('/').next().unwrap_or(rest);
        let usual = if scheme == "http" { ":80" } else { ":443" };
        host.strip_suffix(usual).unwrap_or(host)
    }
}

fn is_bucket(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    (3..=63).contains(&name.len()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_bucket_prefix_region_and_endpoint() {
        let config = |url| S3Config::from_url(url, S3Keys::default());
        let plain = config("s3://my-bucket").unwrap();
        assert_eq!((plain.bucket.as_str(), plain.prefix.as_str()), ("my-bucket", ""));
        assert_eq!((plain.host(), plain.region.as_str()), ("s3.us-east-1.amazonaws.com", "us-east-1"));
        let full = config("s3://my-bucket/a/b/?region=nowhere&endpoint=http://127.0.0.1:9000").unwrap();
        assert_eq!(
            (full.prefix.as_str(), full.host(), full.region.as_str()),
            ("a/b", "127.0.0.1:9000", "nowhere")
        );
        let again = S3Config::from_url(&full.url(), S3Keys::default()).unwrap();
        assert_eq!(again.url(), full.url());
        for url in ["http://bucket", "s3://", "s3://UPPER", "s3://bucket?colour=red"] {
            assert_eq!(config(url).unwrap_err().kind(), ErrorKind::Invalid, "{url}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let keys = S3Keys {
            secret_key: "hidden".to_owned(),
            session_token: Some("hidden".to_owned()),
            ..S3Keys::default()
        };
        assert!(!format!("{keys:?}").contains("hidden"));
    }
}
