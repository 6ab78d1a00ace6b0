//! Users.

use roadstead_api::{
    id::{AccountId, UserId},
    user::{Role, User},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection, Write,
    dialect::Dialect,
    row::{Columns, is_duplicate},
};
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

/// Makes a user. A name that is taken is a conflict.
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
    match db.fetch_one(insert).await {
        Ok(row) => Ok(UserId(row.integer("id")?)),
        Err(error) if is_duplicate(&error) => Err(Error::conflict("There is a user of this name already.")),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is any user at all.
pub async fn any(db: &mut Connection) -> Result<bool> {
    Ok(db.fetch_optional("SELECT id FROM users LIMIT 1").await?.is_some())
}

/// An account's users above `after`, oldest first.
pub async fn list(db: &mut Connection, account: AccountId, after: i64, limit: i64) -> Result<Vec<User>> {
    let select = query("SELECT * FROM users WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(account.0)
        .bind(after)
        .bind(limit);
    db.fetch_all(select).await?.iter().map(user).collect()
}

/// An account's user.
pub async fn get(db: &mut Connection, account: AccountId, id: UserId) -> Result<Option<User>> {
    let select = query("SELECT * FROM users WHERE account_id = $1 AND id = $2").bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(user).transpose()
}

/// An account's admins, who stay what they are until this turn ends: two that part with each other at once take turns.
pub async fn hold_admins(db: &mut Connection, account: AccountId) -> Result<Vec<UserId>> {
    let hold = Dialect::of(db).hold("users");
    let sql = format!("SELECT id FROM users WHERE account_id = $1 AND role = 'admin' ORDER BY id {hold}");
    let admins = db.fetch_all(query(AssertSqlSafe(sql)).bind(account.0)).await?;
    admins.iter().map(|row| row.integer("id").map(UserId)).collect()
}

/// Gives a user another role.
pub async fn set_role(db: &mut Connection, id: UserId, role: Role) -> Result<()> {
    db.execute(query("UPDATE users SET role = $2 WHERE id = $1").bind(id.0).bind(role_word(role))).await?;
    Ok(())
}

/// Gives a user another password.
pub async fn set_password_hash(write: &mut Write, id: UserId, password_hash: &str) -> Result<()> {
    let update = query("UPDATE users SET password_hash = $2, password_changed_ms = $3 WHERE id = $1")
        .bind(id.0)
        .bind(password_hash)
        .bind(write.now_ms());
    write.execute(update).await?;
    Ok(())
}

/// Deletes a user with its API keys and sessions.
pub async fn delete(db: &mut Connection, id: UserId) -> Result<()> {
    db.execute(query("DELETE FROM api_keys WHERE user_id = $1").bind(id.0)).await?;
    db.execute(query("DELETE FROM saved_views WHERE user_id = $1").bind(id.0)).await?;
    super::session::delete_all_of(db, id, None).await?;
    db.execute(query("DELETE FROM idempotency_keys WHERE user_id = $1").bind(id.0)).await?;
    db.execute(query("DELETE FROM users WHERE id = $1").bind(id.0)).await?;
    Ok(())
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

pub(super) fn user(row: &AnyRow) -> Result<User> {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roadstead_api::{
        id::{AccountId, UserId},
        user::Role,
    };

    use super::{NewUser, hold_admins, insert, set_role};
    use crate::db::{self, Db, testing};

    /// Makes an admin an observer, unless it is the last one.
    async fn demote(db: Arc<Db>, account: AccountId, id: UserId) {
        let mut write = db.write().await.unwrap();
        if hold_admins(&mut write, account).await.unwrap().iter().any(|&admin| admin != id) {
            set_role(&mut write, id, Role::Observer).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn two_admins_demoted_at_once_leave_one() {
        testing::each(|db| async move {
            let mut write = db.write().await.unwrap();
            let account_id = db::account::insert(&mut write, "test", 1).await.unwrap();
            let mut ids = Vec::new();
            for username in ["one", "two"] {
                let new = NewUser { account_id, username, password_hash: "", role: Role::Admin, now_ms: 1 };
                ids.push(insert(&mut write, &new).await.unwrap());
            }
            write.commit().await.unwrap();
            for _ in 0..50 {
                let demoted =
                    ids.clone().into_iter().map(|id| tokio::spawn(demote(db.clone(), account_id, id)));
                for demoted in demoted.collect::<Vec<_>>() {
                    demoted.await.unwrap();
                }
                let mut write = db.write().await.unwrap();
                assert_eq!(hold_admins(&mut write, account_id).await.unwrap().len(), 1);
                for &id in &ids {
                    set_role(&mut write, id, Role::Admin).await.unwrap();
                }
                write.commit().await.unwrap();
            }
        })
        .await;
    }
}
