//! Users. An account always keeps an admin: changes that would leave none are refused.

use roadstead_api::{
    Page, PageQuery,
    id::UserId,
    user::{
        NewUser, PasswordChange, Role, User, UserChange, UserChangePassword, UserCreate, UserDelete,
        UserList, UserShow, UserShowSelf, UserUpdate,
    },
};

use super::{Context, page, validate};
use crate::{Error, ErrorKind, Result, auth::password, db, db::user::NewUser as NewUserRow};

/// Shows who calls.
pub fn show_self(context: &Context) -> Result<User> {
    context.authorize::<UserShowSelf>()?;
    Ok(context.user.clone())
}

/// Changes the caller's own password, which has to be given once more. The caller's other sessions end.
pub async fn change_password(context: &Context, change: PasswordChange) -> Result<()> {
    context.authorize::<UserChangePassword>()?;
    validate::password("new", &change.new)?;
    let known = db::user::with_password_hash(&mut *context.db.read().await?, &context.user.username).await?;
    // Who found a browser left open is not to guess at the password, either.
    let source = context.source.parse().ok();
    context.attempts.begin(&context.user.username, source, context.now_ms())?;
    if !password::verify(change.current, known.map(|(_, hash)| hash)).await? {
        return Err(Error::new(ErrorKind::Forbidden, "current is not the password."));
    }
    context.attempts.succeeded(&context.user.username, source);
    let hash = password::hash(change.new).await?;
    let mut change = context.change::<UserChangePassword>().await?;
    db::user::set_password_hash(&mut change, context.user.id, &hash).await?;
    db::session::delete_all_of(&mut change, context.user.id, context.session).await?;
    change.commit(context.user.id).await
}

/// Lists the users.
pub async fn list(context: &Context, query: PageQuery) -> Result<Page<User>> {
    context.authorize::<UserList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let mut read = context.db.read().await?;
    let users = db::user::list(&mut read, context.account(), after, page::fetch(limit)).await?;
    Ok(page::page(users, limit, |user| user.id.to_string()))
}

/// Makes a user.
pub async fn create(context: &Context, new: NewUser) -> Result<User> {
    context.authorize::<UserCreate>()?;
    validate::username("username", &new.username)?;
    validate::password("password", &new.password)?;
    let password_hash = password::hash(new.password).await?;
    let row = NewUserRow {
        account_id: context.account(),
        username: &new.username,
        password_hash: &password_hash,
        role: new.role,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<UserCreate>().await?;
    let id = db::user::insert(&mut change, &row).await?;
    change.commit(id).await?;
    get(context, id).await
}

/// Shows one user.
pub async fn show(context: &Context, id: UserId) -> Result<User> {
    context.authorize::<UserShow>()?;
    get(context, id).await
}

/// Changes a user's role or password.
pub async fn update(context: &Context, id: UserId, wanted: UserChange) -> Result<User> {
    context.authorize::<UserUpdate>()?;
    let hash = match wanted.password {
        Some(new) => {
            validate::password("password", &new)?;
            Some(password::hash(new).await?)
        }
        None => None,
    };
    let mut change = context.change::<UserUpdate>().await?;
    let user = db::user::get(&mut change, context.account(), id).await?.ok_or_else(|| not_found(id))?;
    if let Some(role) = wanted.role {
        keep_an_admin(context, &mut change, &user, role == Role::Admin).await?;
        db::user::set_role(&mut change, id, role).await?;
    }
    if let Some(hash) = hash {
        db::user::set_password_hash(&mut change, id, &hash).await?;
        db::session::delete_all_of(&mut change, id, context.session).await?;
    }
    change.commit(id).await?;
    get(context, id).await
}

/// Deletes a user with its API keys and sessions.
pub async fn delete(context: &Context, id: UserId) -> Result<()> {
    let mut change = context.change::<UserDelete>().await?;
    let user = db::user::get(&mut change, context.account(), id).await?.ok_or_else(|| not_found(id))?;
    keep_an_admin(context, &mut change, &user, false).await?;
    db::user::delete(&mut change, id).await?;
    change.commit(id).await
}

async fn keep_an_admin(
    context: &Context,
    db: &mut db::Connection,
    user: &User,
    stays_admin: bool,
) -> Result<()> {
    if stays_admin || user.role != Role::Admin {
        return Ok(());
    }
    if db::user::hold_admins(db, context.account()).await?.iter().any(|&admin| admin != user.id) {
        return Ok(());
    }
    Err(Error::conflict(format!("{} is the last admin; make another one first.", user.username)))
}

async fn get(context: &Context, id: UserId) -> Result<User> {
    let user = db::user::get(&mut *context.db.read().await?, context.account(), id).await?;
    user.ok_or_else(|| not_found(id))
}

fn not_found(id: UserId) -> Error {
    Error::not_found(format!("There is no user {id}."))
}
