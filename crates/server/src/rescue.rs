//! What the operator does on the server's own machine, beside or without a running server.

use crate::{
    Error, Result, ServerOptions,
    auth::password,
    db::{self, audit::NewEntry},
    random, serve,
};

/// Gives a user a new random password, and returns it. Works whether or not the server runs.
pub async fn reset_password(options: &ServerOptions, username: &str) -> Result<String> {
    let db = serve::open_database(options).await?;
    let found = db::user::with_password_hash(&mut *db.read().await?, username).await?;
    let (user, _) = found.ok_or_else(|| Error::not_found(format!("There is no user {username:.100?}.")))?;
    let password = random::secret("")?;
    let hash = password::hash(password.clone()).await?;
    let mut write = db.write().await?;
    db::user::set_password_hash(&mut write, user.id, &hash).await?;
    db::session::delete_all_of(&mut write, user.id, None).await?;
    let entry = NewEntry {
        account_id: user.account_id,
        actor: "operator",
        source: "",
        action: "reset_password",
        target: &user.id.to_string(),
        now_ms: options.clock.now_ms(),
    };
    db::audit::append(&mut write, &entry).await?;
    write.commit().await?;
    db.close().await;
    Ok(password)
}
