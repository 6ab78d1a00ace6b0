//! Who asks: what is put onto a request so that the far side takes it.

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{
    Request,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};

use crate::{
    credentials::Secret,
    error::{Error, ErrorKind, Result},
};

/// Puts onto a request what proves who asks.
#[async_trait]
pub(crate) trait Auth: Send + Sync {
    /// Signs a request. Called before every attempt, outside the bound on calls, so it may make calls of its own.
    async fn sign(&self, request: &mut Request) -> Result<()>;

    /// The far side took `refused` for unauthorized, at this time by its own clock, if it told. Whether signing anew may
    /// help: whoever uses tokens forgets the one that is on this request.
    async fn renew(&self, refused: &Request, told: Option<Timestamp>) -> bool {
        let _ = (refused, told);
        false
    }
}

/// Nobody in particular.
pub(super) struct Anonymous;

#[async_trait]
impl Auth for Anonymous {
    async fn sign(&self, _: &mut Request) -> Result<()> {
        Ok(())
    }
}

/// A token that does not change, in the header `authorization` as a bearer's.
pub(crate) struct Bearer(pub(crate) Secret);

#[async_trait]
impl Auth for Bearer {
    async fn sign(&self, request: &mut Request) -> Result<()> {
        set_secret(request, AUTHORIZATION, &format!("Bearer {}", self.0.expose()))
    }
}

/// Puts a secret into a header, marked so that nothing prints it.
///
/// Errors: [`ErrorKind::WrongCredentials`] for what no header can carry; it cannot be right then.
pub(crate) fn set_secret(request: &mut Request, name: HeaderName, secret: &str) -> Result<()> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| {
        Error::new(ErrorKind::WrongCredentials, "the credentials hold characters that cannot be sent")
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Ok(())
}
