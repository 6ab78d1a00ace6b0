//! Commands on machines, for programs that are not async.

use std::sync::Arc;

use roadstead_api::{
    Page,
    command::{Command, CommandMachine, CommandOutput, CommandOutputQuery, CommandQuery, NewCommand},
    id::CommandId,
};
use tokio::runtime::Runtime;

use super::{Client, IntoBlocking, refuse_async};
use crate::error::Result;

answers!(Command, CommandMachine, Page<CommandOutput>);

namesakes! { Client:
    fn run_command(&self, new: &NewCommand) -> Command;
    fn find_commands(&self, query: CommandQuery) -> Vec<Command>;
    fn get_command(&self, id: CommandId) -> Command;
    fn command_machines(&self, id: CommandId) -> Vec<CommandMachine>;
    fn command_output(&self, id: CommandId, query: &CommandOutputQuery) -> Page<CommandOutput>;
    fn cancel_command(&self, id: CommandId) -> Command;
    fn follow_command(&self, id: CommandId, told: impl FnMut(&CommandOutput) + Send) -> Command;
}
