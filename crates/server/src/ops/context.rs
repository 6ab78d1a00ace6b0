//! Who calls, and what the server is: the first argument of every operation.

use std::{
    fmt::Display,
    net::IpAddr,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use roadstead_api::{
    Endpoint, Permission,
    event::Event,
    id::{AccountId, SessionId},
    user::{Role, User},
};

use super::once::Once;
use crate::{
    Error, Result,
    app::App,
    db::{self, Write, audit::NewEntry},
    events::Told,
};

/// What belongs to a single user: nobody else hears of it.
const OWN: [&str; 3] = ["api_key", "session", "saved_view"];

/// A call by a user.
#[derive(Clone, Debug)]
pub struct Context {
    /// The server.
    pub app: Arc<App>,
    /// Who calls.
    pub user: User,
    /// Where the call comes from: an IP address, or nothing where it is not known.
    pub source: String,
    /// The session that the call is made in, if it is.
    pub session: Option<SessionId>,
    /// The create that the call is, where it is to be done once however often it is asked for.
    pub once: Option<Arc<Once>>,
}

/// A change in the making. Dropped without [`Change::commit`], all of it is undone.
#[derive(Debug)]
pub struct Change<'a> {
    context: &'a Context,
    action: &'static str,
    write: Write,
}

impl Change<'_> {
    /// Adds the entry in the audit log, and returns when both are on disk. `target` is the id of what was changed. Those
    /// who watch are told, unless the change has told them of it already, with more to say.
    pub async fn commit(mut self, target: impl Display) -> Result<()> {
        let Context { app, user, source, once, .. } = self.context;
        let target = target.to_string();
        let entry = NewEntry {
            account_id: user.account_id,
            actor: &format!("user {}", user.username),
            source,
            action: self.action,
            target: &target,
            now_ms: app.now_ms(),
        };
        if let Some(once) = once {
            once.write(&mut self.write, &target, app.now_ms()).await?;
        }
        db::audit::append(&mut self.write, &entry).await?;
        let event = Event::of_operation(self.action, &target);
        if !self.write.tells_of(&event) {
            let only_for = OWN.contains(&event.noun.as_str()).then_some(user.id);
            self.write.tell_this(Told { account: user.account_id, only_for, event });
        }
        self.write.commit().await
    }
}

impl Deref for Change<'_> {
    type Target = Write;
    fn deref(&self) -> &Write {
        &self.write
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut Write {
        &mut self.write
    }
}

impl Context {
    /// A call by this user from this address, outside of any session.
    pub fn new(app: Arc<App>, user: User, source: Option<IpAddr>) -> Self {
        let source = source.map(|address| address.to_string()).unwrap_or_default();
        Self { app, user, source, session: None, once: None }
    }

    /// The account that the call is about: nothing outside of it can be seen.
    pub fn account(&self) -> AccountId {
        self.user.account_id
    }

    /// Begins a change: authorizes it, and waits for a turn to write. What is written in it is told to the audit log
    /// in the same transaction.
    pub async fn change<E: Endpoint>(&self) -> Result<Change<'_>> {
        self.authorize::<E>()?;
        Ok(Change { context: self, action: E::NAME, write: self.app.db.write().await? })
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
