//! Sessions of browsers: how long they last, and whose a cookie's secret is.

use crate::{
    Result,
    db::{
        self, Db,
        session::{Alive, FoundSession},
    },
    random,
};

/// What a session's secret begins with.
pub const SESSION_PREFIX: &str = "rds_";
/// How long a session lasts at the most, in milliseconds: 30 days.
pub const LIFETIME_MS: i64 = 30 * 24 * 3_600_000;
/// How long a session lasts unused, in milliseconds: 12 hours.
const IDLE_MS: i64 = 12 * 3_600_000;
/// How old the last use is that is written down anew, in milliseconds: a page asks often.
const TOUCH_MS: i64 = 5 * 60_000;

/// Which sessions are alive at this time.
pub fn alive(now_ms: i64) -> Alive {
    Alive { used_after_ms: now_ms - IDLE_MS, now_ms }
}

/// The session that a cookie's secret belongs to, if it is alive. Now and then its use is written down.
pub async fn find(db: &Db, now_ms: i64, secret: &str) -> Result<Option<FoundSession>> {
    let hash = random::fingerprint(secret);
    let found = db::session::by_secret(&mut *db.read().await?, &hash, alive(now_ms)).await?;
    if let Some(session) = &found
        && session.last_used_ms <= now_ms - TOUCH_MS
    {
        let mut write = db.write().await?;
        db::session::set_last_used(&mut write, session.id, now_ms).await?;
        write.commit().await?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use roadstead_api::{id::UserId, user::Role};

    use super::{IDLE_MS, LIFETIME_MS, find};
    use crate::{
        db::{self, Db, session::NewSession, testing, user::NewUser},
        random,
    };

    const DAY: i64 = 24 * 3_600_000;

    async fn user(db: &Db) -> UserId {
        let mut write = db.write().await.unwrap();
        let account_id = db::account::insert(&mut write, "a", 1).await.unwrap();
        let new = NewUser { account_id, username: "ann", password_hash: "", role: Role::Observer, now_ms: 1 };
        let id = db::user::insert(&mut write, &new).await.unwrap();
        write.commit().await.unwrap();
        id
    }

    async fn begin(db: &Arc<Db>, user: UserId, secret: &str) {
        let mut write = db.write().await.unwrap();
        let secret_hash = &random::fingerprint(secret);
        let (source, user_agent) = ("127.0.0.1", "");
        let new = NewSession { user, secret_hash, source, user_agent, now_ms: 0, expires_ms: LIFETIME_MS };
        db::session::insert(&mut write, &new).await.unwrap();
        write.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_session_ends_unused_or_after_thirty_days() {
        testing::each(|db| async move {
            let user = user(&db).await;
            begin(&db, user, "used").await;
            begin(&db, user, "left").await;
            assert!(find(&db, 1, "another").await.unwrap().is_none());
            assert!(find(&db, IDLE_MS - 1, "left").await.unwrap().is_some());
            let mut now = 0;
            while now < LIFETIME_MS {
                assert!(find(&db, now, "used").await.unwrap().is_some(), "{now}");
                now += IDLE_MS / 2;
            }
            assert!(find(&db, LIFETIME_MS, "used").await.unwrap().is_none(), "thirty days are over");
            // The look at `left` half a day ago counts as use.
            assert!(find(&db, IDLE_MS + DAY, "left").await.unwrap().is_none());
        })
        .await;
    }
}
