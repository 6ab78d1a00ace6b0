//! Writes down when agents were last heard of: all of them in one transaction, so that heartbeats cost nothing. The link
//! of an agent that was deleted, maybe through a neighbour, is closed.

use std::sync::Arc;

use crate::{Result, app::App, db};

/// Writes down what memory knows and the database does not.
pub async fn run(app: Arc<App>) -> Result<()> {
    let heard = app.live.heard_since_written();
    if heard.is_empty() {
        return Ok(());
    }
    let mut write = app.db.write().await?;
    for (agent, at) in &heard {
        if !db::agent::set_last_seen(&mut write, *agent, *at).await? {
            app.live.refuse(*agent, "The agent was deleted on its server.");
        }
    }
    write.commit().await?;
    app.live.written(&heard);
    Ok(())
}
