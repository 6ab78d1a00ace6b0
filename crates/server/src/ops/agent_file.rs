//! Files of an agent's machine as they are now, listed by the agent.

use roadstead_api::{
    Page,
    agent_file::AgentFileList,
    file::{File, FileQuery},
    id::AgentId,
    question::{Answer, Question},
};

use super::{Context, agent, page, question, validate};
use crate::{Error, Result};

/// How long a cursor may be: a name of 255 bytes in hexadecimal.
const MAX_CURSOR: usize = 510;

/// Lists a folder of an agent's machine.
pub async fn list(context: &Context, id: AgentId, query: FileQuery) -> Result<Page<File>> {
    context.authorize::<AgentFileList>()?;
    let agent = agent::get(context, id).await?;
    let path = query.path.unwrap_or_else(|| "/".to_owned());
    validate::path("path", &path)?;
    let limit = page::limit(query.limit)?;
    if query.cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_CURSOR) {
        return Err(Error::invalid("cursor must be `next` of an earlier page of this list."));
    }
    let what = Question::Files { path, cursor: query.cursor, limit: limit as u32 };
    match question::ask(context, &agent, what).await? {
        Answer::Files { page } if page.items.len() <= limit => Ok(page),
        _ => Err(question::beside_the_point(&agent)),
    }
}
