//! `roadstead machines create`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::Args;
use roadstead_client::api::machine::{MachineCreate, MachinePlan, MachinePlanShow, NewContainer, NewMachine};

use crate::{
    backend,
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    job, name, secret,
    session::Session,
};

/// Machines to be made.
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// The backend that is to make them, by id or title.
    #[arg(long)]
    backend: String,
    /// The name; NAME-1, NAME-2 and so on where there are several.
    #[arg(long)]
    name: String,
    /// The cloud's id of the image; `roadstead images list` shows them.
    #[arg(long)]
    image: String,
    /// The cloud's id of the size; `roadstead sizes list` shows them.
    #[arg(long)]
    size: String,
    /// The cloud's id of the location; the cloud's choice when absent.
    #[arg(long)]
    location: Option<String>,
    /// The cloud's id of a network to join.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// The key that may log in, by id or name; your default key when absent.
    #[arg(long)]
    key: Option<String>,
    /// A file with what cloud-init runs at the first start.
    #[arg(long, value_name = "FILE")]
    cloud_init: Option<PathBuf>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    quantity: u32,
    /// Wait until they are ready.
    #[arg(long)]
    pub wait: bool,
    /// Whether to ask first.
    #[command(flatten)]
    pub cost: DeleteArgs,
    #[command(flatten)]
    container: ContainerArgs,
}

/// What containers are made with.
#[derive(Args, Debug)]
#[command(next_help_heading = "Containers")]
struct ContainerArgs {
    /// A port to publish; the image's own when absent.
    #[arg(long = "publish", value_name = "[HOST:]CONTAINER[/udp]")]
    ports: Vec<String>,
    /// An environment variable; NAME=@FILE and NAME=- read a file or standard input.
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = backend::assignment)]
    environment: Vec<(String, String)>,
    /// A volume of the engine, or a path of its host, to mount.
    #[arg(long = "volume", value_name = "NAME:PATH[:ro]")]
    volumes: Vec<String>,
    /// The command and its arguments; the image's own when absent.
    #[arg(last = true)]
    command: Vec<String>,
}

impl ContainerArgs {
    /// What they describe, if they describe anything.
    fn described(self) -> Result<Option<NewContainer>> {
        let mut environment = BTreeMap::new();
        for (name, value) in &self.environment {
            environment.insert(name.clone(), secret::value_of(name, value)?);
        }
        let Self { ports, volumes, command, .. } = self;
        let new = NewContainer { command, environment, ports, volumes };
        Ok((new != NewContainer::default()).then_some(new))
    }
}

/// Orders machines, after the plan was seen.
pub async fn run(session: &Session, args: CreateArgs) -> Result<Exit> {
    let (wait, cost) = (args.wait, args.cost);
    let new = described(session, args).await?;
    if cost.dry_run {
        session.output.object(&session.client.call::<MachinePlanShow>(&(), &(), &new).await?)?;
        return Ok(Exit::Done);
    }
    if !cost.is_sure() {
        let plan = session.client.call::<MachinePlanShow>(&(), &(), &new).await?;
        if !cost.confirm_to("make", &told(&plan))? {
            return Ok(Exit::NotDone);
        }
    }
    let job = session.client.call::<MachineCreate>(&(), &(), &new).await?;
    job::print(session, job, wait).await
}

/// The machines as the API has them.
pub async fn described(session: &Session, args: CreateArgs) -> Result<NewMachine> {
    let read = |path: PathBuf| {
        let failed = || format!("cannot read {}", path.display());
        fs::read_to_string(&path).map_err(|e| Error::local(failed()).caused_by(e))
    };
    let key_id = match &args.key {
        Some(word) => Some(name::key(session, word).await?.id.clone()),
        None => None,
    };
    Ok(NewMachine {
        backend_id: backend::find(session, &args.backend).await?.id.clone(),
        name: args.name,
        image: args.image,
        size: args.size,
        location: args.location,
        networks: args.networks,
        key_id,
        cloud_init: args.cloud_init.map(read).transpose()?,
        quantity: Some(args.quantity),
        container: args.container.described()?,
    })
}

/// What a plan comes to, in words.
pub fn told(plan: &MachinePlan) -> String {
    let cost = match &plan.price {
        Some(price) => format!("{} {} an hour in sum", price.per_hour, price.currency),
        None => "at a price that the backend does not tell".to_owned(),
    };
    format!("{} of size {}, {cost}", plan.names.join(", "), plan.size)
}
