//! `roadstead agents files`: what is on an agent's machine now.

use clap::Args;
use roadstead_client::api::{agent_file::AgentFileList, file::FileQuery, id::AgentId};

use crate::{
    error::{Exit, Result},
    file::absolute,
    list::{self, ListArgs},
    name::Named,
    session::Session,
};

/// Which folder of which agent.
#[derive(Args, Debug)]
pub struct AgentFileArgs {
    /// The agent's id, or its name where no other has it.
    agent: Named<AgentId>,
    /// The folder: an absolute path.
    #[arg(default_value = "/")]
    path: String,
    #[command(flatten)]
    which: ListArgs,
}

/// Lists a folder of an agent's machine.
pub async fn list(session: &Session, args: AgentFileArgs) -> Result<Exit> {
    let query = FileQuery { path: Some(absolute(args.path)?), ..FileQuery::default() };
    list::print::<AgentFileList, _>(session, args.agent.id(session).await?, query, args.which).await
}
