//! `roadstead networks`.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use roadstead_client::api::network::{AddressPool, Network, NetworkList, NewNetwork, NewSubnet};

use crate::{
    backend::{self, OfferArgs},
    confirm::DeleteArgs,
    error::{Exit, Result},
    name,
    session::Session,
    table::Row,
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum NetworkCommand {
    /// List a backend's networks, as it tells them now.
    #[command(after_help = "Example:\n  roadstead networks list --backend hetzner --search private")]
    List(OfferArgs),
    /// Make a network, where the backend's provider has a way to: OpenStack and its kin.
    #[command(
        after_help = "Example:\n  roadstead networks create back --backend stack --cidr 10.7.0.0/24\n  roadstead networks \
                      create back --backend stack --cidr 10.7.0.0/24 --gateway 10.7.0.1 --pool 10.7.0.20-10.7.0.90 --no-dhcp"
    )]
    Create(CreateArgs),
    /// Delete a network that no machine is joined to, with its subnets.
    #[command(after_help = "Example:\n  roadstead networks delete back --backend stack --yes")]
    Delete {
        /// The network, by the cloud's id or by name.
        network: String,
        /// The backend, by id or title.
        #[arg(long)]
        backend: String,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// A network to be made, with one subnet or none.
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// Its name.
    name: String,
    /// The backend, by id or title.
    #[arg(long)]
    backend: String,
    /// Let other projects of the cloud join machines to it.
    #[arg(long)]
    shared: bool,
    /// The range of its subnet; without one, machines that join get no address.
    #[arg(long)]
    cidr: Option<String>,
    /// The name of its subnet.
    #[arg(long, requires = "cidr")]
    subnet_name: Option<String>,
    /// The address of the subnet's router; the cloud's choice otherwise.
    #[arg(long, requires = "cidr")]
    gateway: Option<IpAddr>,
    /// Addresses that machines are given, FIRST-LAST; all but the router's otherwise.
    #[arg(long, requires = "cidr", value_parser = pool)]
    pool: Vec<AddressPool>,
    /// Give no addresses by DHCP.
    #[arg(long, requires = "cidr")]
    no_dhcp: bool,
}

impl From<CreateArgs> for NewNetwork {
    fn from(args: CreateArgs) -> Self {
        let CreateArgs { name, shared, cidr, subnet_name, gateway, pool, no_dhcp, .. } = args;
        let dhcp = no_dhcp.then_some(false);
        let subnet = cidr.map(|cidr| NewSubnet { name: subnet_name, cidr, gateway, dhcp, pools: pool });
        Self { name, shared, subnets: subnet.into_iter().collect() }
    }
}

fn pool(text: &str) -> Result<AddressPool, String> {
    let pool = text.split_once('-').and_then(|(first, last)| {
        Some(AddressPool { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
    });
    pool.ok_or_else(|| format!("{text:?} is not like 10.0.0.20-10.0.0.90"))
}

impl Row for Network {
    const COLUMNS: &'static [&'static str] = &["id", "name", "subnets"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.subnets.iter().map(|subnet| subnet.cidr.as_str()).collect::<Vec<_>>().join(", "),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: NetworkCommand, session: &Session) -> Result<Exit> {
    match command {
        NetworkCommand::List(which) => backend::print_offers::<NetworkList, _>(session, which).await,
        NetworkCommand::Create(args) => {
            let backend = backend::find(session, &args.backend).await?;
            session.output.object(&backend.create_network(&args.into()).await?)?;
            Ok(Exit::Done)
        }
        NetworkCommand::Delete { network, backend, delete } => {
            remove(session, &backend, &network, delete).await
        }
    }
}

async fn remove(session: &Session, backend: &str, word: &str, delete: DeleteArgs) -> Result<Exit> {
    let backend = backend::find(session, backend).await?;
    let network = name::pick(backend.networks().await?, word)?;
    if delete.dry_run {
        session.output.say("This would be deleted:");
        session.output.object(&network)?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the network {} of {}", network.name, backend.title))? {
        return Ok(Exit::NotDone);
    }
    backend.delete_network(&network.id).await?;
    session.output.say("Deleted.");
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::pool;

    #[test]
    fn pools_have_two_ends() {
        assert_eq!(pool("10.0.0.2-10.0.0.9").unwrap().last.to_string(), "10.0.0.9");
        assert_eq!(pool("fd00::2 - fd00::9").unwrap().first.to_string(), "fd00::2");
        for wrong in ["", "-", "10.0.0.2", "10.0.0.2-x", "a-b-c"] {
            assert!(pool(wrong).is_err(), "{wrong}");
        }
    }
}
