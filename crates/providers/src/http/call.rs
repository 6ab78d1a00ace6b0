//! One call: what is asked, and when it may be asked again.

use reqwest::{Method, Url};
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// When a call may be made again after it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever it may help: it changes nothing, or the far side knows it again by a token.
    Always,
    /// When the far side said that it did not do it: 429, or an expired token.
    Refused,
    /// Never, but for an expired token: an order that would make a second machine.
    Never,
}

/// One call to the far side.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) repeat: Repeat,
}

impl Call {
    /// A call by this method. Reads may be repeated; the rest only when it was refused.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let repeat =
            if method == Method::GET || method == Method::HEAD { Repeat::Always } else { Repeat::Refused };
        Self { method, url, headers: Vec::new(), body: None, repeat }
    }

    /// A GET.
    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST.
    pub(crate) fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A PUT.
    pub(crate) fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    /// A DELETE.
    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// The same call with another rule of when it may be made again.
    #[must_use]
    pub(crate) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// The same call with one more pair in its query.
    #[must_use]
    pub(crate) fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    /// The same call with a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same call with a body of this type.
    #[must_use]
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// The same call with a JSON body.
    pub(crate) fn json(self, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body)
            .map_err(|e| Error::new(ErrorKind::Failed, "cannot write the request").caused_by(e))?;
        Ok(self.body("application/json", body))
    }

    /// The same call with a form for a body.
    #[must_use]
    pub(crate) fn form(self, pairs: &[(&str, &str)]) -> Self {
        let mut scratch = self.url.clone();
        scratch.set_query(None);
        scratch.query_pairs_mut().extend_pairs(pairs);
        let body = scratch.query().unwrap_or_default().to_owned();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// The call in messages: method and path. A query may hold what is nobody's business.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}
