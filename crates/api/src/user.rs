//! Users: who acts, and in which role.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
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

endpoints! {
    /// Shows the user whose credentials the request carries.
    UserShowSelf = "user_show_self": Get "/users/me", Observer, (()) ? (), () => 200 User;
}
