//! Making a container from an order.
//!
//! Invariants: an order that is sent again makes nothing twice, since its token is a label of what it made; a container
//! that could not be started is taken away again.

use serde_json::{Map, Value, json};

use super::{
    call::{Caller, encoded},
    pull::pull,
    wire::{Created, Inspected, SIZE},
};
use crate::{
    capability::Limits,
    container::{PublishedPort, Volume},
    error::{Error, ErrorKind, Result},
    machine::MachineOrder,
};

/// The label that holds an order's token.
const TOKEN_LABEL: &str = "io.roadstead.order";

/// How long names may be, and how many containers one order may make.
pub(super) const LIMITS: Limits = Limits { calls_at_once: 8, name_chars: 128, machines_per_order: 100 };

/// Checks an order before any call.
pub(super) fn check(order: &MachineOrder) -> Result<()> {
    order.check(&LIMITS)?;
    order.container.check()?;
    check_name(&order.name)?;
    if order.size != SIZE {
        return Err(Error::invalid("size", format!("has to be {SIZE}: containers have no other")));
    }
    if order.location.is_some() {
        return Err(Error::invalid("location", "is nothing that the provider docker has"));
    }
    if order.user_data.is_some() {
        return Err(Error::invalid("cloud_init", "is nothing that containers run; give a command"));
    }
    let image = &order.image;
    if image.is_empty() || image.len() > 512 || image.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::invalid("image", "is no name of an image"));
    }
    Ok(())
}

/// Checks a name; an engine takes none of a single character.
pub(super) fn check_name(name: &str) -> Result<()> {
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.-".contains(character);
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !begins || name.len() < 2 || name.len() > LIMITS.name_chars || !name.chars().all(fits) {
        return Err(Error::invalid(
            "name",
            "takes two or more letters, digits, dots, dashes and underscores",
        ));
    }
    Ok(())
}

/// Makes and starts one container, and returns its id.
pub(super) async fn make(caller: &Caller, order: &MachineOrder, name: &str) -> Result<String> {
    let token = format!("{}/{name}", order.token);
    let id = match create(caller, order, name, &token).await {
        Ok(id) => id,
        Err(error) if error.kind() == ErrorKind::Conflict => made_before(caller, name, &token, error).await?,
        Err(error) => return Err(error),
    };
    order.progress.tell(|| format!("starting {name}"));
    if let Err(error) = join_and_start(caller, order, &id).await {
        // What cannot be taken away shows in the next list.
        let _ = caller.call(hyper::Method::DELETE, &format!("/containers/{id}?force=true"), None).await;
        return Err(error);
    }
    Ok(id)
}

async fn create(caller: &Caller, order: &MachineOrder, name: &str, token: &str) -> Result<String> {
    let path = format!("/containers/create?name={}", encoded(name));
    let body = body(order, token);
    let made = match caller.post(&path, Some(&body)).await {
        // Only an image can be missing here, and an id of one is known to no registry.
        Err(error) if error.kind() == ErrorKind::NotFound && !order.image.starts_with("sha256:") => {
            pull(caller, &order.image, &order.progress).await?;
            caller.post(&path, Some(&body)).await
        }
        made => made,
    };
    let created: Created = made?.json().await?;
    Ok(created.id)
}

/// The container of this name, if it is this order that made it.
async fn made_before(caller: &Caller, name: &str, token: &str, conflict: Error) -> Result<String> {
    let found: Inspected = caller.get(&format!("/containers/{}/json", encoded(name))).await?;
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    if labels.get(TOKEN_LABEL).is_some_and(|label| label == token) { Ok(found.id) } else { Err(conflict) }
}

async fn join_and_start(caller: &Caller, order: &MachineOrder, id: &str) -> Result<()> {
    for network in order.networks.iter().skip(1) {
        let path = format!("/networks/{}/connect", encoded(network));
        caller.post(&path, Some(&json!({"Container": id}))).await?;
    }
    match caller.post(&format!("/containers/{id}/start"), None).await {
        // One that was made before runs already.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
        started => started.map(drop),
    }
}

fn body(order: &MachineOrder, token: &str) -> Value {
    let container = &order.container;
    let mut environment: Vec<String> =
        container.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if let Some(key) = &order.public_key {
        environment.push(format!("PUBLIC_KEY={key}"));
    }
    let mut exposed = Map::new();
    let mut bindings = Map::new();
    for port in &container.ports {
        let name = name(port);
        let host = port.host.map(|port| port.to_string()).unwrap_or_default();
        let binding = json!({"HostPort": host});
        exposed.insert(name.clone(), json!({}));
        if let Value::Array(list) = bindings.entry(name).or_insert_with(|| json!([])) {
            list.push(binding);
        }
    }
    let mut body = json!({
        "Image": order.image, "Env": environment, "Tty": true, "OpenStdin": true,
        "Labels": {TOKEN_LABEL: token}, "ExposedPorts": exposed,
        "HostConfig": {"PublishAllPorts": container.ports.is_empty(), "PortBindings": bindings},
    });
    if !container.command.is_empty() {
        body["Cmd"] = json!(container.command);
    }
    if !container.volumes.is_empty() {
        body["HostConfig"]["Binds"] = container.volumes.iter().map(Volume::bind).collect();
    }
    if let Some(network) = order.networks.first() {
        body["HostConfig"]["NetworkMode"] = json!(network);
    }
    body
}

fn name(port: &PublishedPort) -> String {
    format!("{}/{}", port.container, if port.udp { "udp" } else { "tcp" })
}
