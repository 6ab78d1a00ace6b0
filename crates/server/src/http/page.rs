//! The web page: its files, and the one that every page of it begins with.
//!
//! What a page shows is decided in the browser, so every path that a browser asks for as a page, and that is nothing
//! else, gets the same file. Nothing that the page does leaves this server's own origin, and its policy says so.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{
            ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
            REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use roadstead_api::BASE_PATH;
use roadstead_page::{INDEX, asset, is_built};
use serde_json::json;

use super::problem::problem_response;
use crate::{Error, app::App};

/// Everything from this server; styles also inline, since the page's components set theirs so.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// A file whose name holds a hash of it never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Any other is asked for anew, so that a new version is seen at once.
const NEVER: &str = "no-cache";

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(root)).route("/assets/{name}", get(hashed)).route("/favicon.svg", get(icon))
}

/// Browsers get the page; others what the service of the RCBU facade said here: which versions there are.
async fn root(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if wants_html(&headers) {
        return index(&headers);
    }
    let url = format!("{}/v1.0", app.public_url);
    let version = json!({ "id": "v1.0", "status": "CURRENT", "links": [{ "rel": "self", "href": url }] });
    Json(json!({ "versions": [version] })).into_response()
}

async fn hashed(Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{name}"), &headers)
}

async fn icon(headers: HeaderMap) -> Response {
    file("favicon.svg", &headers)
}

/// What a path that is nothing else is answered with: the page, if a browser asks for one there, else this error.
pub fn or_problem(method: &Method, path: &str, headers: &HeaderMap, error: &Error) -> Response {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && is_built() && wants_html(headers) && !path.starts_with(BASE_PATH) {
        return index(headers);
    }
    problem_response(error, None)
}

fn wants_html(headers: &HeaderMap) -> bool {
    text(headers, &ACCEPT).contains("text/html")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn index(headers: &HeaderMap) -> Response {
    if is_built() { file(INDEX, headers) } else { Html(NOTE).into_response() }
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = asset(path, text(headers, &ACCEPT_ENCODING)) else {
        return problem_response(&Error::not_found("The page has no such file."), None);
    };
    let fixed = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, if asset.immutable { FOR_EVER } else { NEVER }),
        (VARY, "Accept, Accept-Encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
    ];
    let mut response = (fixed, asset.bytes).into_response();
    if let Some(encoding) = asset.encoding {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

const NOTE: &str = "<!doctype html><meta charset=utf-8><title>Roadstead</title><h1>Roadstead is running</h1>\
<p>This build has no web page: <code>cargo xtask build</code> makes one that has. Use the <code>roadstead</code> \
command line (<code>roadstead --help</code>), or the API: <a href=/api/openapi.json>openapi.json</a>.\n";

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method, StatusCode, header::ACCEPT};

    use super::{Error, or_problem};

    #[test]
    fn programs_and_writers_get_the_error_and_no_page() {
        let mut browser = HeaderMap::new();
        browser.insert(ACCEPT, "text/html,application/xhtml+xml".parse().unwrap());
        let error = Error::not_found("There is nothing at this path.");
        for (method, path, headers) in [
            (Method::GET, "/machines", &HeaderMap::new()),
            (Method::POST, "/machines", &browser),
            (Method::GET, "/api/v1/nothing", &browser),
        ] {
            assert_eq!(or_problem(&method, path, headers, &error).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
