//! `roadstead backends`: the clouds, hosts and servers that were added.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use roadstead_client::{
    Backend, ErrorKind,
    api::{
        Endpoint, Page,
        backend::{
            Backend as BackendFacts, BackendChange, BackendList, BackendQuery, BackendState, NewBackend,
            OfferQuery,
        },
        id::{BackendId, ProviderId},
        provider::{Field, FieldKind},
    },
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    confirm::DeleteArgs,
    error::{Error, Exit, Result},
    list::{self, ListArgs},
    name, output, secret,
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum BackendCommand {
    /// Add a backend. It is asked for its machines first, and not kept where it does not answer.
    #[command(
        after_help = "`roadstead providers show PROVIDER` tells the fields.\n\nExample:\n  roadstead backends add \
                            --provider bare_metal --title web-1 --set machine_ip=203.0.113.7 --set machine_key=@id_ed25519"
    )]
    Add(AddArgs),
    /// List the backends, oldest first.
    #[command(after_help = "Example:\n  roadstead backends list --search hetzner")]
    List(FilterArgs),
    /// Show a backend.
    #[command(after_help = "Example:\n  roadstead backends show web-1")]
    Show(Which),
    /// Give a backend another title.
    #[command(after_help = "Example:\n  roadstead backends rename web-1 web-2")]
    Rename {
        #[command(flatten)]
        which: Which,
        /// The new title.
        title: String,
    },
    /// Change a backend's title, region or credentials; new credentials are tried before they are kept.
    #[command(after_help = "Example:\n  roadstead backends update web-1 --set machine_password=@file")]
    Update {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Let a backend be asked again, and its machines driven.
    #[command(after_help = "Example:\n  roadstead backends enable web-1")]
    Enable(Which),
    /// Keep a backend from being asked; its machines stay listed as they were.
    #[command(after_help = "Example:\n  roadstead backends disable web-1")]
    Disable(Which),
    /// Ask a backend for its machines now.
    #[command(after_help = "Example:\n  roadstead backends refresh web-1")]
    Refresh(Which),
    /// Delete a backend with what is known of its machines. The machines themselves stay, and so do agents and backups.
    #[command(after_help = "Example:\n  roadstead backends delete web-1 --yes")]
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        delete: DeleteArgs,
    },
}

/// Which backend.
#[derive(Args, Debug)]
pub struct Which {
    /// The backend's id, or its title where no other has it.
    #[arg(value_name = "BACKEND")]
    backend: String,
}

/// A backend to be added.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// What kind of backend it is; `roadstead providers list` shows all.
    #[arg(long)]
    provider: ProviderId,
    /// Its name for people.
    #[arg(long)]
    title: String,
    /// Its region, for providers that have regions.
    #[arg(long)]
    region: Option<String>,
    /// A field of the provider; a key goes by its id or name. FIELD=@FILE reads the value from a file, FIELD=- from
    /// standard input: better for secrets, which everybody on this machine can read among the arguments.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = assignment)]
    fields: Vec<(String, String)>,
}

/// Which backends to list.
#[derive(Args, Debug)]
pub struct FilterArgs {
    /// Only the one with this id.
    #[arg(long)]
    id: Option<BackendId>,
    /// Only those with exactly this title.
    #[arg(long)]
    name: Option<String>,
    /// Only those with this in their title, provider or id.
    #[arg(long)]
    search: Option<String>,
    /// Only those of this provider.
    #[arg(long)]
    provider: Option<ProviderId>,
    #[command(flatten)]
    part: ListArgs,
}

/// A change to a backend.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub struct ChangeArgs {
    /// The new title.
    #[arg(long)]
    title: Option<String>,
    /// The new region; empty for none.
    #[arg(long)]
    region: Option<String>,
    /// A field's new value, as `backends add` takes it; an empty one takes the value away.
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = assignment)]
    fields: Vec<(String, String)>,
    /// Trust its hosts anew, whatever keys they show: for hosts that were set up again.
    #[arg(long)]
    forget_host_keys: bool,
}

/// Which images, sizes, locations or networks to list.
#[derive(Args, Debug)]
pub struct OfferArgs {
    /// The backend's id, or its title where no other has it.
    #[arg(long)]
    backend: String,
    /// Only those with this in their name or id.
    #[arg(long)]
    search: Option<String>,
    #[command(flatten)]
    part: ListArgs,
}

impl Row for BackendFacts {
    const COLUMNS: &'static [&'static str] =
        &["id", "title", "provider", "region", "enabled", "state", "machines", "refreshed", "reason"];
    fn cells(&self) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            self.id.to_string(),
            self.title.clone(),
            self.provider.to_string(),
            or_dash(&self.region),
            table::yes(self.enabled),
            self.state.to_string(),
            self.machine_count.to_string(),
            table::age(self.refreshed_at),
            or_dash(&self.reason),
        ]
    }
}

/// Carries out a verb.
pub async fn run(command: BackendCommand, session: &Session) -> Result<Exit> {
    let backend = match command {
        BackendCommand::Add(args) => add(session, args).await?,
        BackendCommand::List(args) => return list(session, args).await,
        BackendCommand::Show(which) => find(session, &which.backend).await?,
        BackendCommand::Rename { which, title } => {
            let mut backend = find(session, &which.backend).await?;
            backend.rename(&title).await?;
            backend
        }
        BackendCommand::Update { which, change } => update(session, &which, change).await?,
        BackendCommand::Enable(which) => {
            let mut backend = find(session, &which.backend).await?;
            backend.enable().await?;
            backend
        }
        BackendCommand::Disable(which) => {
            let mut backend = find(session, &which.backend).await?;
            backend.disable().await?;
            backend
        }
        BackendCommand::Refresh(which) => return refresh(session, &which).await,
        BackendCommand::Delete { which, delete } => return remove(session, &which, delete).await,
    };
    session.output.object(backend.info())?;
    Ok(Exit::Done)
}

/// The backend with this id, or the only one with this title.
pub async fn find(session: &Session, text: &str) -> Result<Backend> {
    match session.client.get_backend(&BackendId(text.to_owned())).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            name::pick(session.client.backends().await?, text)
        }
        found => Ok(found?),
    }
}

/// Lists what a backend offers.
pub async fn print_offers<E, T>(session: &Session, which: OfferArgs) -> Result<Exit>
where
    E: Endpoint<Path = BackendId, Query = OfferQuery, Body = (), Reply = Page<T>>,
    T: Serialize + Row,
{
    let backend = find(session, &which.backend).await?;
    let query = OfferQuery { search: which.search };
    let found = session.client.call::<E>(&backend.id, &query, &()).await?;
    list::print_known(session, found.items, &which.part)
}

async fn add(session: &Session, args: AddArgs) -> Result<Backend> {
    let fields = values(session, &args.provider, &args.fields).await?;
    let new = NewBackend { provider: args.provider, title: args.title, region: args.region, fields };
    Ok(session.client.add_backend(&new).await?)
}

async fn list(session: &Session, args: FilterArgs) -> Result<Exit> {
    let query = BackendQuery {
        id: args.id,
        name: args.name,
        search: args.search,
        provider: args.provider,
        ..BackendQuery::default()
    };
    list::print::<BackendList, _>(session, (), query, args.part).await
}

async fn update(session: &Session, which: &Which, args: ChangeArgs) -> Result<Backend> {
    let mut backend = find(session, &which.backend).await?;
    let change = BackendChange {
        title: args.title,
        region: args.region,
        fields: values(session, &backend.provider, &args.fields).await?,
        forget_host_keys: args.forget_host_keys,
    };
    backend.update(&change).await?;
    Ok(backend)
}

async fn refresh(session: &Session, which: &Which) -> Result<Exit> {
    let mut backend = find(session, &which.backend).await?;
    backend.refresh().await?;
    session.output.object(backend.info())?;
    Ok(if backend.state == BackendState::Online { Exit::Done } else { Exit::NotDone })
}

async fn remove(session: &Session, which: &Which, delete: DeleteArgs) -> Result<Exit> {
    let backend = find(session, &which.backend).await?;
    let goes = format!("with the rows of its {} machines", backend.machine_count);
    if delete.dry_run {
        session.output.say(&format!(
            "This would be deleted, {goes}; the machines themselves, agents and backups would stay:"
        ));
        session.output.object(backend.info())?;
        return Ok(Exit::Done);
    }
    if !delete.confirm(&format!("the backend {} {goes}", backend.title))? {
        return Ok(Exit::NotDone);
    }
    backend.delete().await?;
    session.output.say("Deleted. The machines themselves, agents and backups stay.");
    Ok(Exit::Done)
}

/// Reads `FIELD=VALUE`.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err("it has to look like FIELD=VALUE, FIELD=@FILE or FIELD=-".to_owned()),
    }
}

/// The values of fields, read from where they are. Secrets that stand among the arguments get a warning.
async fn values(
    session: &Session,
    provider: &ProviderId,
    given: &[(String, String)],
) -> Result<BTreeMap<String, Value>> {
    if given.iter().filter(|(_, value)| value == "-").count() > 1 {
        return Err(Error::usage("only one field can be read from standard input"));
    }
    if given.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = match session.client.get_provider(&provider.0).await {
        Ok(provider) => provider.fields,
        // The server tells it better when it is to add one of these.
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if output::stderr_is_terminal() {
        warn(session, &known, given);
    }
    let mut values = BTreeMap::new();
    for (field, argument) in given {
        let value = secret::value_of(field, argument)?;
        let names_key = kind_of(&known, field) == Some(FieldKind::Key) && secret::is_plain(argument);
        let value = match names_key && !value.is_empty() && !value.starts_with("-----BEGIN") {
            true => name::key(session, &value).await?.id.to_string(),
            false => value,
        };
        if values.insert(field.clone(), Value::from(value)).is_some() {
            return Err(Error::usage(format!("{field} is given twice")));
        }
    }
    Ok(values)
}

/// What the field of this name takes, or of which this is another name.
fn kind_of(known: &[Field], name: &str) -> Option<FieldKind> {
    let is_it = |field: &&Field| field.name == name || field.aliases.iter().any(|alias| alias == name);
    known.iter().find(is_it).map(|field| field.kind)
}

fn warn(session: &Session, known: &[Field], given: &[(String, String)]) {
    for (name, value) in given {
        let sealed = matches!(kind_of(known, name), Some(FieldKind::Secret | FieldKind::File));
        if sealed && secret::is_plain(value) && !value.is_empty() {
            session.output.say(&format!(
                "warning: {name} among the arguments is seen by everybody on this machine; use {name}=@FILE"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::assignment;

    #[test]
    fn assignments() {
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(assignment("a="), Ok(("a".into(), String::new())));
        assert!(assignment("a").is_err() && assignment("=b").is_err());
    }
}
