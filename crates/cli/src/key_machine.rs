//! `roadstead keys associate, disassociate, machines`: which SSH key lets one in where.

use clap::Args;
use roadstead_client::{
    Key,
    api::{
        PageQuery,
        key_machine::{
            AcceptedHostKey, DEFAULT_PORT, DEFAULT_USER, KeyMachine, KeyMachineList, NewKeyMachine,
        },
    },
};

use crate::{
    error::{Exit, Result},
    list::{self, ListArgs},
    machine::Which,
    session::Session,
    table::Row,
};

/// What it takes to log in to a machine with a key.
#[derive(Args, Debug)]
pub struct AssociateArgs {
    /// The key's id or name.
    pub key: String,
    #[command(flatten)]
    machine: Which,
    /// The user to log in as.
    #[arg(long, default_value = DEFAULT_USER)]
    user: String,
    /// The port of the machine's SSH server.
    #[arg(long, default_value_t = DEFAULT_PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Where the machine is reached; at the address that its backend tells when absent.
    #[arg(long)]
    host: Option<String>,
    /// Leave the machine as it is: it lets the key in already, or will some day.
    #[arg(long)]
    no_deploy: bool,
}

impl Row for KeyMachine {
    const COLUMNS: &'static [&'static str] = &["machine", "name", "user", "port", "host", "host key"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.machine_id.to_string(),
            self.machine_name.clone(),
            self.user.clone(),
            self.port.to_string(),
            self.host.clone().unwrap_or_else(|| "-".to_owned()),
            self.host_key.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Associates a key with a machine.
pub async fn associate(session: &Session, key: &Key, args: AssociateArgs) -> Result<Exit> {
    let machine = args.machine.find(session).await?;
    let new = NewKeyMachine {
        machine_id: machine.id.clone(),
        user: Some(args.user),
        port: Some(args.port),
        host: args.host,
    };
    let association = key.associate(&new).await?;
    if !args.no_deploy {
        match key.deploy(&machine.id).await {
            Ok(done) if done.changed => {
                session.output.say(&format!(
                    "{} lets the key in from now on: it was put there {}.",
                    machine.name, done.way
                ));
            }
            Ok(_) => {}
            Err(error) => {
                session.output.say(&format!("The key was associated, and not put on the machine: {error}"))
            }
        }
    }
    session.output.object(&association)?;
    Ok(Exit::Done)
}

/// Ends the association of a key with a machine.
pub async fn disassociate(session: &Session, key: &Key, machine: &Which, keep: bool) -> Result<Exit> {
    let machine = machine.find(session).await?;
    let withdrawn = if keep { None } else { Some(key.withdraw(&machine.id).await) };
    key.disassociate(&machine.id).await?;
    session.output.say(&match withdrawn {
        None => "Disassociated. The machine goes on to let the key in.".to_owned(),
        Some(Ok(done)) => {
            format!("Disassociated; {} does not let the key in any more (seen {}).", machine.name, done.way)
        }
        Some(Err(error)) => format!("Disassociated. The machine may go on to let the key in: {error}"),
    });
    Ok(Exit::Done)
}

/// Trusts the host key that a machine shows now.
pub async fn accept_host_key(
    session: &Session,
    key: &Key,
    machine: &Which,
    fingerprint: Option<String>,
) -> Result<Exit> {
    let machine = machine.find(session).await?;
    session.output.object(&key.accept_host_key(&machine.id, &AcceptedHostKey { fingerprint }).await?)?;
    Ok(Exit::Done)
}

/// Lists the machines that a key is associated with.
pub async fn list(session: &Session, key: &Key, which: ListArgs) -> Result<Exit> {
    list::print::<KeyMachineList, _>(session, key.id.clone(), PageQuery::default(), which).await
}
