//! Signs calls: AWS Signature Version 4, by Amazon's own crate.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use reqwest::{
    Body, Request,
    header::{HeaderName, HeaderValue},
};

use crate::error::{Error, ErrorKind, Result};

/// Signs with these keys, for one region.
pub(super) struct Signature<'a> {
    keys: Credentials,
    region: &'a str,
}

impl<'a> Signature<'a> {
    /// A signature with these keys.
    pub(super) fn new(keys: Credentials, region: &'a str) -> Self {
        Self { keys, region }
    }

    /// Signs a request as of `now`.
    pub(super) fn put_on(&self, request: &mut Request, now: SystemTime) -> Result<()> {
        let unfit =
            |_| Error::new(ErrorKind::WrongCredentials, "the keys hold characters that cannot be sent");
        for (name, value) in self.headers(request, now)? {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|e| Error::new(ErrorKind::Failed, "cannot name a header").caused_by(e))?;
            let mut value = HeaderValue::from_str(&value).map_err(unfit)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// The headers that sign this request at this time.
    pub(super) fn headers(&self, request: &Request, now: SystemTime) -> Result<Vec<(String, String)>> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::WrongCredentials, "the call cannot be signed with these keys")
                .caused_by(source)
        };
        let identity = self.keys.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("ec2")
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|e| failed(e.into()))?;
        let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
        let headers = content_type.map(|value| ("content-type", value)).into_iter();
        let body = SignableBody::Bytes(request.body().and_then(Body::as_bytes).unwrap_or_default());
        let whole = SignableRequest::new(request.method().as_str(), request.url().as_str(), headers, body)
            .map_err(|e| failed(e.into()))?;
        let (instructions, _) = sign(whole, &parameters.into()).map_err(|e| failed(e.into()))?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::{Method, Request};

    use super::Signature;
    use crate::ec2::keys::keys;

    #[test]
    fn a_call_is_signed_for_its_region_and_its_time() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let signature = Signature::new(keys("AKIDEXAMPLE", secret, Some("session".into())), "eu-west-1");
        let mut request = Request::new(Method::POST, "https://ec2.eu-west-1.amazonaws.com/".parse().unwrap());
        *request.body_mut() = Some("Action=DescribeInstances".into());
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let headers = signature.headers(&request, then).unwrap();
        let header =
            |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(header("x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(header("x-amz-security-token"), Some("session"));
        let authorization = header("authorization").unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/ec2/aws4_request, ";
        assert!(authorization.starts_with(scope), "{authorization}");
        assert!(
            authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token"),
            "{authorization}"
        );
        let later = signature.headers(&request, then + Duration::from_secs(1)).unwrap();
        assert_ne!(later, headers);
    }
}
