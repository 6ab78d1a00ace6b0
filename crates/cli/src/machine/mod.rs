//! `roadstead machines`: the machines of all backends.

mod create;
mod history;
mod inventory;
mod protect;
mod rebuild;

use clap::{Args, Subcommand};
use roadstead_client::{
    ErrorKind, Machine,
    api::{
        id::{MachineId, ProviderId},
        machine::{Machine as MachineFacts, MachineList, MachineQuery, MachineState, TagChange},
    },
};

use create::CreateArgs;
use history::HistoryArgs;
use inventory::InventoryArgs;
use protect::ProtectArgs;
use rebuild::RebuildArgs;

use crate::{
    backend,
    confirm::DeleteArgs,
    error::{Exit, Result},
    list::{self, ListArgs},
    metric::{self, MetricArgs},
    name, output,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum MachineCommand {
    /// List the machines of all backends, as they were last seen.
    #[command(
        after_help = "Example:\n  roadstead machines list --state running --tag env=prod\n  roadstead machines list --unprotected"
    )]
    List(ListedArgs),
    /// Count the machines of all backends, and those without a good backup among them.
    #[command(after_help = "Example:\n  roadstead machines count")]
    Count,
    /// Show a machine.
    #[command(after_help = "Example:\n  roadstead machines show web-1 --refresh")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Ask its backend first.
        #[arg(long)]
        refresh: bool,
    },
    /// Print the machines for Ansible or for SSH; `machines list --all -o csv` is for tables.
    #[command(after_help = "Example:\n  roadstead machines inventory --format ansible --tag env=prod")]
    Inventory(InventoryArgs),
    /// Order machines, which costs; the plan is shown first.
    #[command(
        after_help = "Example:\n  roadstead machines create --backend do --name web --image debian-12-x64 --size \
                      s-1vcpu-1gb --quantity 2 --yes --wait"
    )]
    Create(Box<CreateArgs>),
    /// Put an agent on a machine, and have it backed up from then on.
    #[command(
        after_help = "The server logs in with an associated key, or by the backend's own way, and sends its own program. An \
                      agent and a configuration that are there already stay.\n\nExample:\n  roadstead machines protect web-1 \
                      --start --wait\n  roadstead machines protect --print-command | ssh root@db-1\n  roadstead machines \
                      protect --print-cloud-init --ttl 7d > user-data"
    )]
    Protect(Box<ProtectArgs>),
    /// Make a machine and restore a backup onto it, which costs; the plan is shown first.
    #[command(
        after_help = "The new machine gets an agent, over SSH with its key or by the backend's own way. What belongs to one \
                      machine alone (/etc/fstab, /etc/machine-id, host keys, ...) is left out unless --exclude says \
                      otherwise.\n\nExample:\n  roadstead machines rebuild --from-backup 7 --backend do --name web-2 --image \
                      debian-12-x64 --size s-1vcpu-1gb --protect --yes --wait"
    )]
    Rebuild(Box<RebuildArgs>),
    /// Start a machine.
    #[command(after_help = "Example:\n  roadstead machines start web-1 --wait")]
    Start(OrderArgs),
    /// Stop a machine in good order.
    #[command(after_help = "Example:\n  roadstead machines stop web-1 --wait")]
    Stop(OrderArgs),
    /// Restart a machine in good order.
    #[command(after_help = "Example:\n  roadstead machines reboot web-1")]
    Reboot(OrderArgs),
    /// Destroy a machine, for ever.
    #[command(after_help = "Example:\n  roadstead machines destroy web-1 --yes --wait")]
    Destroy {
        #[command(flatten)]
        order: OrderArgs,
        #[command(flatten)]
        delete: DeleteArgs,
    },
    /// Give a machine another name.
    #[command(after_help = "Example:\n  roadstead machines rename web-1 web-2")]
    Rename {
        #[command(flatten)]
        which: Which,
        /// The new name.
        name: String,
    },
    /// Give a machine another size, which may cost more.
    #[command(after_help = "Example:\n  roadstead machines resize web-1 s-2vcpu-4gb --yes")]
    Resize {
        #[command(flatten)]
        order: OrderArgs,
        /// The cloud's id of the size; `roadstead sizes list` shows them.
        size: String,
        #[command(flatten)]
        cost: DeleteArgs,
    },
    /// Add tags to a machine: words, or key=value.
    #[command(after_help = "Example:\n  roadstead machines tag web-1 web env=prod")]
    Tag {
        #[command(flatten)]
        which: Which,
        /// The tags.
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
    },
    /// Take tags from a machine; a key takes key=value, too.
    #[command(after_help = "Example:\n  roadstead machines untag web-1 env")]
    Untag {
        #[command(flatten)]
        which: Which,
        /// The tags.
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
    },
    /// Ask a machine itself how it is.
    #[command(after_help = "Example:\n  roadstead machines probe web-1")]
    Probe(Which),
    /// Print what a machine wrote to its console.
    #[command(after_help = "Example:\n  roadstead machines console web-1")]
    Console(Which),
    /// Show what has happened to a machine, newest first; one that is gone goes by its id.
    #[command(after_help = "Example:\n  roadstead machines history web-1 --limit 20")]
    History(HistoryArgs),
    /// Show how busy a machine is and was, as its agent measures it.
    #[command(
        after_help = "Example:\n  roadstead machines metrics web-1 --since 7d\n  roadstead machines metrics web-1 --watch"
    )]
    Metrics {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        part: MetricArgs,
    },
}

/// Which machine.
#[derive(Args, Debug)]
pub struct Which {
    /// The machine's id, or its name where no other has it.
    #[arg(value_name = "MACHINE")]
    machine: String,
}

/// An order that takes time.
#[derive(Args, Debug)]
pub struct OrderArgs {
    #[command(flatten)]
    which: Which,
    /// Wait until it is carried out.
    #[arg(long)]
    wait: bool,
}

/// Which machines to list, and which part of the list.
#[derive(Args, Debug)]
pub struct ListedArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    part: ListArgs,
}

/// Which machines.
#[derive(Args, Debug)]
pub struct FilterArgs {
    /// Only those of this backend, by id or title.
    #[arg(long)]
    backend: Option<String>,
    /// Only those of backends of this provider.
    #[arg(long)]
    provider: Option<ProviderId>,
    /// Only those with this in their name, ids, addresses or tags.
    #[arg(long)]
    search: Option<String>,
    /// Only those in this state, such as running or stopped.
    #[arg(long)]
    state: Option<MachineState>,
    /// Only those with this tag; a key also finds key=value.
    #[arg(long)]
    tag: Option<String>,
    /// Only those with a good backup that is not overdue.
    #[arg(long, conflicts_with = "unprotected")]
    protected: bool,
    /// Only those without a good backup, or whose backups are overdue.
    #[arg(long)]
    unprotected: bool,
    /// Only those with an agent.
    #[arg(long, conflicts_with = "no_agent")]
    has_agent: bool,
    /// Only those without an agent.
    #[arg(long)]
    no_agent: bool,
    /// Ask the backends first, as far as they answer soon.
    #[arg(long)]
    refresh: bool,
}

impl Row for MachineFacts {
    const COLUMNS: &'static [&'static str] =
        &["id", "name", "state", "backend", "addresses", "size", "tags", "agent", "protected", "last backup"];
    fn cells(&self) -> Vec<String> {
        let addresses = self.public_ips.iter().chain(&self.private_ips).map(ToString::to_string);
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.state.to_string(),
            self.backend_id.to_string(),
            addresses.collect::<Vec<_>>().join(", "),
            self.size.clone().unwrap_or_else(|| "-".to_owned()),
            self.tags.join(", "),
            self.agent_id.map_or_else(|| "-".to_owned(), |agent| agent.to_string()),
            table::yes(self.protected),
            table::age(self.last_good_backup_at),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: MachineCommand, session: &Session) -> Result<Exit> {
    match command {
        MachineCommand::List(args) => {
            let query = args.filter.query(session).await?;
            list::print::<MachineList, _>(session, (), query, args.part).await
        }
        MachineCommand::Count => {
            session.output.object(&session.client.machine_counts().await?)?;
            Ok(Exit::Done)
        }
        MachineCommand::Show { which, refresh } => {
            let mut machine = which.find(session).await?;
            if refresh {
                machine.refresh().await?;
            }
            shown(session, &machine)
        }
        MachineCommand::Inventory(args) => inventory::run(session, args).await,
        MachineCommand::Create(args) => create::run(session, *args).await,
        MachineCommand::Rebuild(args) => rebuild::run(session, *args).await,
        MachineCommand::Protect(args) => protect::run(session, *args).await,
        MachineCommand::Start(order) => {
            let mut machine = order.which.find(session).await?;
            machine.start().await?;
            ordered(session, &machine, order.wait, Some(MachineState::Running)).await
        }
        MachineCommand::Stop(order) => {
            let mut machine = order.which.find(session).await?;
            machine.stop().await?;
            ordered(session, &machine, order.wait, Some(MachineState::Stopped)).await
        }
        MachineCommand::Reboot(order) => {
            let mut machine = order.which.find(session).await?;
            machine.reboot().await?;
            ordered(session, &machine, order.wait, Some(MachineState::Running)).await
        }
        MachineCommand::Destroy { order, delete } => destroy(session, order, delete).await,
        MachineCommand::Resize { order, size, cost } => resize(session, order, &size, cost).await,
        MachineCommand::Rename { which, name } => {
            let mut machine = which.find(session).await?;
            machine.rename(&name).await?;
            shown(session, &machine)
        }
        MachineCommand::Tag { which, tags } => {
            change_tags(session, &which, TagChange { add: tags, ..TagChange::default() }).await
        }
        MachineCommand::Untag { which, tags } => {
            change_tags(session, &which, TagChange { remove: tags, ..TagChange::default() }).await
        }
        MachineCommand::Probe(which) => {
            session.output.object(&which.find(session).await?.probe().await?)?;
            Ok(Exit::Done)
        }
        MachineCommand::Console(which) => console(session, &which).await,
        MachineCommand::History(args) => history::run(session, args).await,
        MachineCommand::Metrics { which, part } => {
            let machine = which.find(session).await?;
            metric::print(session, machine.metrics(&part.query()).await?)
        }
    }
}

impl Which {
    /// What was given.
    pub fn text(&self) -> &str {
        &self.machine
    }

    /// The machine of this id or name.
    pub fn named(machine: String) -> Self {
        Self { machine }
    }

    /// The machine with this id, or the only one with this name.
    pub async fn find(&self, session: &Session) -> Result<Machine> {
        let text = &self.machine;
        match session.client.get_machine(&MachineId(text.clone())).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let query = MachineQuery { search: Some(text.clone()), ..MachineQuery::default() };
                let found = session.client.find_machines(query).await?;
                match found.iter().any(|machine| machine.name == *text) {
                    true => name::pick(found, text),
                    false => name::pick(session.client.machines().await?, text),
                }
            }
            found => Ok(found?),
        }
    }
}

impl FilterArgs {
    /// What the server is asked for.
    async fn query(&self, session: &Session) -> Result<MachineQuery> {
        let backend_id = match &self.backend {
            Some(text) => Some(backend::find(session, text).await?.id.clone()),
            None => None,
        };
        Ok(MachineQuery {
            backend_id,
            provider: self.provider.clone(),
            search: self.search.clone(),
            state: self.state,
            tag: self.tag.clone(),
            protected: yes_or_no(self.protected, self.unprotected),
            has_agent: yes_or_no(self.has_agent, self.no_agent),
            refresh: self.refresh.then_some(true),
            ..MachineQuery::default()
        })
    }
}

/// What two flags that exclude each other ask for.
fn yes_or_no(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes)
}

fn shown(session: &Session, machine: &Machine) -> Result<Exit> {
    session.output.object(machine.info())?;
    Ok(Exit::Done)
}

/// Prints a machine after an order; with `wait`, once it is in the state that was ordered, or has come to rest. One that
/// is broken, or gone when it should not be, is not what was asked for.
async fn ordered(
    session: &Session,
    machine: &Machine,
    wait: bool,
    wanted: Option<MachineState>,
) -> Result<Exit> {
    if !wait {
        return shown(session, machine);
    }
    if output::stderr_is_terminal() {
        session.output.say("Waiting until it is carried out ...");
    }
    let found = match wanted {
        Some(state) => machine.wait_for(state, |_| ()).await?,
        None => machine.wait(|_| ()).await?,
    };
    let now = found.unwrap_or_else(|| gone(machine.info()));
    session.output.object(&now)?;
    let broken = matches!(now.state, MachineState::Error | MachineState::Terminated);
    Ok(if broken && wanted != Some(now.state) { Exit::NotDone } else { Exit::Done })
}

/// A machine that was there until now: nothing can be done with it any more.
fn gone(machine: &MachineFacts) -> MachineFacts {
    MachineFacts {
        state: MachineState::Terminated,
        can_start: false,
        can_stop: false,
        can_reboot: false,
        can_destroy: false,
        can_rename: false,
        can_resize: false,
        can_tag: false,
        ..machine.clone()
    }
}

async fn destroy(session: &Session, order: OrderArgs, delete: DeleteArgs) -> Result<Exit> {
    let mut machine = order.which.find(session).await?;
    if delete.dry_run {
        session.output.say("This would be destroyed, for ever:");
        return shown(session, &machine);
    }
    if !delete.confirm_to("destroy", &format!("the machine {machine} for ever"))? {
        return Ok(Exit::NotDone);
    }
    machine.destroy().await?;
    ordered(session, &machine, order.wait, Some(MachineState::Terminated)).await
}

async fn resize(session: &Session, order: OrderArgs, size: &str, cost: DeleteArgs) -> Result<Exit> {
    let mut machine = order.which.find(session).await?;
    if cost.dry_run {
        let from = machine.size.as_deref().unwrap_or("unknown");
        session.output.say(&format!("The size of this would change from {from} to {size}:"));
        return shown(session, &machine);
    }
    if !cost.confirm_to("resize", &format!("the machine {machine} to {size}, which may cost more"))? {
        return Ok(Exit::NotDone);
    }
    machine.resize(size).await?;
    ordered(session, &machine, order.wait, None).await
}

async fn change_tags(session: &Session, which: &Which, change: TagChange) -> Result<Exit> {
    let mut machine = which.find(session).await?;
    machine.change_tags(&change).await?;
    shown(session, &machine)
}

async fn console(session: &Session, which: &Which) -> Result<Exit> {
    let text = which.find(session).await?.console_output().await?;
    if session.output.is_for_people() {
        session.output.text(&text)?;
    } else {
        session.output.object(&roadstead_client::api::machine::ConsoleOutput { text })?;
    }
    Ok(Exit::Done)
}
