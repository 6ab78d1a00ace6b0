//! Users.

use roadstead_api::{
    id::{AccountId, UserId},
    user::{Role, User},
};
use sqlx::{Executor, any::AnyRow, query};

use super::{Connection, row::Columns};
use crate::{Error, Result};

/// A user to be made.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The name it signs in with.
    pub username: &'a str,
    /// Its password, as `auth::password` hashes it.
    pub password_hash: &'a str,
    /// What it may do.
    pub role: Role,
    /// Now.
    pub now_ms: i64,
}

/// Makes a user.
pub async fn insert(db: &mut Connection, user: &NewUser<'_>) -> Result<UserId> {
    let insert = query(
        "INSERT INTO users (account_id, username, password_hash, role, created_ms)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(user.account_id.0)
    .bind(user.username)
    .bind(user.password_hash)
    .bind(role_word(user.role))
    .bind(user.now_ms);
    Ok(UserId(db.fetch_one(insert).await?.integer("id")?))
}

/// Whether there is any user at all.
pub async fn any(db: &mut Connection) -> Result<bool> {
    Ok(db.fetch_optional("SELECT id FROM users LIMIT 1").await?.is_some())
}

/// The user of this name, with the hash of its password.
pub async fn with_password_hash(db: &mut Connection, username: &str) -> Result<Option<(User, String)>> {
    let select = query("SELECT * FROM users WHERE username = $1").bind(username);
    let row = db.fetch_optional(select).await?;
    row.map(|row| Ok((user(&row)?, row.text("password_hash")?))).transpose()
}

/// The user that an API key with this fingerprint belongs to.
pub async fn by_api_key(db: &mut Connection, secret_hash: &str) -> Result<Option<User>> {
    let select =
        query("SELECT u.* FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.secret_hash = $1")
            .bind(secret_hash);
    db.fetch_optional(select).await?.as_ref().map(user).transpose()
}

fn user(row: &AnyRow) -> Result<User> {
    Ok(User {
        id: UserId(row.integer("id")?),
        account_id: AccountId(row.integer("account_id")?),
        username: row.text("username")?,
        role: role(&row.text("role")?)?,
        created_at: row.time("created_ms")?,
    })
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Observer => "observer",
        Role::Creator => "creator",
        Role::Admin => "admin",
    }
}

fn role(word: &str) -> Result<Role> {
    [Role::Observer, Role::Creator, Role::Admin]
        .into_iter()
        .find(|&role| role_word(role) == word)
        .ok_or_else(|| Error::internal(format!("A user has the role {word:?}, which there is not.")))
}
