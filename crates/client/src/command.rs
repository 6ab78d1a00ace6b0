//! Commands: something run on many machines at once.

use roadstead_api::{
    Page, PageQuery,
    command::{
        Command, CommandCancel, CommandCreate, CommandList, CommandMachine, CommandMachineList,
        CommandOutput, CommandOutputList, CommandOutputQuery, CommandQuery, CommandShow, NewCommand,
    },
    id::CommandId,
    page::MAX_LIMIT,
};

use crate::{Client, error::Result};

/// How long the server may hold an answer back until there is output, in seconds.
const WAIT_SECONDS: u32 = 10;

impl Client {
    /// Runs a command on machines, and returns once that is ordered. Talks to the server.
    pub async fn run_command(&self, new: &NewCommand) -> Result<Command> {
        self.call::<CommandCreate>(&(), &(), new).await
    }

    /// Lists the commands that a query picks, newest first. Talks to the server.
    pub async fn find_commands(&self, query: CommandQuery) -> Result<Vec<Command>> {
        self.list_all::<CommandList, _>((), query).await
    }

    /// Reads one command. Talks to the server.
    pub async fn get_command(&self, id: CommandId) -> Result<Command> {
        self.call::<CommandShow>(&id, &(), &()).await
    }

    /// The machines of a command, each with how it ended there. Talks to the server.
    pub async fn command_machines(&self, id: CommandId) -> Result<Vec<CommandMachine>> {
        self.list_all::<CommandMachineList, _>(id, PageQuery::default()).await
    }

    /// A page of what a command printed. Talks to the server.
    pub async fn command_output(
        &self,
        id: CommandId,
        query: &CommandOutputQuery,
    ) -> Result<Page<CommandOutput>> {
        self.call::<CommandOutputList>(&id, query, &()).await
    }

    /// Ends a command on all machines. Talks to the server.
    pub async fn cancel_command(&self, id: CommandId) -> Result<Command> {
        self.call::<CommandCancel>(&id, &(), &()).await
    }

    /// Hands `told` each piece of what a command prints, as it comes, and returns once it has ended everywhere. Asks the
    /// server again and again.
    pub async fn follow_command(
        &self,
        id: CommandId,
        mut told: impl FnMut(&CommandOutput) + Send,
    ) -> Result<Command> {
        let mut query = CommandOutputQuery { limit: Some(MAX_LIMIT), ..CommandOutputQuery::default() };
        loop {
            // The state comes first: what was printed before the end is then told.
            let command = self.get_command(id).await?;
            query.wait_seconds = (!command.state.has_ended()).then_some(WAIT_SECONDS);
            let page = self.command_output(id, &query).await?;
            for piece in &page.items {
                told(piece);
                query.cursor = Some(piece.number.to_string());
            }
            if page.items.is_empty() && command.state.has_ended() {
                return Ok(command);
            }
        }
    }
}
