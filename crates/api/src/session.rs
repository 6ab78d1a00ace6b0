//! Sessions: how browsers stay signed in. A session's secret travels in a cookie that no script can read.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, PageQuery, endpoint::endpoints, id::SessionId};

/// The name of the cookie that carries a session's secret.
pub const COOKIE: &str = "roadstead_session";

/// A session of the user that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// The user that signed in.
    pub username: String,
    /// From which address.
    pub source: String,
    /// With what, as the browser called itself.
    pub user_agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to within five minutes. Unused for 12 hours it ends.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// Who signs in.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
}

/// Shows no password.
impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSession").field("username", &self.username).finish_non_exhaustive()
    }
}

endpoints! {
    /// Signs a browser in: the answer sets an HttpOnly cookie. Writes with it must come from a page of this server.
    SessionCreate = "session_create": Post "/sessions", Public, (()) ? (), NewSession => 201 Session;
    /// Lists the sessions of the user that asks, oldest first.
    SessionList = "session_list": Get "/sessions", Observer, (()) ? PageQuery, () => 200 Page<Session>;
    /// Shows the session that asks.
    SessionShowCurrent = "session_show_current": Get "/sessions/current", Observer, (()) ? (), () => 200 Session;
    /// Signs out: ends the session that asks.
    SessionDeleteCurrent = "session_delete_current": Delete "/sessions/current", Observer, (()) ? (), () => 204 ();
    /// Ends a session of the user that asks.
    SessionDelete = "session_delete": Delete "/sessions/{id}", Observer, (SessionId) ? (), () => 204 ();
}
