//! Other servers on the same database. Rows carry what there is to do; a neighbour is only told to look, and one that
//! misses it looks later all the same.

use sqlx::{AnyPool, Executor, postgres::PgListener, query};

use crate::{DatabaseUrl, Result, random};

/// The channel that all servers listen on.
const CHANNEL: &str = "roadstead";

/// How long a word may be, in bytes: PostgreSQL takes 8000 with the name before it.
pub const MAX_WORD: usize = 7900;

/// The way to the neighbours.
#[derive(Debug)]
pub struct Neighbours {
    pool: AnyPool,
    url: DatabaseUrl,
}

/// What the neighbours say.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Neighbours {
    pub(super) fn new(pool: AnyPool, url: DatabaseUrl) -> Self {
        Self { pool, url }
    }

    /// A name for this server that no other has.
    pub fn name() -> Result<String> {
        random::id()
    }

    /// Says a word to all neighbours, under the name of this server.
    pub async fn tell(&self, name: &str, word: &str) -> Result<()> {
        let notify = query("SELECT 1 FROM pg_notify($1, $2)").bind(CHANNEL).bind(format!("{name} {word}"));
        self.pool.execute(notify).await?;
        Ok(())
    }

    /// Listens from now on.
    pub async fn listen(&self) -> Result<Listener> {
        let mut listener = PgListener::connect(self.url.expose()).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Listener(listener))
    }
}

impl Listener {
    /// The next word of a neighbour: of any server but the one of this name. `None` when words may have been lost.
    pub async fn heard(&mut self, name: &str) -> Result<Option<String>> {
        while let Some(notification) = self.0.try_recv().await? {
            match notification.payload().split_once(' ') {
                Some((sender, word)) if sender != name => return Ok(Some(word.to_owned())),
                _ => {}
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use crate::db::{Db, testing};

    #[tokio::test]
    async fn words_reach_the_neighbours_and_nobody_else() {
        testing::on_postgres(async |url| {
            let (first, second) =
                (Db::open_shared(&url).await.unwrap(), Db::open_shared(&url).await.unwrap());
            let (near, far) = (first.neighbours().unwrap(), second.neighbours().unwrap());
            let (mut to_near, mut to_far) = (near.listen().await.unwrap(), far.listen().await.unwrap());
            near.tell("near", "one").await.unwrap();
            far.tell("far", "two").await.unwrap();
            assert_eq!(to_far.heard("far").await.unwrap().as_deref(), Some("one"));
            assert_eq!(to_near.heard("near").await.unwrap().as_deref(), Some("two"));
            first.close().await;
            second.close().await;
        })
        .await;
    }
}
