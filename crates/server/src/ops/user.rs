//! Users.

use roadstead_api::user::{User, UserShowSelf};

use super::Context;
use crate::Result;

/// Shows who calls.
pub fn show_self(context: &Context) -> Result<User> {
    context.authorize::<UserShowSelf>()?;
    Ok(context.user.clone())
}
