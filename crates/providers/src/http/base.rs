//! The far side's address, and the URLs below it.
//!
//! Ids come from users. One of them never becomes more than one segment of a path: it is percent-encoded, and what a
//! server would take for "this folder" or "the one above" is no id.

use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};

/// The URL below which an API lies. It has a host, no credentials, no query and no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(Url);

impl Base {
    /// Reads what the field `field` holds: a URL, or a host name, which is then reached over https.
    pub(crate) fn parse(field: &str, text: &str) -> Result<Self> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|e| Error::invalid(field, "is not a URL").caused_by(e))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Error::invalid(field, "has to begin with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid(field, "holds credentials; they have fields of their own"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(Error::invalid(field, "has a query or a fragment; an address of an API has neither"));
        }
        Ok(Self(url))
    }

    /// The URL itself.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The URL with these segments behind it.
    ///
    /// Errors: [`ErrorKind::NotFound`] for a segment that is empty or made of dots.
    pub(crate) fn at(&self, segments: &[&str]) -> Result<Url> {
        let mut url = self.0.clone();
        let Ok(mut path) = url.path_segments_mut() else {
            return Err(Error::new(ErrorKind::Malformed, "the address takes no path"));
        };
        path.pop_if_empty();
        for segment in segments {
            if segment.is_empty() || segment.chars().all(|character| character == '.') {
                return Err(Error::new(ErrorKind::NotFound, format!("{segment:?} is the id of nothing")));
            }
            path.push(segment);
        }
        drop(path);
        Ok(url)
    }

    /// The address with these segments behind it. They are the driver's own, never a user's.
    pub(crate) fn below(&self, segments: &[&str]) -> Result<Self> {
        self.at(segments).map(Self)
    }

    /// A link that the far side gave, such as the one to the next page. It has to stay with the same server, since
    /// credentials go with the call.
    pub(crate) fn link(&self, link: &str) -> Result<Url> {
        let url = self.0.join(link).map_err(|e| {
            Error::new(ErrorKind::Malformed, "the far side gave a link that is none").caused_by(e)
        })?;
        if url.origin() != self.0.origin() {
            let elsewhere = url.origin().ascii_serialization();
            let message =
                format!("the far side gave a link to another server, {elsewhere}; it is not followed");
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::Base;
    use crate::ErrorKind;

    #[test]
    fn hosts_become_https_and_odd_addresses_are_refused() {
        for (given, url) in [
            ("api.example.org", "https://api.example.org/"),
            ("http://10.0.0.1:8080/compute/", "http://10.0.0.1:8080/compute/"),
            ("[fd00::1]:5000", "https://[fd00::1]:5000/"),
        ] {
            assert_eq!(Base::parse("endpoint", given).unwrap().url().as_str(), url);
        }
        for given in ["", "ftp://h", "file:///etc", "https://u:p@h", "https://h/?q=1", "https://h/#f", "a b"]
        {
            let error = Base::parse("endpoint", given).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some("endpoint")), "{given}");
        }
    }

    #[test]
    fn links_stay_with_the_server() {
        let base = Base::parse("endpoint", "https://api.example.org/v2").unwrap();
        assert_eq!(base.link("/v2/x?page=2").unwrap().as_str(), "https://api.example.org/v2/x?page=2");
        for link in
            ["https://example.com/", "http://api.example.org/", "//evil", "https://api.example.org:1/"]
        {
            assert_eq!(base.link(link).unwrap_err().kind(), ErrorKind::Malformed, "{link}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_one_segment_or_nothing(id in "\\PC{0,20}|[./%?#]{0,6}") {
            let base = Base::parse("endpoint", "https://h/v2").unwrap();
            match base.at(&["droplets", &id]) {
                Ok(url) => {
                    let segments: Vec<_> = url.path_segments().unwrap().collect();
                    prop_assert_eq!(segments.len(), 3, "{}", url);
                    prop_assert!(url.path().starts_with("/v2/droplets/") && url.query().is_none());
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NotFound),
            }
        }
    }
}
