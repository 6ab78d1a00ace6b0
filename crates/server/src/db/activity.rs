//! Activity: the newest rows of several tables as one list.
//!
//! Each table is read by an index in the order of the list, and no further than a page needs, so that a page costs the
//! same however long the history is.

use roadstead_api::{
    activity::{Activity, ActivityKind, ActivityQuery},
    id::{AccountId, AgentId, VaultId},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{
    Connection,
    row::{Columns, active_states},
};
use crate::Result;

/// A place in the list: all that is older comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was asked for, in milliseconds since 1970.
    pub created_ms: i64,
    /// Of what kind it is.
    pub kind: ActivityKind,
    /// Its id among those.
    pub id: i64,
}

impl Place {
    /// The place of an activity.
    pub fn of(activity: &Activity) -> Self {
        Self { created_ms: activity.created_at.as_millisecond(), kind: activity.kind, id: activity.id }
    }
}

const KINDS: [ActivityKind; 7] = [
    ActivityKind::Backup,
    ActivityKind::Check,
    ActivityKind::Cleanup,
    ActivityKind::Copy,
    ActivityKind::Drill,
    ActivityKind::Repair,
    ActivityKind::Restore,
];

/// An account's activities older than `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &ActivityQuery,
    before: Option<Place>,
    limit: i64,
) -> Result<Vec<Activity>> {
    let mut found = Vec::new();
    for kind in KINDS.into_iter().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind)) {
        found.extend(of_kind(db, account, filter, kind, before, limit).await?);
    }
    found.sort_by_key(|activity| std::cmp::Reverse(Place::of(activity)));
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

async fn of_kind(
    db: &mut Connection,
    account: AccountId,
    filter: &ActivityQuery,
    kind: ActivityKind,
    before: Option<Place>,
    limit: i64,
) -> Result<Vec<Activity>> {
    let created_ms = before.map_or(i64::MAX, |place| place.created_ms);
    // Of those asked for in the same moment, kinds that come later in the list are all still to come.
    let id = match before {
        Some(place) if kind == place.kind => place.id,
        Some(place) if kind > place.kind => 0,
        _ => i64::MAX,
    };
    let sql = format!(
        "{} WHERE t.account_id = $1 AND t.created_ms <= $2 AND (t.created_ms < $2 OR t.id < $3) {}{}{}{}
         ORDER BY t.created_ms DESC, t.id DESC LIMIT $4",
        select(kind),
        if is_task(kind) { format!(" AND t.kind = '{kind}'") } else { String::new() },
        filter.agent_id.map_or(String::new(), |AgentId(id)| of_agent(kind, id)),
        filter.state.map_or(String::new(), |state| format!(" AND t.state = '{state}'")),
        match filter.active {
            Some(true) => format!(" AND t.state IN {}", active_states()),
            Some(false) => format!(" AND t.state NOT IN {}", active_states()),
            None => String::new(),
        },
    );
    let select = query(AssertSqlSafe(sql)).bind(account.0).bind(created_ms).bind(id).bind(limit);
    db.fetch_all(select).await?.iter().map(|row| activity(kind, row)).collect()
}

fn select(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::Backup => {
            "SELECT t.id, t.name, t.state, t.reason, t.agent_id, CAST(NULL AS BIGINT) AS destination_agent_id, t.vault_id,
                    t.configuration_id, c.deleted_ms, t.created_ms, t.started_ms, t.completed_ms
             FROM backups t JOIN backup_configurations c ON c.id = t.configuration_id"
        }
        ActivityKind::Check => {
            "SELECT t.id, 'check' AS name, t.state, t.reason, v.agent_id, CAST(NULL AS BIGINT) AS destination_agent_id, t.vault_id,
                    CAST(NULL AS BIGINT) AS configuration_id, CAST(NULL AS BIGINT) AS deleted_ms, t.created_ms, CAST(NULL AS BIGINT) AS started_ms, t.completed_ms
             FROM checks t JOIN vaults v ON v.id = t.vault_id"
        }
        ActivityKind::Cleanup => {
            "SELECT t.id, 'cleanup' AS name, t.state, t.reason, v.agent_id,
                    CAST(NULL AS BIGINT) AS destination_agent_id, t.vault_id,
                    CAST(NULL AS BIGINT) AS configuration_id, CAST(NULL AS BIGINT) AS deleted_ms, t.created_ms,
                    t.started_ms, t.completed_ms
             FROM cleanups t JOIN vaults v ON v.id = t.vault_id"
        }
        ActivityKind::Copy | ActivityKind::Drill | ActivityKind::Repair => {
            "SELECT t.id, t.kind AS name, t.state, t.reason, v.agent_id,
                    CAST(NULL AS BIGINT) AS destination_agent_id, t.vault_id,
                    CAST(NULL AS BIGINT) AS configuration_id, CAST(NULL AS BIGINT) AS deleted_ms, t.created_ms,
                    t.started_ms, t.completed_ms
             FROM vault_tasks t JOIN vaults v ON v.id = t.vault_id"
        }
        ActivityKind::Restore => {
            "SELECT t.id, t.name, t.state, t.reason, t.source_agent_id AS agent_id, t.agent_id AS destination_agent_id,
                    b.vault_id, t.configuration_id, c.deleted_ms, t.created_ms, t.started_ms, t.completed_ms
             FROM restores t JOIN backups b ON b.id = t.backup_id
             LEFT JOIN restore_configurations c ON c.id = t.configuration_id"
        }
    }
}

/// Whether activities of this kind are tasks of vaults, which have a table for all their kinds.
fn is_task(kind: ActivityKind) -> bool {
    matches!(kind, ActivityKind::Copy | ActivityKind::Drill | ActivityKind::Repair)
}

fn of_agent(kind: ActivityKind, agent: i64) -> String {
    match kind {
        ActivityKind::Backup => format!(" AND t.agent_id = {agent}"),
        ActivityKind::Restore => format!(" AND (t.agent_id = {agent} OR t.source_agent_id = {agent})"),
        _ => format!(" AND v.agent_id = {agent}"),
    }
}

fn activity(kind: ActivityKind, row: &AnyRow) -> Result<Activity> {
    Ok(Activity {
        kind,
        id: row.integer("id")?,
        name: row.text("name")?,
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        agent_id: AgentId(row.integer("agent_id")?),
        destination_agent_id: row.maybe_integer("destination_agent_id")?.map(AgentId),
        vault_id: VaultId(row.text("vault_id")?),
        configuration_id: row.maybe_integer("configuration_id")?,
        configuration_deleted: row.maybe_integer("deleted_ms")?.is_some(),
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use roadstead_api::{
        agent::HostFacts, backup_configuration::NewBackupConfiguration, run::RunOrigin, run::RunState,
    };

    use super::*;
    use crate::db::{self, Db, testing};

    /// Backups, checks, cleanups and restores, several in each moment.
    async fn fill(db: &Db) -> (AccountId, AgentId) {
        let mut write = db.write().await.unwrap();
        let account = db::account::insert(&mut write, "test", 1).await.unwrap();
        let host = HostFacts::default();
        let new = db::agent::NewAgent {
            account_id: account,
            name: "test",
            public_key: "",
            fingerprint: "",
            credential_hash: "",
            host: &host,
            now_ms: 1,
        };
        let agent = db::agent::insert(&mut write, &new).await.unwrap();
        let vault = VaultId("test".to_owned());
        db::vault::insert(&mut write, &vault, (account, agent), "", 1).await.unwrap();
        let new = NewBackupConfiguration::new("c", agent, vec!["/etc".to_owned()]);
        let configuration_id = db::backup_configuration::insert(&mut write, account, &new, 1).await.unwrap();
        for number in 0..40 {
            let now_ms = 1000 + number / 4;
            let row = db::backup::NewBackupRow {
                account_id: account,
                configuration_id,
                agent_id: agent,
                vault_id: &vault,
                name: "c-1",
                origin: RunOrigin::Schedule,
                slot_ms: Some(number),
                ended: Some((RunState::Missed, "no reason")),
                now_ms,
            };
            db::backup::insert(&mut write, &row).await.unwrap();
            db::check::insert(&mut write, account, &vault, false, now_ms).await.unwrap();
            db::cleanup::insert(&mut write, account, &vault, None, now_ms).await.unwrap();
        }
        write.commit().await.unwrap();
        (account, agent)
    }

    async fn pages(db: &Db, account: AccountId, filter: &ActivityQuery, limit: i64) -> Vec<Place> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let mut read = db.read().await.unwrap();
            let page = list(&mut read, account, filter, before, limit).await.unwrap();
            let Some(last) = page.last() else { return found };
            before = Some(Place::of(last));
            found.extend(page.iter().map(Place::of));
        }
    }

    #[tokio::test]
    async fn pages_of_any_size_hold_each_activity_once_and_newest_first() {
        testing::each(|db| async move {
            let (account, agent) = fill(&db).await;
            let all = pages(&db, account, &ActivityQuery::default(), 1000).await;
            assert_eq!(all.len(), 120);
            assert!(all.windows(2).all(|pair| pair[0] > pair[1]));
            for limit in [1, 3, 7, 50] {
                assert_eq!(pages(&db, account, &ActivityQuery::default(), limit).await, all, "{limit}");
            }
            let count = async |filter: ActivityQuery| pages(&db, account, &filter, 9).await.len();
            let of = |kind| ActivityQuery { kind: Some(kind), ..ActivityQuery::default() };
            assert_eq!(count(of(ActivityKind::Check)).await, 40);
            assert_eq!(count(of(ActivityKind::Restore)).await, 0);
            assert_eq!(count(ActivityQuery { active: Some(true), ..ActivityQuery::default() }).await, 80);
            assert_eq!(
                count(ActivityQuery { state: Some(RunState::Missed), ..ActivityQuery::default() }).await,
                40
            );
            assert_eq!(count(ActivityQuery { agent_id: Some(agent), ..ActivityQuery::default() }).await, 120);
            assert_eq!(
                count(ActivityQuery { agent_id: Some(AgentId(99)), ..ActivityQuery::default() }).await,
                0
            );
            assert_eq!(pages(&db, AccountId(99), &ActivityQuery::default(), 9).await, []);
        })
        .await;
    }
}
