//! Routes of sessions. Two of them set a cookie.

use axum::http::header::USER_AGENT;
use roadstead_api::session::{
    COOKIE, SessionCreate, SessionDelete, SessionDeleteCurrent, SessionList, SessionShowCurrent,
};

use super::{
    presented,
    routes::{Answer, Call, Routes, caller, decode},
};
use crate::{
    auth::session::LIFETIME_MS,
    ops::{Context, session},
};

/// Adds the routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .user(|context, call: Call<SessionList>| async move { session::list(&context, call.query).await })
        .user::<SessionShowCurrent, _, _>(|context, _| async move { session::show_current(&context).await })
        .user(|context, call: Call<SessionDelete>| async move { session::delete(&context, call.path).await })
        .route::<SessionCreate, _, _>(|app, request| {
            let source = presented::source(request.extensions());
            let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
            let user_agent = user_agent.unwrap_or_default().to_owned();
            let own = presented::refuse_foreign(request.headers(), &app.public_url);
            async move {
                own?;
                let body = decode::<SessionCreate>(request).await?.body;
                let user = app.sign_in(&body.username, body.password, source).await?;
                let context = Context::new(app, user, source);
                let begun = session::create(&context, &user_agent).await?;
                let cookie = cookie(&context.public_url, &begun.secret, LIFETIME_MS / 1000);
                Ok(Answer { reply: begun.session, cookie: Some(cookie) })
            }
        })
        .route::<SessionDeleteCurrent, _, _>(|app, request| {
            let context = caller(app, &request);
            async move {
                let context = context.await?;
                session::delete_current(&context).await?;
                Ok(Answer { reply: (), cookie: Some(cookie(&context.public_url, "", 0)) })
            }
        })
}

/// A cookie that no script reads and that no other site's page sends along; over TLS only, where the server is reached
/// by it.
fn cookie(public_url: &str, secret: &str, seconds: i64) -> String {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::cookie;

    #[test]
    fn a_cookie_of_a_server_with_tls_stays_on_tls() {
        let plain = cookie("http://127.0.0.1:7643", "rds_x", 60);
        assert_eq!(plain, "roadstead_session=rds_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
        assert_eq!(cookie("https://example.com", "rds_x", 60), format!("{plain}; Secure"));
    }
}
