//! What a request shows of who sends it, taken from its headers.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{
        Extensions, HeaderMap, Method,
        header::{AUTHORIZATION, COOKIE, ORIGIN, UPGRADE},
    },
};
use roadstead_api::session::COOKIE as SESSION_COOKIE;

use crate::{
    Error, Result,
    auth::{Presented, origin},
};

/// What programs show: an `Authorization` header. A cookie is not looked at.
pub fn by_program(headers: &HeaderMap, extensions: &Extensions) -> Presented {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Presented { authorization, session: None, source: source(extensions) }
}

/// What programs and browsers show. A request with a cookie that could change something has to come from a page of this
/// server's own.
pub fn by_anyone(
    method: &Method,
    headers: &HeaderMap,
    extensions: &Extensions,
    public_url: &str,
) -> Result<Presented> {
    let mut presented = by_program(headers, extensions);
    if presented.authorization.is_some() {
        return Ok(presented);
    }
    presented.session = session(headers).map(str::to_owned);
    let reads = matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(UPGRADE);
    if presented.session.is_some() && !reads && !is_own(headers, public_url) {
        return Err(foreign(public_url));
    }
    Ok(presented)
}

/// Refuses a request that another server's page has sent; one that no page has sent is let by.
pub fn refuse_foreign(headers: &HeaderMap, public_url: &str) -> Result<()> {
    if headers.contains_key(ORIGIN) && !is_own(headers, public_url) {
        return Err(foreign(public_url));
    }
    Ok(())
}

/// The address that a request comes from.
pub fn source(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    headers
        .get(ORIGIN)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|from| origin::is_own(from, public_url))
}

fn foreign(public_url: &str) -> Error {
    Error::forbidden(format!("Only pages of {public_url} may do this with a session; open that address."))
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::{Extensions, HeaderMap, HeaderValue, Method, header};

    use super::by_anyone;

    const URL: &str = "https://example.com";

    fn shown(
        method: &Method,
        headers: &[(header::HeaderName, &'static str)],
    ) -> Result<Option<String>, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        by_anyone(method, &map, &Extensions::new(), URL).map(|shown| shown.session).map_err(|e| e.to_string())
    }

    #[test]
    fn a_cookie_counts_where_nothing_else_is_shown_and_writes_only_from_our_pages() {
        let cookie = (header::COOKIE, "a=b; roadstead_session=rds_x; c");
        assert_eq!(shown(&Method::GET, std::slice::from_ref(&cookie)), Ok(Some("rds_x".to_owned())));
        assert_eq!(shown(&Method::GET, &[cookie.clone(), (header::AUTHORIZATION, "Bearer k")]), Ok(None));
        assert_eq!(shown(&Method::GET, &[(header::COOKIE, "xroadstead_session=y")]), Ok(None));
        let own = (header::ORIGIN, URL);
        assert!(shown(&Method::POST, &[cookie.clone(), own.clone()]).is_ok());
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            assert!(shown(&method, std::slice::from_ref(&cookie)).is_err(), "{method}");
            assert!(
                shown(&method, &[cookie.clone(), (header::ORIGIN, "https://evil.net")]).is_err(),
                "{method}"
            );
        }
        let socket = (header::UPGRADE, "websocket");
        assert!(shown(&Method::GET, &[cookie.clone(), socket.clone()]).is_err());
        assert!(shown(&Method::GET, &[cookie, socket, own]).is_ok());
        assert!(shown(&Method::POST, &[(header::AUTHORIZATION, "Bearer k")]).is_ok());
    }
}
