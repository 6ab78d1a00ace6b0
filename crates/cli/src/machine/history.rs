//! `roadstead machines history`: what has happened to a machine, also to one that is gone.

use clap::Args;
use roadstead_client::api::{
    PageQuery,
    id::MachineId,
    machine_history::{MachineHistory, MachineHistoryList},
};

use super::Which;
use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::Row,
};

/// Which machine, and which part of its history.
#[derive(Args, Debug)]
pub struct HistoryArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    part: ListArgs,
}

impl Row for MachineHistory {
    const COLUMNS: &'static [&'static str] = &["at", "what", "state", "name", "backend"];
    fn cells(&self) -> Vec<String> {
        vec![
            format!("{:.0}", self.at),
            self.what.to_string(),
            self.state.to_string(),
            self.machine_name.clone(),
            self.backend_id.to_string(),
        ]
    }
}

/// Prints the history. A machine that is gone is found by its id.
pub async fn run(session: &Session, args: HistoryArgs) -> Result<Exit> {
    let id = match args.which.find(session).await {
        Ok(machine) => machine.id.clone(),
        Err(error) if error.is_not_found() => MachineId(args.which.text().to_owned()),
        Err(error) => return Err(error),
    };
    list::print::<MachineHistoryList, _>(session, id, PageQuery::default(), args.part).await
}
