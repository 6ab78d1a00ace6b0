//! Users: who acts, and in which role.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Page, PageQuery,
    endpoint::endpoints,
    id::{AccountId, UserId},
};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads, never file content or secrets.
    Observer,
    /// Also creates and changes.
    Creator,
    /// Also deletes, sees secrets and manages users.
    Admin,
}

/// A user of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The account it belongs to.
    pub account_id: AccountId,
    /// The name it signs in with.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A user to be made.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name it signs in with: 1 to 100 letters, digits or any of `. _ @ -`.
    pub username: String,
    /// Its password, 12 to 1000 characters.
    pub password: String,
    /// What it may do.
    pub role: Role,
}

/// A change to a user: what is absent stays as it is.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What it may do from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// A new password, 12 to 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A change of one's own password.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password until now.
    pub current: String,
    /// The password from now on, 12 to 1000 characters.
    pub new: String,
}

endpoints! {
    /// Shows the user whose credentials the request carries.
    UserShowSelf = "user_show_self": Get "/users/me", Observer, (()) ? (), () => 200 User;
    /// Changes the password of the user that asks, and ends its other sessions.
    UserChangePassword = "user_change_password": Post "/users/me/password", Observer, (()) ? (), PasswordChange => 204 ();
    /// Lists the users of the account, oldest first.
    UserList = "user_list": Get "/users", Admin, (()) ? PageQuery, () => 200 Page<User>;
    /// Makes a user.
    UserCreate = "user_create": Post "/users", Admin, (()) ? (), NewUser => 201 User;
    /// Shows one user.
    UserShow = "user_show": Get "/users/{id}", Admin, (UserId) ? (), () => 200 User;
    /// Changes a user's role or password. The last admin stays one.
    UserUpdate = "user_update": Patch "/users/{id}", Admin, (UserId) ? (), UserChange => 200 User;
    /// Deletes a user with its API keys and sessions. The last admin stays.
    UserDelete = "user_delete": Delete "/users/{id}", Admin, (UserId) ? (), () => 204 ();
}
