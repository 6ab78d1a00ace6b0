//! Who calls, and what the server is: the first argument of every operation.

use std::{ops::Deref, sync::Arc};

use roadstead_api::{
    Endpoint, Permission,
    id::AccountId,
    user::{Role, User},
};

use crate::{Error, Result, app::App};

/// A call by a user.
#[derive(Clone, Debug)]
pub struct Context {
    /// The server.
    pub app: Arc<App>,
    /// Who calls.
    pub user: User,
}

impl Context {
    /// The account that the call is about: nothing outside of it can be seen.
    pub fn account(&self) -> AccountId {
        self.user.account_id
    }

    /// Refuses the call unless the user's role reaches as far as the endpoint's declaration asks.
    pub fn authorize<E: Endpoint>(&self) -> Result<()> {
        self.require(E::PERMISSION)
    }

    /// Refuses the call unless the user's role reaches this far.
    pub fn require(&self, permission: Permission) -> Result<()> {
        let held = match self.user.role {
            Role::Observer => Permission::Observer,
            Role::Creator => Permission::Creator,
            Role::Admin => Permission::Admin,
        };
        if permission <= held {
            return Ok(());
        }
        let needed = format!("{permission:?}").to_lowercase();
        Err(Error::forbidden(format!("This needs the role {needed}; {} has less.", self.user.username)))
    }
}

impl Deref for Context {
    type Target = App;
    fn deref(&self) -> &App {
        &self.app
    }
}
