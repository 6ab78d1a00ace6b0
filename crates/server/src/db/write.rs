//! A turn to write: statements run on it as on a connection, and nothing of them stays unless it is committed. What
//! changes in it is told to whoever watches, once it is on disk.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use roadstead_api::{event::Event, id::AccountId};
use sqlx::{Any, AnyConnection, Transaction};

use super::group_commit::Turn;
use crate::{
    Result,
    events::{Events, Told},
};

/// One writer's turn: a savepoint of the embedded database's one writer, or a transaction of PostgreSQL's.
///
/// After a failed statement a turn is good for nothing but being dropped: PostgreSQL refuses all that follows in the
/// same transaction. What may stand against a row already there says `ON CONFLICT`.
#[derive(Debug)]
pub struct Write {
    kind: Kind,
    events: Arc<Events>,
    told: Vec<Told>,
}

#[derive(Debug)]
enum Kind {
    Grouped(Turn),
    Alone(Transaction<'static, Any>),
}

impl Write {
    pub(super) fn grouped(turn: Turn, events: Arc<Events>) -> Self {
        Self { kind: Kind::Grouped(turn), events, told: Vec::new() }
    }

    pub(super) fn alone(transaction: Transaction<'static, Any>, events: Arc<Events>) -> Self {
        Self { kind: Kind::Alone(transaction), events, told: Vec::new() }
    }

    /// Tells an account's readers of this event, once what is written here is on disk.
    pub fn tell(&mut self, account: AccountId, event: Event) {
        self.tell_this(Told::new(account, event));
    }

    /// The same of an event that may be for one user only.
    pub fn tell_this(&mut self, told: Told) {
        self.told.push(told);
    }

    /// What time it is, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.events.now_ms()
    }

    /// Whether something is told already of what this event is about.
    pub fn tells_of(&self, event: &Event) -> bool {
        self.told.iter().any(|told| told.event.noun == event.noun && told.event.id == event.id)
    }

    /// Returns when what was written is on disk.
    pub async fn commit(self) -> Result<()> {
        match self.kind {
            Kind::Grouped(turn) => turn.commit().await?,
            Kind::Alone(transaction) => transaction.commit().await?,
        }
        if !self.told.is_empty() {
            self.events.tell_all(self.told);
        }
        Ok(())
    }
}

impl Deref for Write {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        match &self.kind {
            Kind::Grouped(turn) => turn,
            Kind::Alone(transaction) => transaction,
        }
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match &mut self.kind {
            Kind::Grouped(turn) => turn,
            Kind::Alone(transaction) => transaction,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Instant};

    use sqlx::{Executor, query};

    use crate::db::{Db, row::Columns, testing};

    async fn insert(db: &Db, v: i64) -> super::Write {
        let mut write = db.write().await.unwrap();
        write.execute(query("INSERT INTO n VALUES ($1)").bind(v)).await.unwrap();
        write
    }

    async fn with_table(db: &Arc<Db>) -> Arc<Db> {
        let mut write = db.write().await.unwrap();
        write.execute("CREATE TABLE n (v BIGINT)").await.unwrap();
        write.commit().await.unwrap();
        db.clone()
    }

    async fn count(db: &Db) -> i64 {
        let row = db.read().await.unwrap().fetch_one("SELECT COUNT(*) AS c FROM n").await.unwrap();
        row.integer("c").unwrap()
    }

    #[tokio::test]
    async fn many_writers_are_all_committed() {
        testing::each(|db| async move {
            let db = with_table(&db).await;
            let tasks: Vec<_> = (0..200)
                .map(|v| {
                    let db = db.clone();
                    tokio::spawn(async move { insert(&db, v).await.commit().await.unwrap() })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(count(&db).await, 200);
        })
        .await;
    }

    #[tokio::test]
    async fn a_dropped_turn_leaves_nothing_and_harms_no_neighbour() {
        testing::each(|db| async move {
            let db = with_table(&db).await;
            let kept = insert(&db, 1).await;
            let neighbour = tokio::spawn({
                let db = db.clone();
                async move { drop(insert(&db, 2).await) }
            });
            kept.commit().await.unwrap();
            neighbour.await.unwrap();
            insert(&db, 3).await.commit().await.unwrap();
            assert_eq!(count(&db).await, 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_failed_statement_fails_only_its_own_turn() {
        testing::each(|db| async move {
            let db = with_table(&db).await;
            let mut bad = insert(&db, 1).await;
            assert!(bad.execute("INSERT INTO nowhere VALUES (1)").await.is_err());
            drop(bad);
            insert(&db, 2).await.commit().await.unwrap();
            assert_eq!(count(&db).await, 1);
        })
        .await;
    }

    async fn writes_a_second_to(db: Arc<Db>) -> f64 {
        const WRITERS: u32 = 100;
        const EACH: u32 = 100;
        let db = with_table(&db).await;
        let begun = Instant::now();
        let tasks: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let db = db.clone();
                tokio::spawn(async move {
                    for number in 0..EACH {
                        insert(&db, (writer * EACH + number).into()).await.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        f64::from(WRITERS * EACH) / begun.elapsed().as_secs_f64()
    }

    /// How many acknowledged writes a second 100 writers get from SQLite: on the disk, and in memory, where a sync
    /// costs nothing and so only the processor counts. Run by hand, with `--release`:
    /// `cargo test --release -p roadstead-server writes_a_second -- --ignored --nocapture`.
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "a measurement"]
    async fn writes_a_second() {
        for (what, place) in
            [("on the disk", Path::new(env!("CARGO_MANIFEST_DIR"))), ("in memory", Path::new("/dev/shm"))]
        {
            let folder = tempfile::tempdir_in(place).unwrap();
            let db = Arc::new(Db::open_embedded(&folder.path().join("db")).await.unwrap());
            println!("{what}: {:.0} writes a second", writes_a_second_to(db.clone()).await);
            db.close().await;
        }
    }
}
